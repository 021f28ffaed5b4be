package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/writ-trust/writ/spec"
)

// testCmd is writ test.
type testCmd struct {
	Path    []string `arg:"" optional:"" help:"Test files (*.writ-test.yaml), and folders that have some below; the folder here if not given."`
	Verbose bool     `short:"v" help:"Print every step, not only those that differ."`
	JSON    bool     `name:"json" help:"Print a JSON object a step, and one of the summary."`
}

// testSuffix is how the names of test files end.
const testSuffix = ".writ-test.yaml"

// Help is the long text of writ test --help.
func (testCmd) Help() string {
	return `Plays the test files that an organisation keeps beside its mandates: actions at times of a clock, what must come of each and
why, and in between what executors, approvers and revokers do. It is decided here, by the rules of this Writ and by no server:
nothing is signed for anybody or logged, of signatures only those of presented credentials are checked, and each file begins with an
empty account.

    # invoices` + testSuffix + `
    mandates: [mandate.json]          # or a draft; of a chain, root first
    roster: roster.json               # optional: else the persons whom the mandates name, whatever they may grant
    policies: [policy.json]           # a version, or a draft, of each policy that the root names
    templates: [template.json]        # each template that the mandates name
    steps:
      - name: an ordinary invoice
        at: 2026-12-01T09:00:00Z
        action:
          type: payments.transfer
          resource: iban:PT50000201231234567890154
          amount: {value: "4200.00", currency: EUR}
          counterparty: {id: "lei:ZXTILKJKG63JELOEG630"}
        expect: AUTHORIZED
      - name: a second one on the same day
        like: an ordinary invoice
        action: {amount: {value: "6500.00", currency: EUR}}
        expect: COLLECT_MISSING
        reason: budget-exceeded
        lifts: [daily 700.00 EUR]
      - lift: a second one on the same day
        expect: AUTHORIZED

What is AUTHORIZED counts as executed in full, unless the step says hold: true. A mandate that its approvers could never issue by the
roster is refused; without a roster nobody's powers are judged. spec/testing.md describes every member.

Exit codes: 0 every step came out as expected; 1 one did not; 2 usage; 4 a file could not be read; 5 a test file is refused, or there
is none.`
}

// tested is the summary of a run.
type tested struct {
	Files  int  `json:"files"`
	Steps  int  `json:"steps"`
	Differ int  `json:"differ"`
	Local  bool `json:"local"` // decided here, by no ledger

	// WithoutRoster counts the files that name no roster: whether approvers may grant what their mandates say is not judged there.
	WithoutRoster int `json:"without_roster"`
}

// stepResult is one step as --json prints it.
type stepResult struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Step     string `json:"step"`
	Holds    bool   `json:"holds"`
	Expected came   `json:"expected"`
	came
}

func (c testCmd) Run(sys *system) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	sum := tested{Local: true}
	for _, path := range files {
		if err := c.play(sys, path, &sum); err != nil {
			return inFile(path, err)
		}
	}
	if c.JSON {
		err = printLine(sys.out, map[string]tested{"summary": sum})
	} else {
		if sum.WithoutRoster > 0 {
			fmt.Fprintf(sys.out, "%d of %d files without a roster: whether the approvers may grant what their mandates say is not judged\n",
				sum.WithoutRoster, sum.Files)
		}
		fmt.Fprintf(sys.out, "%d of %d steps in %d files as expected; decided here by the rules of this Writ, nothing is signed or logged\n",
			sum.Steps-sum.Differ, sum.Steps, sum.Files)
	}
	if err == nil && sum.Differ > 0 {
		return silent(exitFails)
	}
	return err
}

