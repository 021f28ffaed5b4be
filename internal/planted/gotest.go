package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A row is what became of a planting.
type row struct {
	planting
	verdict string
	failed  bool          // the bug was not found, or the suite is no witness
	after   time.Duration // from the start of the test's process to its failure
	said    string
}

func (r row) outcome() string {
	if r.verdict == "found" {
		return fmt.Sprintf("%.2f s", r.after.Seconds())
	}
	return r.verdict
}

// An event is one line of go test -json (go doc test2json).
type event struct {
	Time   time.Time
	Action string
	Test   string
	Output string
}

// seen is what the events of one run say.
type seen struct {
	passed  map[string]bool
	failed  map[string]time.Duration // since the process started, without its build
	unbuilt bool
	hung    bool
	output  []string
}

// random are the packages whose tests take rapid's flags.
var random = []string{"did", "internal/jcs", "spec/rule", "vc", "vc/status", "verifier"}

// goTest runs tests of one package, with a build tag or none. The tag is in GOFLAGS, so that tests that build Writ build it too.
func goTest(folder string, tests []string, tag string, histories int) (seen, error) {
	args := []string{"test", "-json", "-count=1", fmt.Sprintf("-failfast=%v", tag != ""), "-timeout=9m", "-run", "^(" + strings.Join(tests, "|") + ")$", "./" + folder}
	if slices.Contains(random, folder) { // a failure is not made small, and not kept
		args = append(args, fmt.Sprintf("-rapid.checks=%d", histories), "-rapid.shrinktime=1ms", "-rapid.nofailfile")
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "WRIT_POWERCUT=required", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags="+tag))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return seen{}, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return seen{}, err
	}
	s, err := read(out)
	_ = cmd.Wait() // that it failed is what the events say
	return s, err
}

// read follows the events of one package.
func read(r io.Reader) (seen, error) {
	s := seen{passed: map[string]bool{}, failed: map[string]time.Duration{}}
	var start time.Time
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return s, fmt.Errorf("go test -json said %q", lines.Text())
		}
		switch {
		case e.Action == "start":
			start = e.Time
		case e.Action == "build-fail":
			s.unbuilt = true
		case e.Action == "output" || e.Action == "build-output":
			s.output = append(s.output, e.Output)
			s.hung = s.hung || strings.HasPrefix(e.Output, "panic: test timed out")
		case e.Action == "pass" && e.Test != "":
			s.passed[e.Test] = true
		case e.Action == "fail" && e.Test != "":
			s.failed[e.Test] = e.Time.Sub(start)
		}
	}
	return s, lines.Err()
}

// said is the beginning of what the tests complained of.
func (s seen) said(lines int) string {
	var b strings.Builder
	for _, line := range s.output {
		plain := strings.TrimLeft(line, " ")
		if strings.HasPrefix(plain, "=== ") || strings.HasPrefix(plain, "--- PASS") || lines == 0 {
			continue
		}
		lines--
		if len(line) > longest {
			line = line[:longest] + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// longest is how many bytes of a line are shown.
const longest = 300
