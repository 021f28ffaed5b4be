package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/log/monitor"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// auditGroup is writ audit: of bundles, unless a word says what else.
type auditGroup struct {
	Bundles auditCmd      `cmd:"" default:"withargs" help:"Verify many bundles offline, and count what they rest on."`
	Chain   auditChainCmd `cmd:"" help:"Show of one mandate that all its entries are in the log, and that its usage adds up."`
}

// auditChainCmd is writ audit chain.
type auditChainCmd struct {
	What   string   `arg:"" name:"mandate" help:"File with the mandate, its chain (uEi…), or what its server calls it."`
	Path   []string `arg:"" optional:"" name:"bundle" help:"Bundles of its actions, and folders of which every *.json below is one."`
	Source string   `name:"log" required:"" placeholder:"SOURCE" help:"The log: its address, a data folder, or a folder with a copy."`
	Key    string   `placeholder:"VKEY" xor:"whose" help:"The log's verifier key, NAME+ID+KEY."`
	Policy string   `placeholder:"FILE" xor:"whose" help:"Instead of --key: a C2SP tlog-policy, whose quorum the checkpoint must meet."`
	Origin string   `placeholder:"NAME" help:"Which log of the policy, where it has several."`
	Trust  string   `placeholder:"FILE" help:"Your trust file, by which the bundles are verified."`
	Test   bool     `help:"Take documents of test mode, and only those."`
	JSON   bool     `name:"json" help:"Print JSON."`
	remote
}

// Help is the long text of writ audit chain --help.
func (auditChainCmd) Help() string {
	return `Reads the whole log as writ log check does, and shows of one mandate: that its entries 1 to n are there, each once and in order;
what the newest heads entry says of it; and, from bundles of its actions, each verified by your trust file, that every entry they
open is the log's, and that its usage adds up: what an action found in a window is what the one before left there, less what was
released in between. Where the bundles do not open all entries in between, or one of these takes a charge back, that is said and nothing is concluded.

A mandate has one chain in one log, which its salt, the log and its content determine: a file with the mandate says which, and
another log than the one it names is refused (ledger-other).

    writ audit chain mandate.json bundles/ --log https://writ.acme.example/log --key writ.acme.example/log1+… --trust trust.json

Exit codes: 0 all of it holds; 1 something does not; 2 usage; 3 no usable key or trust file; 4 something could not be read;
5 refused: there is no such chain in the log, or the mandate is of another log.`
}

// chainShown is what the audit of a chain prints.
type chainShown struct {
	Chain   string       `json:"chain"`
	Origin  string       `json:"origin"`
	Size    int64        `json:"size"` // of the log
	Entries []chainEntry `json:"entries"`
	Heads   *int64       `json:"heads,omitempty"` // index of the newest heads entry, whose root has the last entry before it as the chain's head
	Covers  int64        `json:"covers"`          // seq that it says
	Opened  int          `json:"opened"`          // entries that bundles open
	Steps   int          `json:"steps"`           // pairs of actions on one window that add up
	Unknown int          `json:"unknown"`         // pairs between which stand entries that are in none of the bundles, or that take a charge back
	Wrong   []string     `json:"wrong,omitempty"`
}

// chainEntry is an entry of the chain, with what a bundle opens of it.
type chainEntry struct {
	Seq    int64       `json:"seq"`
	Index  int64       `json:"index"`
	At     *spec.Time  `json:"at,omitempty"`
	Status spec.Status `json:"status,omitempty"`

	leaf log.Hash
}

func (c auditChainCmd) Run(sys *system) error {
	chain, origin, err := c.chain(sys)
	if err != nil {
		return err
	}
	shown := chainShown{Chain: chain}
	if err := c.read(sys, &shown); err != nil {
		return err
	}
	switch {
	case origin != "" && origin != shown.Origin:
		return spec.Refuse("ledger-other", "", "the mandate names the log %s, this one is %s", origin, shown.Origin)
	case len(shown.Entries) == 0:
		return ends(exitRefused, "the log %s has no entry of the chain %s among %d", shown.Origin, chain, shown.Size)
	}
	if err := c.open(sys, &shown); err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(sys.out, shown)
	} else {
		shown.print(sys)
	}
	if err == nil && len(shown.Wrong) > 0 {
		err = silent(exitFails)
	}
	return err
}

// chain is the id of the chain that is meant, and the log that the mandate names, where the mandate is at hand.
func (c auditChainCmd) chain(sys *system) (chain, origin string, err error) {
	if _, err := os.Stat(c.What); err == nil {
		data, err := readInput(sys, c.What, maxBundle)
		if err != nil {
			return "", "", &exit{exitUnchecked, err}
		}
		v, err := jcs.ParseDocument(data)
		if err != nil {
			return "", "", foreign(c.What, "a mandate", data, err)
		}
		return chainOf(v)
	}
	if _, err := jcs.ParseDigest(c.What); err == nil {
		return c.What, "", nil
	}
	from, err := c.connect(sys)
	if err != nil {
		return "", "", err
	}
	m, err := from.Mandate(from.ctx, c.What)
	if err != nil {
		return "", "", err
	}
	return chainOf(m.Credential)
}

