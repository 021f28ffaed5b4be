package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/log"
)

// runDemo runs writ demo --json and returns its lines.
func runDemo(t *testing.T, flags ...string) []told {
	t.Helper()
	var out, messages bytes.Buffer
	command := exec.Command("writ", append([]string{"demo", "--json"}, flags...)...)
	command.Stdout, command.Stderr = &out, &messages
	began := time.Now()
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), messages.String())
	}
	t.Logf("the story took %s", time.Since(began))
	var lines []told
	for text := range strings.Lines(out.String()) {
		var line told
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestDemo lives through the whole story: one line a step, in order, each as it must be, and evidence that is kept.
func TestDemo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "evidence")
	lines := runDemo(t, "--out", out)
	var want []told
	for i, c := range chapters(false) {
		for j, s := range c.steps {
			want = append(want, told{Step: string(rune('1'+i)) + "." + strconv.Itoa(j+1), Title: s.title})
		}
	}
	if len(lines) != len(want) || len(want) < 30 {
		t.Fatalf("%d steps were told, %d belong to the story", len(lines), len(want))
	}
	for i, line := range lines {
		if line.Step != want[i].Step || line.Title != want[i].Title || !line.OK || line.Error != "" || line.Saw == "" {
			t.Errorf("told %+v, want %+v", line, want[i])
		}
	}
	tampered := lines[len(lines)-2]
	if n := strings.Count(tampered.Saw, "\n"); n != 12 {
		t.Errorf("%d tamperings: %s", n, tampered.Saw)
	}
	kept, err := os.ReadDir(out)
	if err != nil || len(kept) != 2 {
		t.Errorf("kept %v, want bundle.json and trust.json: %v", kept, err)
	}
}

// TestDemoNowhere: a story whose evidence has no place to go does not begin.
func TestDemoNowhere(t *testing.T) {
	var out, messages bytes.Buffer
	command := exec.Command("writ", "demo", "--out", "/dev/null/nowhere")
	command.Stdout, command.Stderr = &out, &messages
	if err := command.Run(); err == nil {
		t.Fatal("evidence was kept where there is no folder")
	}
	if strings.Contains(out.String(), "✓") {
		t.Errorf("the story began: %s", out.String())
	}
}

// TestStrangersKey: the key that is put into another's place is a sound one, so that the roster fails for not being the roster.
func TestStrangersKey(t *testing.T) {
	if _, err := did.ParseMultikey(strangersKey); err != nil {
		t.Error(err)
	}
}

// TestDemoKeep: the server outlives the demo; the last object says how to reach it.
func TestDemoKeep(t *testing.T) {
	var out, messages bytes.Buffer
	command := exec.Command("writ", "demo", "--json", "--keep")
	command.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	command.Stdout, command.Stderr = &out, &messages
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), messages.String())
	}
	server := leftBehind(t, messages.String())
	defer ended(t, server)
	all := strings.Split(strings.TrimSpace(out.String()), "\n")
	var last map[string]string
	if err := json.Unmarshal([]byte(all[len(all)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if len(last) != 4 || !strings.HasPrefix(last["api_key"], "wk_live_") {
		t.Errorf("the last object is %v", last)
	}
	if _, err := log.ParseVerifier(last["log_key"]); err != nil {
		t.Error(err)
	}
	read := exec.Command("writ", "log", "checkpoint", last["log_url"], "--key", last["log_key"])
	if data, err := read.Output(); err != nil {
		t.Errorf("the log is not served: %v %s", err, data)
	}
	list := exec.Command("writ", "mandate", "list", "--url", last["url"])
	list.Env = append(os.Environ(), "WRIT_API_KEY="+last["api_key"])
	data, err := list.Output()
	if err != nil || !strings.Contains(string(data), "Pay AWS from curl") {
		t.Errorf("the key does not serve: %v %s", err, data)
	}
}

// leftBehind finds the server that the demo left running, by what it said.
func leftBehind(t *testing.T, messages string) *os.Process {
	t.Helper()
	_, rest, _ := strings.Cut(messages, "kill ")
	number, _, _ := strings.Cut(rest, " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("it does not say what it left: %s", messages)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// ended stops a server that is nobody's child here, as its message says, and waits until it is gone.
func ended(t *testing.T, server *os.Process) {
	if err := server.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	for range 200 {
		if server.Signal(syscall.Signal(0)) != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the server does not end")
	server.Kill()
}

// TestTellerStops: a step that comes out otherwise is told with what it differs in, ends the story, and fails it.
func TestTellerStops(t *testing.T) {
	steps := []step{
		{"goes well", func(*story, context.Context) (string, error) { return "seen", nil }},
		{"goes otherwise", func(*story, context.Context) (string, error) { return "", errors.New("REJECTED, not AUTHORIZED") }},
		{"is never told", func(*story, context.Context) (string, error) { t.Error("the story went on"); return "", nil }},
	}
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		sys := &system{out: &out, now: time.Now}
		err := (&teller{sys: sys, json: asJSON}).tell(t.Context(), nil, []chapter{{"A chapter", steps}})
		var failed *exit
		if !errors.As(err, &failed) || failed.code != exitFails || !strings.Contains(err.Error(), "step 1.2 ") {
			t.Errorf("%v", err)
		}
		if text := out.String(); !strings.Contains(text, "REJECTED, not AUTHORIZED") || strings.Contains(text, "\x1b") || strings.Contains(text, "never") {
			t.Errorf("told %s", text)
		}
	}
}
