package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/writ-trust/writ/verifier"
)

// auditCmd is writ audit.
type auditCmd struct {
	Path   []string `arg:"" optional:"" help:"Bundles, and folders of which every *.json below is one; - is a list of bundles on standard input."`
	Trust  string   `placeholder:"FILE" help:"Your trust file."`
	Expect string   `placeholder:"OUTCOME" help:"Outcome or result that each must show, such as executed or AUTHORIZED."`
	Test   bool     `help:"Take documents of test mode, and only those."`
	Jobs   int      `placeholder:"N" help:"Bundles verified at once; as many as there are processors if not given."`
	JSON   bool     `name:"json" help:"Print a JSON object a bundle, and one of the summary."`

	Contradiction string `placeholder:"FILE" help:"Verify this evidence that a log told two histories of one chain, instead of bundles."`
}

// Help is the long text of writ audit --help.
func (auditCmd) Help() string {
	return `Verifies many bundles as writ verify verifies one: from their bytes and your trust file alone, without a socket. Each bundle that
does not hold is named, and the summary says how many there were, how many signatures they rest on, how many of these were computed
(rosters and mandates that bundles share are verified once), and how long it took. Bundles are read one at a time: there may be any
number of them.

    writ audit bundles/ --trust trust.json --expect executed
    find archive -name '*.json' | writ audit - --trust trust.json --json

With --contradiction it verifies two head proofs of one chain, as writ log contradict puts them together: exit code 0 says that the
log signed both and that they cannot both be true, 1 that this is not shown.

    writ audit --contradiction evidence.json --trust trust.json

Exit codes: 0 every bundle holds; 1 one does not; 2 usage; 3 no usable trust file; 4 a file could not be read, or for a bundle this
Writ does not have the tables by which the decision was made; 5 there is no bundle.`
}

// audited is the summary of an audit.
type audited struct {
	Bundles    int     `json:"bundles"`
	Hold       int     `json:"hold"`
	Fail       int     `json:"fail"`
	Unchecked  int     `json:"unchecked"`  // could not be read, or not be decided again
	Signatures int     `json:"signatures"` // that the verdicts rest on
	Verified   int     `json:"verified"`   // of these, computed; the rest were verified with an earlier bundle
	Bytes      int64   `json:"bytes"`
	Seconds    float64 `json:"seconds"`
	Jobs       int     `json:"jobs"`
	Trust      string  `json:"trust"` // the trust file's fingerprint
}

// auditedBundle is one bundle as --json prints it: its verdict that does not hold, where there is one.
type auditedBundle struct {
	File       string            `json:"file"`
	Holds      bool              `json:"holds"`
	Result     string            `json:"result,omitempty"`
	Outcome    string            `json:"outcome,omitempty"`
	Late       int               `json:"late,omitempty"`
	Signatures int               `json:"signatures"`
	Verdict    *verifier.Verdict `json:"verdict,omitempty"`

	size int
}

func (c auditCmd) Run(sys *system) error {
	switch {
	case c.Contradiction != "" && len(c.Path) > 0:
		return usage(errors.New("bundles or --contradiction, not both"))
	case c.Contradiction != "":
		return c.contradiction(sys)
	case len(c.Path) == 0:
		return usage(errors.New("name bundles, or --contradiction"))
	}
	if c.Expect != "" && !slices.Contains(expectable, c.Expect) {
		return usage(fmt.Errorf("--expect %q is no outcome and no result; one of %s", c.Expect, strings.Join(expectable, ", ")))
	}
	if c.Jobs < 0 {
		return usage(fmt.Errorf("--jobs %d is less than one", c.Jobs))
	}
	trust, err := verifyCmd{Trust: c.Trust}.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	if c.Jobs == 0 {
		c.Jobs = runtime.GOMAXPROCS(0)
	}
	start := sys.now()
	auditor := verifier.NewAuditor(trust, verifier.CheckOptions{Expect: c.Expect, Test: c.Test})
	sum := audited{Jobs: c.Jobs, Trust: trust.Fingerprint()}
	if err := c.each(sys, auditor, func(b auditedBundle) error { return c.count(sys, &sum, b) }); err != nil {
		return err
	}
	if sum.Bundles == 0 {
		return ends(exitRefused, "there is no bundle in %s: nothing would be verified", strings.Join(c.Path, ", "))
	}
	sum.Verified, sum.Seconds = auditor.Verified(), sys.now().Sub(start).Seconds()
	if c.JSON {
		err = printLine(sys.out, map[string]audited{"summary": sum})
	} else {
		table(sys.out, sum.rows())
	}
	switch {
	case err != nil:
		return err
	case sum.Fail > 0:
		return silent(exitFails)
	case sum.Unchecked > 0:
		return silent(exitUnchecked)
	}
	return nil
}