// files are those named and those below the folders named, each once.
func (c testCmd) files() ([]string, error) {
	if len(c.Path) == 0 {
		c.Path = []string{"."}
	}
	var all []string
	for _, path := range c.Path {
		info, err := os.Stat(path)
		if err != nil {
			return nil, &exit{exitUnchecked, err}
		}
		if !info.IsDir() {
			all = append(all, path)
			continue
		}
		if err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(file, testSuffix) {
				all = append(all, file)
			}
			return err
		}); err != nil {
			return nil, &exit{exitUnchecked, err}
		}
	}
	if len(all) == 0 {
		return nil, ends(exitRefused, "there is no *%s below %s: nothing would be tested", testSuffix, strings.Join(c.Path, ", "))
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// inFile puts the file, with its line where that is known, in front of an error.
func inFile(path string, err error) error {
	var mistake *testFileError
	var known *exit
	switch {
	case errors.As(err, &mistake) && errors.As(err, &known):
		return &exit{known.code, fmt.Errorf("%s:%w", path, mistake)}
	case errors.As(err, &mistake):
		return &exit{exitRefused, fmt.Errorf("%s:%w", path, mistake)}
	case errors.As(err, &known):
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// play plays one file.
func (c testCmd) play(sys *system, path string, sum *tested) error {
	data, err := readInput(sys, path, maxTestFile)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	f, at, err := parseTestFile(data)
	if err != nil {
		return err
	}
	r, err := newRehearsal(sys, f, at, filepath.Dir(path))
	if err != nil {
		return err
	}
	sum.Files++
	if f.Roster == "" {
		sum.WithoutRoster++
	}
	differ := sum.Differ
	for i := range f.Steps {
		place := fmt.Sprintf("/steps/%d", i)
		got, err := r.play(&f.Steps[i])
		if err != nil {
			err = under(place, err)
			return &testFileError{at.of(pointerOf(err)), err}
		}
		if err := c.step(sys, sum, stepResult{File: path, Line: at.of(place), came: r.named(got)}, &f.Steps[i]); err != nil {
			return err
		}
	}
	if !c.JSON {
		fmt.Fprintf(sys.out, "%-5s %s  %d of %d steps\n", okay(sum.Differ == differ), path, len(f.Steps)-(sum.Differ-differ), len(f.Steps))
	}
	return nil
}

func okay(holds bool) string {
	if holds {
		return "ok"
	}
	return "FAIL"
}

// step compares and prints one step.
func (c testCmd) step(sys *system, sum *tested, s stepResult, wanted *testStep) error {
	s.Step, s.Expected = wanted.title(), came{Outcome: wanted.Expect, Reason: wanted.Reason, Lifts: wanted.Lifts}
	if s.Expected.Outcome == "" {
		s.Expected.Outcome = stepRecorded
	}
	s.Holds = s.meets(s.Expected)
	sum.Steps++
	if !s.Holds {
		sum.Differ++
	}
	switch {
	case c.JSON:
		return printLine(sys.out, s)
	case !s.Holds || c.Verbose:
		fmt.Fprintf(sys.out, "%-5s %s:%d  %s\n", okay(s.Holds), s.File, s.Line, s.Step)
	}
	if !s.Holds {
		table(sys.out, s.diff())
	}
	return nil
}

// meets says whether the outcome is the expected one, for the expected reason and with the expected lifts, where these are named.
func (c came) meets(want came) bool {
	return c.Outcome == want.Outcome && (want.Reason == "" || c.Reason == want.Reason) &&
		(len(want.Lifts) == 0 || slices.Equal(c.Lifts, want.Lifts))
}

// diff are the expected outcome and the one that came, beneath one another, and what stands behind it.
func (s stepResult) diff() [][]string {
	rows := [][]string{{"        expected", s.Expected.String()}, {"        came", s.came.String()}}
	if s.Detail != "" {
		rows = append(rows, []string{"        because", strings.TrimPrefix(s.Check+": ", ": ") + s.Detail})
	}
	if r, ok := spec.Explain(s.came.Reason); ok && s.came.Reason != s.Expected.Reason {
		rows = append(rows, []string{"        " + s.came.Reason, r.Meaning})
	}
	return rows
}

// String is an outcome for people, on one line.
func (c came) String() string {
	text := c.Outcome
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	if len(c.Lifts) > 0 {
		text += ", lifts: " + strings.Join(c.Lifts, ", ")
	}
	return text
}

// title is how a step is shown.
func (s *testStep) title() string {
	if s.Name != "" {
		return s.Name
	}
	act := s.acts()[0]
	if what := s.of() + s.mandate(); what != "" {
		return act + " " + what
	}
	return act
}
