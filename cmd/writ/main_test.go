package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"writ": main}) }

// TestScripts runs what a person would type and holds it against what is promised, refusals included.
//
// Scripts have two commands of their own: "serve ARGS" starts writ serve, waits for its address and puts it into WRIT_URL; "stop"
// ends it as an operator would, and wants exit code 0.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("found only %d scripts: %v", len(scripts), err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TESTDATA", testdata)
			e.Values[serving{}] = &serving{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serve, "stop": stop}})
}

// serving is the server of one script.
type serving struct {
	command *exec.Cmd
}

func serve(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath("writ")
	ts.Check(err)
	s := ts.Value(serving{}).(*serving)
	s.command = exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.command.Dir = ts.MkAbs(".")
	s.command.Env = append(os.Environ(), "WRIT_PASSPHRASE="+ts.Getenv("WRIT_PASSPHRASE"))
	messages, err := os.Create(ts.MkAbs("messages"))
	ts.Check(err)
	defer messages.Close()
	s.command.Stderr = messages
	stdout, err := s.command.StdoutPipe()
	ts.Check(err)
	ts.Check(s.command.Start())
	ts.Defer(func() {
		if s.command != nil {
			s.command.Process.Kill()
			s.command.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(messages.Name())
		ts.Fatalf("writ serve printed no address: %v\n%s", err, said)
	}
	ts.Setenv("WRIT_URL", strings.TrimSpace(line))
}

func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serving{}).(*serving)
	ts.Check(s.command.Process.Signal(syscall.SIGTERM))
	err := s.command.Wait()
	s.command = nil
	ts.Check(err)
}
