package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// trustCmd is writ trust.
type trustCmd struct {
	New  trustNewCmd  `cmd:"" help:"Write a trust file from what a server says, to compare and keep."`
	Show trustShowCmd `cmd:"" help:"Print what a trust file believes, and its fingerprint."`
}

const trustHelp = `A trust file is what its owner decided to believe before seeing any evidence: whose rosters, by the digest of their first version;
which logs, by key; and whose each resource is. The ledger, each executor and each auditor have one of their own.`

type trustNewCmd struct {
	Grantor  string   `required:"" placeholder:"DID" help:"Whose roster is pinned."`
	Resource []string `required:"" sep:"none" placeholder:"NAME" help:"What is the grantor's, exactly as actions write it, such as iban:PT50…; repeat it."`
	Mode     string   `enum:",test" default:"" help:"test for a ledger of test mode."`
	remote
}

// Help is the long text of writ trust new --help.
func (trustNewCmd) Help() string {
	return trustHelp + `

    writ trust new --url https://writ.acme.example --grantor did:web:acme.example --resource iban:PT50… > trust.json

What it prints is what the server says of itself. It is worth something once you have compared the pin and the log's key with what
the grantor and the log's operator published elsewhere.

` + remoteHelp
}

func (c trustNewCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	ledger, err := from.Ledger(from.ctx)
	if err != nil {
		return err
	}
	if c.Mode != ledger.Mode {
		return spec.Refuse("mode-other", "", "the ledger's mode is %q, --mode is %q", ledger.Mode, c.Mode)
	}
	roster, err := from.Roster(from.ctx, c.Grantor)
	if err != nil {
		return err
	}
	pin, err := pinOf(roster)
	if err != nil {
		return err
	}
	t := &verifier.Trust{Version: spec.Version, Mode: c.Mode, Rosters: []verifier.PinnedRoster{{Grantor: c.Grantor, Content: pin}},
		Policy: policyOf(ledger), Resources: map[string]string{}}
	for _, name := range c.Resource {
		t.Resources[name] = c.Grantor
	}
	return c.write(sys, t, ledger)
}

// policyOf is a log policy (C2SP tlog-policy) of the ledger's log alone, without witnesses.
func policyOf(l writ.Ledger) string { return "log " + l.Log.Key + "\nquorum none\n" }

// pinOf is the content digest of a roster's version 1, computed here.
func pinOf(r writ.Roster) (string, error) {
	i := slices.IndexFunc(r.Versions, func(v writ.RosterVersion) bool { return v.Version == 1 })
	if i < 0 {
		return "", spec.Refuse("roster-unknown", "", "the server does not show version 1 of the roster")
	}
	body, err := rosterIn(r.Versions[i].Credential)
	if err != nil {
		return "", err
	}
	if body.Terms().Version != 1 || body.Terms().Grantor != r.Grantor {
		return "", spec.Refuse("roster-unknown", "", "the server shows another roster")
	}
	return spec.ContentDigest(r.Versions[i].Credential), nil
}

// write prints a trust file that reads.
func (c trustNewCmd) write(sys *system, t *verifier.Trust, l writ.Ledger) error {
	data, err := t.Bytes()
	if err != nil {
		return err
	}
	read, err := verifier.ParseTrust(data)
	if err != nil {
		return err
	}
	fmt.Fprintln(sys.err, "These pins are what the server at "+c.URL+" says. Check them out of band before you rely on this file:")
	table(sys.err, [][]string{{"  roster of " + c.Grantor, t.Rosters[0].Content}, {"  key of the log", l.Log.Key}, {"  fingerprint of this file", read.Fingerprint()}})
	return printJSON(sys.out, t)
}

type trustShowCmd struct {
	File string `arg:"" help:"Trust file; - is standard input."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of writ trust show --help.
func (trustShowCmd) Help() string {
	return trustHelp + `

The fingerprint is that of what the file says, however it is written: writ verify prints it beside its verdicts.`
}

// trustShown is a trust file as --json prints it.
type trustShown struct {
	Fingerprint string `json:"fingerprint"`
	*verifier.Trust
}

func (c trustShowCmd) Run(sys *system) error {
	t, err := readTrust(sys, c.File)
	if err != nil {
		return &exit{exitTrust, err}
	}
	if c.JSON {
		return printJSON(sys.out, trustShown{t.Fingerprint(), t})
	}
	rows := [][]string{{"fingerprint", t.Fingerprint()}}
	if t.Mode != "" {
		rows = append(rows, []string{"mode", t.Mode})
	}
	for _, r := range t.Rosters {
		rows = append(rows, []string{"roster", r.Content + " of " + r.Grantor})
	}
	for _, l := range policyLines(t.Policy) {
		rows = append(rows, []string{"policy", l})
	}
	for _, r := range t.Retired {
		rows = append(rows, []string{"retired", fmt.Sprintf("%s at %d entries", r.Origin, r.Size)})
	}
	for _, name := range sortedKeys(t.Resources) {
		rows = append(rows, []string{"resource", name + " is " + t.Resources[name] + "'s"})
	}
	table(sys.out, rows)
	return nil
}

// readTrust reads a trust file; its errors name it.
func readTrust(sys *system, path string) (*verifier.Trust, error) {
	data, err := readInput(sys, path, maxTrustBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no trust file %s", path)
	}
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &jcs.Error{Reason: "trust-empty", Detail: path + " is empty: whoever trusts nothing can verify nothing"}
	}
	t, err := verifier.ParseTrust(data)
	if err != nil {
		return nil, foreign(path, "a trust file", data, err)
	}
	return t, nil
}