// chainOf derives a mandate's chain: it is not what anybody says that it is.
func chainOf(credential jcs.Value) (chain, origin string, err error) {
	doc, err := spec.FromValue(credential)
	if err != nil {
		return "", "", err
	}
	m, ok := doc.Body.(*spec.Mandate)
	if !ok {
		return "", "", spec.Refuse("type-unknown", "/type", "a mandate is wanted")
	}
	origin = m.Terms().Ledger.Log
	chain, err = spec.ChainID(m.Terms().Salt, origin, spec.ContentDigest(credential))
	return chain, origin, err
}

// read rebuilds the log and picks the entries of the chain out of it.
func (c auditChainCmd) read(sys *system, shown *chainShown) error {
	id, err := jcs.ParseDigest(shown.Chain)
	if err != nil {
		return err
	}
	o, err := logCheckCmd{Source: c.Source, Key: c.Key, Policy: c.Policy, Origin: c.Origin}.options(sys)
	if err != nil {
		return err
	}
	o.Found = func(d monitor.Damage) error {
		shown.Wrong = append(shown.Wrong, "log: "+damageLine(d))
		return nil
	}
	o.Entry = func(index int64, leaf log.Hash, e monitor.Entry) error {
		if e.Heads {
			shown.Heads, shown.Covers = &index, int64(len(shown.Entries))
		}
		for _, l := range e.Links {
			if l.Chain == heads.Chain(id) {
				shown.Entries = append(shown.Entries, chainEntry{Seq: l.Seq, Index: index, leaf: leaf})
			}
		}
		return nil
	}
	head, err := monitor.Check(context.Background(), o)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	shown.Origin, shown.Size = head.Origin, head.Size
	for i, e := range shown.Entries {
		if e.Seq != int64(i)+1 {
			shown.Wrong = append(shown.Wrong, fmt.Sprintf("entry %d of the log is number %d of the chain, where number %d is due", e.Index, e.Seq, i+1))
			break
		}
	}
	return nil
}

// open verifies the bundles and holds what they open against the chain.
func (c auditChainCmd) open(sys *system, shown *chainShown) error {
	if len(c.Path) == 0 {
		return nil
	}
	trust, err := verifyCmd{Trust: c.Trust}.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	auditor := verifier.NewAuditor(trust, verifier.CheckOptions{Test: c.Test})
	a := chainAudit{chainShown: shown, known: map[int64]bool{}, settled: map[int64]bool{}, documents: map[string]int64{}}
	for path, err := range (auditCmd{Path: c.Path}).bundles(sys) {
		if err == nil {
			err = a.bundle(sys, auditor, path)
		}
		if err != nil {
			return &exit{exitUnchecked, err}
		}
	}
	shown.Opened = len(a.known)
	return a.addUp()
}

// chainAudit is a chain as bundles open it.
type chainAudit struct {
	*chainShown
	known     map[int64]bool   // seqs that a bundle opens
	documents map[string]int64 // decision to its seq on the chain
	settled   map[int64]bool   // seqs of words that take a charge back (protocol.md 7.9)
	charges   []charge
}

// charge is one usage row of an action.
type charge struct {
	seq     int64
	account string // policy, constraint, unit, window
	row     spec.Usage
}

func (a *chainAudit) bundle(sys *system, auditor *verifier.Auditor, path string) error {
	data, err := readInput(sys, path, maxBundle)
	if err != nil {
		return err
	}
	if checked := auditor.Check(data); !checked.Holds {
		a.Wrong = append(a.Wrong, path+": the bundle does not hold; writ verify says why")
		return nil
	}
	v, err := jcs.ParseBundle(data)
	if err != nil {
		return err
	}
	var b verifier.Bundle
	if err := v.Decode(&b); err != nil {
		return err
	}
	at := map[string]int64{}
	for _, l := range b.Logged {
		if seq := a.logged(path, l); seq > 0 {
			at[l.Document] = seq
		}
	}
	for _, word := range b.Words {
		doc, err := spec.FromValue(word)
		if err != nil {
			return err
		}
		if w, ok := doc.Body.(*spec.Approval); ok && w.Kind == spec.KindReconciliation {
			a.settled[at[doc.Digest]] = true
		}
	}
	for _, decision := range append(b.Interim, b.Decision) {
		if err := a.decision(decision, at); err != nil {
			return err
		}
	}
	return nil
}

