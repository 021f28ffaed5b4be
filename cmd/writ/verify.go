package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/verifier"
)

// verifyCmd is writ verify: of a bundle, in this file, or of a file of actions, in batch.go.
type verifyCmd struct {
	Bundle string `arg:"" optional:"" help:"Bundle to verify; - is standard input."`
	Trust  string `placeholder:"FILE" help:"Your trust file."`
	Expect string `placeholder:"OUTCOME" help:"Outcome or result that must be shown, such as executed or AUTHORIZED; with --batch, a file of expected results."`
	Test   bool   `help:"Take documents of test mode, and only those."`
	JSON   bool   `name:"json" help:"Print JSON."`

	Batch    string   `placeholder:"FILE" help:"Decide each action of this file instead, in order."`
	Mandate  []string `placeholder:"FILE" sep:"none" help:"With --batch: mandate of the chain, root first; repeat it."`
	Roster   string   `placeholder:"FILE" help:"With --batch: the grantor's roster."`
	Executor string   `placeholder:"DID" help:"With --batch: who executes; the roster's first executor if not given."`
}

// maxBundle bounds what verify reads into memory, in bytes. The parser's own limit is lower.
const maxBundle = 16 << 20

// Help is the long text of writ verify --help.
func (verifyCmd) Help() string {
	return `Verifies a bundle from its bytes and your trust file alone: it opens no socket, calls nobody and reads no clock. Each verdict
is printed apart, because each says another thing:

    intact        nothing in the file contradicts anything else in it, down to the log's root
    anchored      the log's key, the first roster and the resource are those of your trust file
    witnessed     the witnesses of your trust file saw the checkpoint
    decision      approvals, request and decision are signed by those who had to sign them
    follows       the decision was run again and came out the same
    usage proven  the totals before the action are shown by the chain or its head
    executed      the executor signed that it executed, and the receipt says so (asked by --expect)

    writ verify bundle.json --trust trust.json --expect executed

With --batch it tries limits before they are signed, or finds out what they would have done: each line {"at":…,"action":{…}} of
the file is decided in order, at its own time, by the rules of the ledger; each AUTHORIZED counts as executed in full. Nothing is
signed or logged, and no signature is checked. --expect names a file of {"line":…,"result":…,"reason":…} to compare with.

    writ verify --batch actions.jsonl --mandate mandate.json --roster roster.json --expect expected.jsonl

Exit codes: 0 every verdict asked holds; 1 one fails, or a result differs; 3 no usable trust file; 4 the bundle could not be read.`
}

func (c verifyCmd) Run(sys *system) error {
	switch {
	case c.Batch != "" && c.Bundle != "":
		return usage(errors.New("a bundle or --batch, not both"))
	case c.Batch != "":
		return c.batch(sys)
	case c.Bundle == "":
		return usage(errors.New("name a bundle, or --batch"))
	case len(c.Mandate) > 0 || c.Roster != "" || c.Executor != "":
		return usage(errors.New("--mandate, --roster and --executor go with --batch"))
	}
	trust, err := c.readTrust()
	if err != nil {
		return c.withoutTrust(sys, err)
	}
	data, err := readInput(sys, c.Bundle, maxBundle)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	checked := verifier.CheckBundle(data, trust, verifier.CheckOptions{Expect: c.Expect, Test: c.Test})
	if err := c.print(sys, checked); err != nil {
		return err
	}
	if !checked.Holds {
		return silent(exitFails)
	}
	return nil
}

func (c verifyCmd) readTrust() (*verifier.Trust, error) {
	if c.Trust == "" {
		return nil, errors.New("no trust file: --trust FILE names what you decided to believe before you saw the bundle")
	}
	data, err := os.ReadFile(c.Trust)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &jcs.Error{Reason: "trust-empty", Detail: c.Trust + " is empty: whoever trusts nothing can verify nothing"}
	}
	return verifier.ParseTrust(data)
}

// withoutTrust says that nothing could be anchored, and that therefore nothing was asked.
func (c verifyCmd) withoutTrust(sys *system, err error) error {
	checked := verifier.Checked{Verdicts: []verifier.Verdict{{Name: verifier.Anchored, Outcome: verifier.Fails, Reason: reasonOf(err), Detail: err.Error()}}}
	if err := c.print(sys, checked); err != nil {
		return err
	}
	return &exit{exitTrust, err}
}

func (c verifyCmd) print(sys *system, checked verifier.Checked) error {
	if c.JSON {
		return printJSON(sys.out, checked)
	}
	var rows [][]string
	for _, v := range checked.Verdicts {
		rows = append(rows, []string{v.Name, v.Outcome, because(v, checked)})
	}
	for _, digest := range checked.Late {
		rows = append(rows, []string{"late", "remark", digest + " was logged more than ten minutes after its own time"})
	}
	if checked.Trust != "" {
		rows = append(rows, []string{"trust file", "", checked.Trust})
	}
	table(sys.out, rows)
	return nil
}

// because is what stands behind a verdict: the reason and the place, or what was found.
func because(v verifier.Verdict, checked verifier.Checked) string {
	if v.Outcome == verifier.Fails {
		return failure(v)
	}
	if v.Outcome != verifier.Holds {
		return ""
	}
	switch v.Name {
	case verifier.Anchored:
		return "roster newest: not proven" // protocol.md 14.3: as long as no head covers the roster's chain
	case verifier.Decided:
		return fmt.Sprintf("%s at %s", checked.Result, checked.At)
	case verifier.Executed:
		if checked.Outcome == "" { // a result was expected, not an outcome
			return "the decision is " + checked.Result
		}
		return checked.Outcome
	}
	return v.Detail
}

// failure is reason and place, then what happened.
func failure(v verifier.Verdict) string {
	where := v.Reason
	if v.Pointer != "" {
		where += " at " + v.Pointer
	}
	if where == "" || strings.HasPrefix(v.Detail, where) {
		return v.Detail
	}
	return where + ": " + v.Detail
}
