package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// rosterCmd is writ roster.
type rosterCmd struct {
	New     rosterNewCmd     `cmd:"" help:"Write a first roster from flags, to edit and propose."`
	Next    rosterNextCmd    `cmd:"" help:"Write the next version of a roster, to edit and propose."`
	Propose rosterProposeCmd `cmd:"" help:"Hand a roster to the server, for people to approve."`
	Show    rosterShowCmd    `cmd:"" help:"Show a grantor's roster."`
}

type rosterNewCmd struct {
	Grantor  string   `required:"" placeholder:"DID" help:"The organisation."`
	Person   []string `required:"" sep:"none" placeholder:"ID,NAME,KEY" help:"A person with the public key (z…) that only they hold; repeat it."`
	Executor []string `sep:"none" placeholder:"DID,KEY,ROLE" help:"Who executes; role is gateway or system-of-record; repeat it."`
	Action   []string `required:"" help:"Action pattern that may be approved, such as payments.*; repeat it."`
	UpTo     string   `placeholder:"MONEY" help:"At most this, such as \"50000.00 EUR\"; without it, any amount."`
	Needed   int64    `placeholder:"N" help:"How many of the persons; all if not given."`
	Delay    string   `default:"P3D" placeholder:"DURATION" help:"How long additions and looser powers wait."`
	rosterRecoveryFlags
	remote
}

// Help is the long text of writ roster new --help.
func (rosterNewCmd) Help() string {
	return `Prints version 1 of a grantor's signature card as JSON, with the ledger and seal keys of the server at --url. All persons share one
power and may revoke; edit it for anything else. Then: writ roster propose, writ approve by as many persons as needed, and pin the content
digest in every trust file.

    writ roster new --grantor did:web:acme.example --person treasurer,"Ana Reis",z6Mk… --person cfo,"Rui Costa",z6Mk… \
        --executor did:web:bank.example,z6Mk…,system-of-record --action 'payments.*' --up-to "50000.00 EUR" > roster.json

Recovery keys are kept offline by nobody in daily business. If too few persons are left, they put others in their places, and change nothing
else; it counts after the delay, and a revoker may veto it until then:

    writ roster new … --recovery-key safe-1,z6Mk… --recovery-key safe-2,z6Mk… --recovery-threshold 2 --recovery-delay P14D

` + remoteHelp
}

func (c rosterNewCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	ledger, err := from.Ledger(from.ctx)
	if err != nil {
		return err
	}
	var persons []any
	var ids []string
	for _, text := range c.Person {
		part, err := parts(text, 3)
		if err != nil {
			return err
		}
		ids = append(ids, part[0])
		persons = append(persons, map[string]any{"person": part[0], "name": part[1], "keys": []any{map[string]any{
			"id": c.Grantor + "#" + part[0], "publicKeyMultibase": part[2], "kind": "key", "grade": spec.GradeDevice}}})
	}
	if c.Needed == 0 {
		c.Needed = int64(len(ids))
	}
	power := map[string]any{"actions": c.Action, "persons": ids, "threshold": c.Needed}
	if c.UpTo != "" {
		each, err := parseMoney(c.UpTo)
		if err != nil {
			return err
		}
		power["upTo"] = map[string]any{"each": each}
	}
	terms := map[string]any{"grantor": c.Grantor, "version": 1, "persons": persons, "powers": []any{power}, "changeThreshold": c.Needed,
		"changeDelay": c.Delay, "revokers": ids,
		"seals":   []any{map[string]string{"id": ledger.Seal.ID, "key": ledger.Seal.Key}},
		"ledgers": []any{map[string]string{"did": ledger.DID, "key": ledger.DecisionKey.Key}}}
	if err := c.recover(terms, c.Grantor); err != nil {
		return err
	}
	if terms["executors"], err = c.executors(); err != nil {
		return err
	}
	if len(c.Executor) == 0 {
		delete(terms, "executors")
	}
	content := map[string]any{"validFrom": spec.At(sys.now().Truncate(time.Second)).String(),
		"credentialSubject": map[string]any{"id": c.Grantor, "roster": terms}}
	if err := checkContent(content); err != nil {
		return err
	}
	return printJSON(sys.out, content)
}

