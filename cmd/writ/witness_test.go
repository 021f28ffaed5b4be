package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// witnessing starts "witness NAME ARGS": writ witness as NAME.example/w1 with its folder NAME. It puts its key into NAME_KEY and its
// address into NAME_URL. "! witness NAME" kills it, as a power cut would end it.
func witnessing(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.Value(ofScript).(witnesses)
	name := args[0]
	if neg {
		ts.Check(running[name].Process.Kill())
		running[name].Wait()
		return
	}
	program, err := exec.LookPath("writ")
	ts.Check(err)
	c := exec.Command(program, append([]string{"witness", "--listen", "127.0.0.1:0", "--data", name, "--name", name + ".example/w1"}, args[1:]...)...)
	c.Dir, c.Env, c.Stderr = ts.MkAbs("."), append(os.Environ(), "WRIT_PASSPHRASE=for-this-test"), os.Stderr
	stdout, err := c.StdoutPipe()
	ts.Check(err)
	ts.Check(c.Start())
	running[name] = c
	ts.Defer(func() {
		c.Process.Kill()
		c.Wait()
	})
	said := bufio.NewReader(stdout)
	for _, variable := range []string{"_KEY", "_URL"} {
		line, err := said.ReadString('\n')
		ts.Check(err)
		ts.Setenv(name+variable, strings.TrimSpace(line))
	}
}

// witnesses are those of one script, by name.
type witnesses map[string]*exec.Cmd

const ofScript = "witnesses"