// logged holds an opened entry against the log's, and returns its number on the chain, 0 if it is on others.
func (a *chainAudit) logged(path string, l verifier.LoggedAt) int64 {
	for _, o := range l.Opened {
		if o.Chain != a.Chain {
			continue
		}
		if o.Seq > int64(len(a.Entries)) {
			a.Wrong = append(a.Wrong, fmt.Sprintf("%s: number %d of the chain is not in the log", path, o.Seq))
			return 0
		}
		e := &a.Entries[o.Seq-1]
		if e.leaf != log.RecordHash(l.Entry.Canonical()) {
			a.Wrong = append(a.Wrong, fmt.Sprintf("%s: its number %d of the chain is another entry than the log's %d", path, o.Seq, e.Index))
			return 0
		}
		if previous := a.leafBefore(o.Seq); o.Previous != previous {
			a.Wrong = append(a.Wrong, fmt.Sprintf("%s: number %d of the chain names %s as the entry before, which is %s", path, o.Seq, orDash(o.Previous), orDash(previous)))
		}
		e.At, e.Status = &o.At, o.Status
		a.known[o.Seq] = true
		return o.Seq
	}
	return 0
}

func (a *chainAudit) leafBefore(seq int64) string {
	if seq < 2 {
		return ""
	}
	return monitor.ChainText(heads.Chain(a.Entries[seq-2].leaf))
}

// decision takes the charges of an action that was authorised.
func (a *chainAudit) decision(v jcs.Value, at map[string]int64) error {
	doc, err := spec.FromValue(v)
	if err != nil {
		return err
	}
	d, ok := doc.Body.(*spec.Decision)
	seq := at[doc.Digest]
	if _, again := a.documents[doc.Digest]; !ok || d.Result != spec.Authorized || seq == 0 || again {
		return nil
	}
	a.documents[doc.Digest] = seq
	i := slices.IndexFunc(d.Positions, func(p spec.Position) bool { return p.Previous == a.leafBefore(seq) })
	for _, row := range d.Usage {
		if i < 0 || row.Mandate != d.Positions[i].Mandate {
			continue // of another chain
		}
		a.charges = append(a.charges, charge{seq, strings.Join([]string{row.Policy, row.Constraint, row.Unit, row.From.String()}, " "), row})
	}
	return nil
}

// addUp holds each charge against the one before it in the same window.
func (a *chainAudit) addUp() error {
	slices.SortStableFunc(a.charges, func(x, y charge) int { return int(x.seq - y.seq) })
	last := map[string]charge{}
	for _, c := range a.charges {
		before, ok := last[c.account]
		last[c.account] = c
		if !ok {
			continue
		}
		if !a.allKnown(before.seq, c.seq) {
			a.Unknown++
			continue
		}
		ok, err := follows(before.row, c.row)
		if err != nil {
			return err
		}
		if ok {
			a.Steps++
		} else {
			a.Wrong = append(a.Wrong, fmt.Sprintf("usage of %s: number %d of the chain does not find what number %d left", c.row.Constraint, c.seq, before.seq))
		}
	}
	return nil
}

// allKnown says whether bundles open all that stands between, and none of it takes a charge back.
func (a *chainAudit) allKnown(from, to int64) bool {
	for seq := from + 1; seq < to; seq++ {
		if !a.known[seq] || a.settled[seq] {
			return false
		}
	}
	return true
}

// follows says whether what a charge found can be what an earlier one left: no more is used than then, but for what was reported in
// excess, and no less than what was committed, which nothing but a reconciliation gives back (protocol.md 7.5 to 7.9).
func follows(earlier, later spec.Usage) (bool, error) {
	numbers := make([]*big.Rat, 7)
	for i, text := range []string{earlier.Before.Held, earlier.Before.Committed, earlier.Before.Excess, earlier.Amount,
		later.Before.Held, later.Before.Committed, later.Before.Excess} {
		n, ok := new(big.Rat).SetString(text)
		if !ok {
			return false, errors.New("an amount is no number")
		}
		numbers[i] = n
	}
	sum := func(of ...*big.Rat) *big.Rat {
		all := new(big.Rat)
		for _, n := range of {
			all.Add(all, n)
		}
		return all
	}
	left := sum(numbers[0], numbers[1], numbers[3], numbers[6])
	found := sum(numbers[4], numbers[5], numbers[2])
	return found.Cmp(left) <= 0 && numbers[5].Cmp(numbers[1]) >= 0, nil
}

func (s chainShown) print(sys *system) {
	rows := [][]string{{"chain", s.Chain}, {"log", fmt.Sprintf("%s, %d entries", s.Origin, s.Size)}}
	for _, e := range s.Entries {
		row := fmt.Sprintf("entry %d", e.Index)
		if e.At != nil {
			row += fmt.Sprintf(", %s, %s", e.At, e.Status)
		}
		rows = append(rows, []string{fmt.Sprint(e.Seq), row})
	}
	if s.Heads != nil {
		rows = append(rows, []string{"head", fmt.Sprintf("number %d, says the heads entry %d", s.Covers, *s.Heads)})
	}
	rows = append(rows, []string{"opened", fmt.Sprintf("%d of %d", s.Opened, len(s.Entries))})
	if s.Opened > 0 {
		rows = append(rows, []string{"usage", fmt.Sprintf("%d steps add up; of %d the bundles do not tell", s.Steps, s.Unknown)})
	}
	for _, w := range s.Wrong {
		rows = append(rows, []string{"wrong", w})
	}
	table(sys.out, rows)
}
