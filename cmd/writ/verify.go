package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/writ-trust/writ/spec"
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
	Policy   []string `placeholder:"FILE" sep:"none" help:"With --batch: version of a policy that the root names, in its order; repeat it."`
	Template []string `placeholder:"FILE" sep:"none" help:"With --batch: template that a mandate names; repeat it."`
	Executor string   `placeholder:"DID" help:"With --batch: who executes; the roster's first executor if not given."`
}

// maxBundle bounds what verify reads into memory, in bytes.
const maxBundle = verifier.MaxBundle

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
signed or logged, and of signatures only those of "credentials":[{…}] are checked, which a line may present. An action's nonce and
payload are filled in where it leaves them out. --expect names a file of {"line":…,"result":…,"reason":…} to compare with. --trust
says whose the resources are; without it each is the grantor's.

    writ verify --batch actions.jsonl --mandate mandate.json --roster roster.json --expect expected.jsonl

--mandate, --roster and --policy take what writ mandate draft, roster new and policy draft write, too. A mandate that its approvers
could never issue by the roster is refused.

A line that does not read, times that go backwards, and a file without any line are refused: exit code 5.

Exit codes: 0 every verdict asked holds; 1 one fails, or a result differs; 2 usage; 3 no usable trust file; 4 a file could not be
read, or this Writ does not have the tables by which the decision was made; 5 a file of --batch is refused.`
}

func (c verifyCmd) Run(sys *system) error {
	switch {
	case c.Batch != "" && c.Bundle != "":
		return usage(errors.New("a bundle or --batch, not both"))
	case c.Batch != "":
		return c.batch(sys)
	case c.Bundle == "":
		return usage(errors.New("name a bundle, or --batch"))
	case len(c.Mandate) > 0 || len(c.Policy) > 0 || len(c.Template) > 0 || c.Roster != "" || c.Executor != "":
		return usage(errors.New("--mandate, --roster, --policy, --template and --executor go with --batch"))
	case c.Expect != "" && !slices.Contains(expectable, c.Expect):
		return usage(fmt.Errorf("--expect %q is no outcome and no result; one of %s", c.Expect, strings.Join(expectable, ", ")))
	}
	trust, err := c.readTrust(sys)
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
	if checked.Holds {
		return nil
	}
	return c.warn(sys, checked, data)
}

// expectable are the words that --expect takes: results of decisions, then outcomes of receipts.
var expectable = []string{spec.Authorized, spec.CollectMissing, spec.Rejected, spec.OutcomeExecuted, spec.OutcomeFailed, spec.OutcomeNotEntered,
	spec.OutcomeReversed, spec.OutcomeHeld, spec.OutcomeCharged, spec.OutcomeUnknown, spec.OutcomeException}

// warn tells a person what the first verdict that does not hold means, and how far the file may be relied on: not at all.
func (c verifyCmd) warn(sys *system, checked verifier.Checked, data []byte) error {
	i := slices.IndexFunc(checked.Verdicts, func(v verifier.Verdict) bool { return v.Outcome == verifier.Fails || v.Outcome == verifier.Unchecked })
	v := checked.Verdicts[i]
	fmt.Fprintf(sys.err, "writ verify: %s: %q %s.\n", c.Bundle, v.Name, v.Outcome)
	if is := whatIs(data); v.Name == verifier.Intact && is != "a WritBundle" {
		fmt.Fprintf(sys.err, "  It is no bundle, it looks like %s.\n", is)
	}
	if r, ok := spec.Explain(v.Reason); ok {
		fmt.Fprintf(sys.err, "  %s %s\n", r.Meaning, r.Remedy)
	}
	fmt.Fprintln(sys.err, "  "+reliance(v))
	if v.Outcome == verifier.Unchecked {
		return silent(exitUnchecked)
	}
	return silent(exitFails)
}

// reliance is what a verdict that does not hold says of the whole file.
func reliance(v verifier.Verdict) string {
	switch {
	case v.Outcome == verifier.Unchecked:
		return "This Writ cannot tell: nothing says that it holds, and nothing that it does not."
	case v.Reason == "expect-other":
		return "It may be whole, and shows something else than what you expect: do not rely on it for that."
	case v.Name == verifier.Anchored:
		return "Nothing that you trust stands behind it, or it was changed: do not rely on it."
	}
	return "It was changed or is incomplete: do not rely on it."
}

func (c verifyCmd) readTrust(sys *system) (*verifier.Trust, error) {
	if c.Trust == "" {
		return nil, errors.New("no trust file: --trust FILE names what you decided to believe before you saw the bundle; writ trust new helps to write one")
	}
	return readTrust(sys, c.Trust)
}

// withoutTrust says that nothing could be anchored, and that therefore nothing was asked.
func (c verifyCmd) withoutTrust(sys *system, err error) error {
	v := verifier.Verdict{Name: verifier.Anchored, Outcome: verifier.Fails, Reason: reasonOf(err), Detail: err.Error()}
	var e *spec.Error
	if errors.As(err, &e) {
		v.Pointer, v.Detail = e.Pointer, e.Detail
	}
	checked := verifier.Checked{Verdicts: []verifier.Verdict{v}}
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
		rows = append(rows, []string{v.Name, v.Outcome, c.because(v, checked)})
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
func (c verifyCmd) because(v verifier.Verdict, checked verifier.Checked) string {
	switch v.Outcome {
	case verifier.Fails, verifier.Unchecked:
		return failure(v)
	case verifier.NotAsked, verifier.NotReached:
		return ""
	}
	switch v.Name {
	case verifier.Decided:
		return fmt.Sprintf("%s at %s", checked.Result, checked.At)
	case verifier.Executed:
		if c.Expect == checked.Result { // a result was expected, not an outcome
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
