package main

import (
	"fmt"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// policyCmd is writ policy.
type policyCmd struct {
	Draft   policyDraftCmd   `cmd:"" help:"Write a policy from flags, to edit and propose."`
	Next    policyNextCmd    `cmd:"" help:"Write the next version of a policy, to edit and propose."`
	Propose policyProposeCmd `cmd:"" help:"Hand a policy version to the server, for people to approve."`
	Show    policyShowCmd    `cmd:"" help:"Show a policy, and what is used of what its mandates share."`
}

type policyDraftCmd struct {
	Name     string   `required:"" help:"Name for people, such as \"Payments of Acme\"."`
	Grantor  string   `required:"" placeholder:"DID" help:"The organisation whose mandates may name it."`
	Action   []string `required:"" help:"Action pattern that it is about, such as payments.*; repeat it."`
	Resource []string `help:"Resource that it is about; any if none is given; repeat it."`
	Each     string   `placeholder:"MONEY" help:"At most this for one action, such as \"2500.00 EUR\"."`
	Daily    string   `placeholder:"MONEY" help:"At most this a day, for each mandate by itself."`
	Together string   `placeholder:"MONEY" help:"At most this a day, for all mandates that name it together."`
	Zone     string   `default:"UTC" help:"Time zone of the day, such as Europe/Lisbon."`
}

// Help is the long text of writ policy draft --help.
func (policyDraftCmd) Help() string {
	return `Prints the unsigned content of version 1 as JSON: edit it for what has no flag here, then hand it to writ policy propose. The server
fills in what is left out: id, salt, issuer and log. As many persons approve it as the roster's changeThreshold says; then mandates name
its content digest (writ mandate draft --policy).

    writ policy draft --name "Payments of Acme" --grantor did:web:acme.example --action 'payments.*' \
        --each "8000.00 EUR" --together "50000.00 EUR" --zone Europe/Lisbon > policy.json`
}

func (c policyDraftCmd) Run(sys *system) error {
	terms := map[string]any{"grantor": c.Grantor, "version": 1, "scope": scopeOf(c.Action, c.Resource)}
	constraints, err := (mandateDraftCmd{Each: c.Each, Daily: c.Daily, Zone: c.Zone}).constraints()
	if err != nil {
		return err
	}
	if c.Together != "" {
		most, err := parseMoney(c.Together)
		if err != nil {
			return err
		}
		constraints = append(constraints, map[string]any{"id": "together", "type": "budget", "max": most, "per": "P1D", "zone": c.Zone})
		terms["shared"] = []string{"together"}
	}
	terms["constraints"] = constraints
	content := map[string]any{"name": c.Name, "credentialSubject": map[string]any{"id": c.Grantor, "policy": terms}}
	if err := checkContent(content); err != nil {
		return err
	}
	return printJSON(sys.out, content)
}

func scopeOf(actions, resources []string) map[string]any {
	scope := map[string]any{"actions": actions}
	if len(resources) > 0 {
		scope["resources"] = resources
	}
	return scope
}

type policyNextCmd struct {
	ID string `arg:"" help:"Content digest of any version."`
	remote
}

// Help is the long text of writ policy next --help.
func (policyNextCmd) Help() string {
	return `Prints the version in force as the next one, unsigned: edit its limits, then hand it to writ policy propose. A version that only narrows
needs one person who may revoke; any other as many as the roster's changeThreshold says. It counts from its entry on, for every
mandate that names the policy.

` + remoteHelp
}

func (c policyNextCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	p, err := from.Policy(from.ctx, c.ID)
	if err != nil {
		return err
	}
	newest := p.Versions[len(p.Versions)-1]
	next, err := nextVersion(newest.Credential, "policy", newest.Version)
	if err != nil {
		return err
	}
	return printJSON(sys.out, next)
}

type policyProposeCmd struct {
	proposal `embed:""`
}

// Help is the long text of writ policy propose --help.
func (policyProposeCmd) Help() string {
	return "Nothing is in force by it: it prints the content digest that people sign with writ approve.\n\n" + remoteHelp
}

func (c policyProposeCmd) Run(sys *system) error { return c.send(sys, spec.KindPolicy) }

type policyShowCmd struct {
	ID     string `arg:"" help:"Content digest of any version."`
	Locale string `default:"en" enum:"en,pt" help:"Language of the sentences: en or pt."`
	JSON   bool   `name:"json" help:"Print the API's object."`
	remote
}

// Help is the long text of writ policy show --help.
func (policyShowCmd) Help() string { return remoteHelp }

func (c policyShowCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	p, err := from.Policy(from.ctx, c.ID)
	if err != nil {
		return err
	}
	return from.print(sys, c.JSON, func() {
		table(sys.out, [][]string{{"policy", p.Name}, {"grantor", p.Grantor}, {"mandates name", p.First}, {"in force", p.Content}})
		for _, w := range p.Windows {
			table(sys.out, [][]string{{"used of " + w.Constraint, w.Used + " of " + w.Max + " " + w.Unit, "from " + w.From}})
		}
		printSentences(sys, p.Sentences[c.Locale])
	})
}

// policyMatter is a policy version that waits for words: the key stands in the roster of its grantor.
func (c approveCmd) policyMatter(to *connection, content writ.Content, key vc.Signer) (matter, error) {
	m := c.matter(content)
	var err error
	m.keyID, err = to.keyID(textAt(content.Body, "/credentialSubject/policy/grantor"), key)
	return m, err
}

// textAt is the text at a place of a content, "" where there is none.
func textAt(v jcs.Value, pointer string) string {
	member, _ := v.Lookup(pointer)
	text, _ := member.Text()
	return text
}

// addPolicies takes each version as the one in force of the policy that the root mandate names in its place.
func (l *trialLedger) addPolicies(sys *system, paths []string) error {
	names := l.chain[0].Body.Terms().Policies
	if len(names) != len(paths) {
		return usage(fmt.Errorf("the root mandate names %d policies: give a version of each with --policy, in its order", len(names)))
	}
	for i, path := range paths {
		if err := l.addPolicyFile(sys, path, names[i]); err != nil {
			return err
		}
	}
	return nil
}

// addPolicyFile takes the version in the file as the one in force of the policy of this name. A draft may be any version of it: it has no
// digest yet.
func (l *trialLedger) addPolicyFile(sys *system, path, name string) error {
	doc, p, err := readContent[*spec.Policy](sys, path, "a policy")
	if err != nil {
		return err
	}
	content := spec.ContentDigest(doc.Value)
	if p.Terms().Version == 1 && p.ID != exampleID && content != name {
		return ends(exitUsage, "%s is not the policy that the root mandate names there", path)
	}
	if root := l.chain[0].Body; p.Terms().Grantor != root.Terms().Grantor.ID {
		return fmt.Errorf("%s: %w", path, spec.Refuse("policy-foreign", "/credentialSubject/policy/grantor", "the mandate is one of %s", root.Terms().Grantor.ID))
	}
	l.policies = append(l.policies, content)
	return l.addPolicy(p, doc, content, name)
}

// addPolicy adds the chain of a policy by its name, and that of what its mandates share.
func (l *trialLedger) addPolicy(p *spec.Policy, doc spec.Document, content, name string) error {
	state := &spec.State{Kind: spec.KindPolicy, Content: name, Status: spec.StatusActive, Seq: 1,
		Policies: []spec.PolicyVersion{{Document: doc, Content: content}}}
	if err := l.add(state, p.Terms().Salt, p.Terms().Log); err != nil {
		return err
	}
	account := p.AccountRef(name)
	return l.add(&spec.State{Kind: account.Kind, Content: account.Content, Status: spec.StatusActive, Seq: 1,
		Head: spec.LeafHash(doc.Bytes())}, account.Salt, account.Log) // as with mandates, of an entry that there is not
}