func (c rosterNewCmd) executors() ([]any, error) {
	var all []any
	for _, text := range c.Executor {
		part, err := parts(text, 3)
		if err != nil {
			return nil, err
		}
		all = append(all, map[string]string{"did": part[0], "key": part[1], "role": part[2]})
	}
	return all, nil
}

// parts splits a flag at its commas.
func parts(text string, n int) ([]string, error) {
	all := strings.Split(text, ",")
	if len(all) != n {
		return nil, usage(fmt.Errorf("%q has not exactly %d parts with commas between", text, n))
	}
	return all, nil
}

type rosterProposeCmd struct {
	proposal `embed:""`
}

// Help is the long text of writ roster propose --help.
func (rosterProposeCmd) Help() string {
	return "Nothing is in force by it: it prints the content digest that people sign with writ approve.\n\n" + remoteHelp
}

func (c rosterProposeCmd) Run(sys *system) error { return c.send(sys, spec.KindRoster) }

type rosterShowCmd struct {
	ID   string `arg:"" help:"The grantor's DID, or a content digest."`
	JSON bool   `name:"json" help:"Print the API's object."`
	remote
}

// Help is the long text of writ roster show --help.
func (rosterShowCmd) Help() string { return remoteHelp }

func (c rosterShowCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	r, err := from.Roster(from.ctx, c.ID)
	if err != nil {
		return err
	}
	var bodies []*spec.Roster
	for _, v := range r.Versions {
		body, err := rosterIn(v.Credential)
		if err != nil {
			return err
		}
		bodies = append(bodies, body)
	}
	return from.print(sys, c.JSON, func() {
		table(sys.out, [][]string{{"grantor", r.Grantor}, {"pin", r.First}, {"in force", r.InForce}})
		fmt.Fprintf(sys.err, "The pin belongs into trust files: writ trust new --grantor %s --resource … writes one.\n", r.Grantor)
		for i, v := range r.Versions {
			fmt.Fprintf(sys.out, "\nversion %d  %s\ncontent    %s\n", v.Version, standing(r, v), v.Content)
			printSentences(sys, bodies[i].Lines(rule.English))
		}
	})
}

func rosterIn(credential jcs.Value) (*spec.Roster, error) {
	doc, err := spec.FromValue(credential)
	if err != nil {
		return nil, err
	}
	r, ok := doc.Body.(*spec.Roster)
	if !ok {
		return nil, spec.Refuse("type-unknown", "/type", "a roster is wanted")
	}
	return r, nil
}

// keyID finds what the grantor's newest roster calls a person's key.
func (c *connection) keyID(grantor string, key vc.Signer) (string, error) {
	r, err := c.Roster(c.ctx, grantor)
	if err != nil {
		return "", err
	}
	for _, v := range r.Versions {
		if v.Content == r.Content {
			body, err := rosterIn(v.Credential)
			if err != nil {
				return "", err
			}
			return keyIDIn(body, key)
		}
	}
	return "", spec.Refuse("roster-unknown", "", "%s has no roster in force here", grantor)
}

func keyIDIn(r *spec.Roster, signer vc.Signer) (string, error) {
	for _, p := range r.Terms().Persons {
		for _, k := range p.Keys {
			if k.PublicKey == signer.Public().Multikey() {
				return k.ID, nil
			}
		}
	}
	if rec := r.Terms().Recovery; rec != nil {
		for _, k := range rec.Keys {
			if k.PublicKey == signer.Public().Multikey() {
				return k.ID, nil
			}
		}
	}
	return "", spec.Refuse("key-not-in-roster", "", "the roster of %s has no such key", r.Terms().Grantor)
}
