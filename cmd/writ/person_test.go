package main

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/writ-trust/writ/verifier"
)

// TestWrap: rows fit, those that follow hang, and what somebody may copy is never broken.
func TestWrap(t *testing.T) {
	for _, row := range []struct {
		name, line     string
		width          int
		first, hanging int
		want           []string
	}{
		{"no terminal", strings.Repeat("word ", 40) + "end", 0, 6, 8, []string{strings.Repeat("word ", 40) + "end"}},
		{"fits", "four words fit here", 40, 6, 8, []string{"four words fit here"}},
		{"hangs", "one two three four five six seven", 26, 4, 6, []string{"one two three four", "  five six seven"}},
		{"exactly", "aaaa bbbb cccc dddd eeee", 24, 4, 4, []string{"aaaa bbbb cccc dddd", "eeee"}},
		{"a digest", "content uEi" + strings.Repeat("x", 60), 40, 6, 8, []string{"content", "  uEi" + strings.Repeat("x", 60)}},
		{"only a digest", strings.Repeat("x", 60), 40, 6, 8, []string{strings.Repeat("x", 60)}},
		{"its own indent", "    " + strings.Repeat("x", 60), 40, 6, 8, []string{"    " + strings.Repeat("x", 60)}},
		{"runes, not bytes", strings.Repeat("€", 30), 36, 6, 8, []string{strings.Repeat("€", 30)}},
		{"too narrow", "one two three four five six", 5, 4, 6, []string{"one two three four", "  five six"}},
	} {
		if got := wrap(row.line, row.width, row.first, row.hanging); strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestUnchecked: a decision that this Writ cannot judge neither holds nor fails, and the exit code says so.
func TestUnchecked(t *testing.T) {
	for _, row := range []struct {
		verdict verifier.Verdict
		code    int
		says    string
	}{
		{verifier.Verdict{Name: verifier.Follows, Outcome: verifier.Unchecked, Reason: "env-unknown"}, exitUnchecked, "cannot tell"},
		{verifier.Verdict{Name: verifier.Follows, Outcome: verifier.Fails, Reason: "decision-other"}, exitFails, "do not rely on it"},
	} {
		var messages bytes.Buffer
		err := verifyCmd{Bundle: "b.json"}.warn(&system{err: &messages}, verifier.Checked{Verdicts: []verifier.Verdict{row.verdict}}, []byte(`{"type":"WritBundle"}`))
		var ended *exit
		if !errors.As(err, &ended) || ended.code != row.code || !strings.Contains(messages.String(), row.says) {
			t.Errorf("%+v: %v\n%s", row.verdict, err, messages.String())
		}
	}
}

// TestInterrupted: Ctrl-C ends the demo with one word, and no step is said to differ.
func TestInterrupted(t *testing.T) {
	command := exec.Command("writ", "demo")
	var messages bytes.Buffer
	command.Stderr = &messages
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	lines := bufio.NewScanner(stdout)
	for signalled := false; lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if !signalled && strings.Contains(lines.Text(), "✓") {
			signalled = true
			if err := command.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ended *exec.ExitError
	if err := command.Wait(); !errors.As(err, &ended) || ended.ExitCode() != exitUnchecked {
		t.Errorf("%v", err)
	}
	if messages.String() != "writ demo: interrupted\n" || strings.Contains(out.String(), "✗") {
		t.Errorf("%s%s", out.String(), messages.String())
	}
}