// each verifies the bundles, Jobs at once, and hands over what came of them, in their order.
func (c auditCmd) each(sys *system, auditor *verifier.Auditor, take func(auditedBundle) error) error {
	type job struct {
		path string
		done chan auditedBundle
	}
	jobs, order, stop := make(chan job), make(chan job, c.Jobs), make(chan struct{})
	var workers sync.WaitGroup
	for range c.Jobs {
		workers.Go(func() {
			for j := range jobs {
				j.done <- c.verify(sys, auditor, j.path)
			}
		})
	}
	var listed error
	go func() {
		defer close(order)
		defer close(jobs)
		for path, err := range c.bundles(sys) {
			if listed = err; err != nil {
				return
			}
			j := job{path, make(chan auditedBundle, 1)}
			select {
			case order <- j:
				jobs <- j
			case <-stop:
				return
			}
		}
	}()
	defer workers.Wait()
	for j := range order {
		if err := take(<-j.done); err != nil {
			close(stop)
			for range order { // those that were begun
			}
			return err
		}
	}
	if listed != nil {
		return &exit{exitUnchecked, listed}
	}
	return nil
}

// bundles are the files named, those below the folders named, and those that standard input names, one a line.
func (c auditCmd) bundles(sys *system) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, path := range c.Path {
			below := filesBelow(path)
			if path == "-" {
				below = linesOf(sys.in)
			}
			for file, err := range below {
				if !yield(file, err) {
					return
				}
			}
		}
	}
}

// filesBelow are every *.json of a folder and its folders, or the file itself.
func filesBelow(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case !d.IsDir() && (file == path || strings.HasSuffix(file, ".json")) && !yield(file, nil):
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(path, err)
		}
	}
}

// linesOf are the lines that are not empty.
func linesOf(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		scanner := bufio.NewScanner(in)
		for scanner.Scan() {
			if line := strings.TrimSpace(scanner.Text()); line != "" && !yield(line, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield("-", err)
		}
	}
}

// verify reads and verifies one bundle.
func (c auditCmd) verify(sys *system, auditor *verifier.Auditor, path string) auditedBundle {
	data, err := readInput(sys, path, maxBundle)
	if err != nil {
		return auditedBundle{File: path, Verdict: &verifier.Verdict{Name: verifier.Intact, Outcome: verifier.Unchecked, Detail: err.Error()}}
	}
	checked := auditor.Check(data)
	b := auditedBundle{File: path, Holds: checked.Holds, Result: checked.Result, Outcome: checked.Outcome, Late: len(checked.Late),
		Signatures: checked.Signatures, size: len(data)}
	if i := slices.IndexFunc(checked.Verdicts, func(v verifier.Verdict) bool { return v.Outcome == verifier.Fails || v.Outcome == verifier.Unchecked }); i >= 0 {
		b.Verdict = &checked.Verdicts[i]
	}
	return b
}

// count adds a bundle to the summary and prints it: to people, where it does not hold.
func (c auditCmd) count(sys *system, sum *audited, b auditedBundle) error {
	sum.Bundles++
	sum.Signatures += b.Signatures
	sum.Bytes += int64(b.size)
	switch {
	case b.Holds:
		sum.Hold++
	case b.Verdict.Outcome == verifier.Unchecked:
		sum.Unchecked++
	default:
		sum.Fail++
	}
	if c.JSON {
		return printLine(sys.out, b)
	}
	if !b.Holds {
		fmt.Fprintf(sys.out, "%s: %s %s: %s\n", b.File, b.Verdict.Name, b.Verdict.Outcome, failure(*b.Verdict))
	}
	return nil
}

// rows are the summary for people.
func (s audited) rows() [][]string {
	took := time.Duration(s.Seconds * float64(time.Second))
	rate := func(n int) string { return fmt.Sprintf("%.0f a second", float64(n)/max(s.Seconds, 1e-9)) }
	return [][]string{{"bundles", fmt.Sprint(s.Bundles), rate(s.Bundles)}, {"hold", fmt.Sprint(s.Hold)}, {"fail", fmt.Sprint(s.Fail)},
		{"could not check", fmt.Sprint(s.Unchecked)},
		{"signatures", fmt.Sprint(s.Signatures), fmt.Sprintf("%d computed, %s; the rest were computed with an earlier bundle", s.Verified, rate(s.Verified))},
		{"time", took.Round(time.Millisecond).String(), fmt.Sprintf("%d at once", s.Jobs)}, {"trust file", s.Trust}}
}
