package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// mandateCmd is writ mandate.
type mandateCmd struct {
	Draft   mandateDraftCmd   `cmd:"" help:"Write a mandate from flags, to edit and propose."`
	Propose mandateProposeCmd `cmd:"" help:"Hand a mandate to the server, for people to approve."`
	Show    mandateShowCmd    `cmd:"" help:"Show a mandate: what it allows, where it stands, its account."`
	Present mandatePresentCmd `cmd:"" help:"Present a mandate to a generic verifier of credentials."`
	List    mandateListCmd    `cmd:"" help:"List mandates."`
	Revoke  mandateRevokeCmd  `cmd:"" help:"Take a mandate away for good."`
	Suspend mandateSuspendCmd `cmd:"" help:"Stop a mandate until its approvers resume it."`
}

type mandateDraftCmd struct {
	Name     string   `required:"" help:"Name for people, such as \"Pay AWS invoices\"."`
	Agent    string   `required:"" placeholder:"DID" help:"Who may act: did:key or did:jwk."`
	Grantor  string   `required:"" placeholder:"DID" help:"Whose authority it is."`
	Approver []string `required:"" placeholder:"PERSON" help:"Who must approve, by name in the roster; repeat it."`
	Needed   int64    `placeholder:"N" help:"How many of them; all if not given."`
	Action   []string `required:"" help:"Action type, such as payments.transfer; repeat it."`
	Resource []string `required:"" help:"What it may act on, such as iban:PT50…; repeat it."`
	Until    string   `required:"" placeholder:"TIME" help:"End, RFC 3339 in UTC."`
	From     string   `placeholder:"TIME" help:"Beginning; now if not given."`
	Payee    []string `placeholder:"ID" help:"Allowed counterparty, such as lei:…; repeat it."`
	Each     string   `placeholder:"MONEY" help:"At most this for one action, such as \"2500.00 EUR\"."`
	Daily    string   `placeholder:"MONEY" help:"At most this a day."`
	Zone     string   `default:"UTC" help:"Time zone of the day, such as Europe/Lisbon."`
	LiftBy   []string `placeholder:"PERSON" help:"Who may lift the daily limit."`
	LiftMax  string   `placeholder:"MONEY" help:"By at most this, once and a day."`
	LiftFor  string   `default:"PT4H" placeholder:"DURATION" help:"How long a request waits for the lift."`
	Policy   []string `placeholder:"DIGEST" help:"Policy whose limits count too, by the content digest of its version 1; repeat it."`
	Status   bool     `help:"Put it on the server's status lists, for those who read nothing else."`
	Template []string `placeholder:"FILE" help:"Template that actions of its type must have the form of; its parameters become free. Repeat it."`
	Depth    int64    `help:"Levels of mandates that the agent may delegate."`
}

// Help is the long text of writ mandate draft --help.
func (mandateDraftCmd) Help() string {
	return `Prints the unsigned content as JSON: edit it for what has no flag here (other constraints, leastGrade, selfExecuted), then hand it to
writ mandate propose. The server fills in what is left out: id, salt, issuer and ledger.

Constraints are of the types ` + strings.Join(rule.Types(), ", ") + `:
sections 5 and 11 of spec/protocol.md say what each means, and spec/rule has the schema of each in a file of its own. One of type
credential asks for somebody's credential, which the agent presents with its request ("credentials" of POST /v1/verify):

    {"id": "supplier", "type": "credential", "credentialType": "SupplierCredential", "issuers": ["did:key:z6Mk…"],
     "subject": "/counterparty/id", "maxAge": "P30D", "status": "required"}

    writ mandate draft --name "Pay AWS invoices" --agent did:key:z6Mk… --grantor did:web:acme.example \
        --approver treasurer --approver cfo --action payments.transfer --resource iban:PT50… --payee lei:ZXTILKJKG63JELOEG630 \
        --daily "10000.00 EUR" --zone Europe/Lisbon --lift-by cfo --lift-max "15000.00 EUR" --until 2027-03-31T22:59:59Z`
}

func (c mandateDraftCmd) Run(sys *system) error {
	from := c.From
	if from == "" {
		from = spec.At(sys.now().Truncate(time.Second)).String()
	}
	if c.Needed == 0 {
		c.Needed = int64(len(c.Approver))
	}
	constraints, err := c.constraints()
	if err != nil {
		return err
	}
	terms := map[string]any{"version": spec.Version, "actions": c.Action, "resources": c.Resource,
		"grantor": map[string]any{"id": c.Grantor, "approvers": c.Approver, "threshold": c.Needed}}
	if len(constraints) > 0 {
		terms["constraints"] = constraints
	}
	if len(c.LiftBy) > 0 {
		if terms["recovery"], err = c.recovery(); err != nil {
			return err
		}
	}
	if len(c.Policy) > 0 {
		terms["policies"] = c.Policy
	}
	if err := c.templates(sys, terms); err != nil {
		return err
	}
	if c.Depth > 0 {
		terms["delegation"] = map[string]any{"maxDepth": c.Depth}
	}
	content := map[string]any{"name": c.Name, "validFrom": from, "validUntil": c.Until,
		"credentialSubject": map[string]any{"id": c.Agent, "mandate": terms}}
	if c.Status {
		content["credentialStatus"] = []any{statusEntry("revocation"), statusEntry("suspension")}
	}
	if err := checkContent(content); err != nil {
		return err
	}
	return printJSON(sys.out, content)
}

// statusEntry asks the server for a place in its lists.
func statusEntry(purpose string) map[string]string {
	return map[string]string{"type": "BitstringStatusListEntry", "statusPurpose": purpose}
}

func (c mandateDraftCmd) constraints() (all []any, err error) {
	add := func(text string, constraint map[string]any) {
		if text == "" || err != nil {
			return
		}
		constraint["max"], err = parseMoney(text)
		all = append(all, constraint)
	}
	add(c.Each, map[string]any{"id": "each", "type": "amount"})
	add(c.Daily, map[string]any{"id": "daily", "type": "budget", "per": "P1D", "zone": c.Zone})
	if len(c.Payee) > 0 {
		all = append(all, map[string]any{"id": "payee", "type": "oneOf", "pointer": "/counterparty/id", "values": c.Payee})
	}
	return all, err
}

// templates names those of the files. What they describe is free, unless somebody edits the draft.
func (c mandateDraftCmd) templates(sys *system, terms map[string]any) error {
	var refs []spec.TemplateRef
	var free []string
	for _, path := range c.Template {
		d, t, err := readTemplate(sys, path)
		if err != nil {
			return err
		}
		refs = append(refs, t.Ref(d.Digest))
		for _, m := range t.Members {
			if !slices.Contains(free, m.Pointer) {
				free = append(free, m.Pointer)
			}
		}
	}
	if len(refs) > 0 {
		terms["templates"] = refs
	}
	if len(free) > 0 {
		terms["free"] = free
	}
	return nil
}

func (c mandateDraftCmd) recovery() (any, error) {
	if c.Daily == "" || c.LiftMax == "" {
		return nil, usage(errors.New("--lift-by lifts --daily by --lift-max"))
	}
	ceiling, err := parseMoney(c.LiftMax)
	return []any{map[string]any{"for": []string{"daily"}, "approvers": c.LiftBy, "threshold": len(c.LiftBy), "maxOver": ceiling,
		"maxOverPerWindow": ceiling, "within": c.LiftFor}}, err
}

// parseMoney reads "2500.00 EUR". The server's parser says whether it is an amount.
func parseMoney(text string) (map[string]string, error) {
	value, currency, ok := strings.Cut(text, " ")
	if !ok {
		return nil, usage(fmt.Errorf("%q is not like \"2500.00 EUR\"", text))
	}
	return map[string]string{"value": value, "currency": currency}, nil
}

// proposal hands a content to the server.
type proposal struct {
	File string `arg:"" help:"Content as JSON; - is standard input."`
	JSON bool   `name:"json" help:"Print the API's object."`
	remote
}

// send proposes a content of one kind, and of no other.
func (c proposal) send(sys *system, kind string) error {
	data, err := readInput(sys, c.File, maxTrustBytes)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	content, err := jcs.ParseDocument(data)
	if err != nil {
		return foreign(c.File, "a "+kind, data, err)
	}
	if is := contentKind(content); is != kind {
		return c.otherKind(kind, is, data)
	}
	to, err := c.connect(sys)
	if err != nil {
		return err
	}
	d, err := to.Draft(to.ctx, content)
	if err != nil {
		return unknownIn(content, err)
	}
	return to.print(sys, c.JSON, func() {
		table(sys.out, [][]string{{"draft", d.ID}, {"kind", d.Kind}, {"content", d.Content},
			{"approvers", fmt.Sprintf("%d of %s", d.Threshold, strings.Join(d.Approvers, ", "))}})
		if r := d.Recovery; r != nil {
			table(sys.out, [][]string{{"or", fmt.Sprintf("%d of the recovery keys %s; it counts after %s then", r.Threshold, strings.Join(r.Approvers, ", "), r.Delay)}})
		}
		printSentences(sys, d.Sentences["en"])
	})
}

// unknownIn adds to a refusal of what a content names by digest which one it is: the server says the place, and no value.
func unknownIn(content jcs.Value, err error) error {
	var refused *writ.Error
	if errors.As(err, &refused) && slices.Contains([]string{"policy-unknown", "template-unknown"}, refused.Code) {
		return fmt.Errorf("%w: %s", err, textAt(content, refused.Pointer))
	}
	return err
}

// otherKind says which command takes the file instead.
func (c proposal) otherKind(wanted, is string, data []byte) error {
	if is == "" {
		return usage(fmt.Errorf("%s is not a %s, it looks like %s", c.File, wanted, whatIs(data)))
	}
	return usage(fmt.Errorf("%s is a %s: hand it over with writ %s propose", c.File, is, is))
}

func printSentences(sys *system, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(sys.out, "  "+line)
	}
}

type mandateProposeCmd struct {
	proposal `embed:""`
}

// Help is the long text of writ mandate propose --help.
func (mandateProposeCmd) Help() string {
	return `Nothing is granted or logged by it: it prints the draft's id, its content digest and the sentences that its approvers sign with writ
approve. A mandate that its own approvers could never issue is refused.

` + remoteHelp
}

func (c mandateProposeCmd) Run(sys *system) error { return c.send(sys, spec.KindMandate) }

type mandateShowCmd struct {
	ID     string `arg:"" help:"mnd_…, urn:uuid:… or content digest."`
	Locale string `default:"en" enum:"en,pt" help:"Language of the sentences: en or pt."`
	JSON   bool   `name:"json" help:"Print the API's object."`
	VC     bool   `name:"vc" help:"Print the credential alone, with a second proof for generic libraries."`
	remote
}

const vcHelp = `With --vc it is a W3C verifiable credential with two proofs by one key that say the same: of a JCS suite, which Writ checks, and of
an RDF suite (eddsa-rdfc-2022) for libraries that know no other. What such a library verifies, and what it misses, is in section 15
of spec/protocol.md.

`

// Help is the long text of writ mandate show --help.
func (mandateShowCmd) Help() string { return vcHelp + remoteHelp }

func (c mandateShowCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	if c.VC {
		credential, err := from.ExportMandate(from.ctx, c.ID)
		if err != nil {
			return err
		}
		return printJSON(sys.out, credential)
	}
	m, err := from.Mandate(from.ctx, c.ID)
	if err != nil {
		return err
	}
	return from.print(sys, c.JSON, func() {
		table(sys.out, [][]string{{"mandate", m.ShortID}, {"content", m.Content}, {"status", m.Status}})
		printSentences(sys, m.Sentences[c.Locale])
		printWindows(sys, m.Windows)
	})
}

func printWindows(sys *system, windows []writ.Window) {
	rows := [][]string{{"limit", "from", "to", "used", "of", "held", "lifted", "excess"}}
	for _, w := range windows {
		rows = append(rows, []string{w.Constraint, orDash(w.From), orDash(w.To), w.Used, w.Max + " " + w.Unit, w.Held, w.Lifted, w.Excess})
	}
	if len(rows) > 1 {
		fmt.Fprintln(sys.out)
		table(sys.out, rows)
	}
}

type mandateListCmd struct {
	Cursor string `help:"Where the page before ended."`
	JSON   bool   `name:"json" help:"Print the API's object."`
	remote
}

// Help is the long text of writ mandate list --help.
func (mandateListCmd) Help() string { return remoteHelp }

func (c mandateListCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	items, next, err := from.Mandates(from.ctx, c.Cursor)
	if err != nil {
		return err
	}
	return from.print(sys, c.JSON, func() {
		var rows [][]string
		for _, m := range items {
			rows = append(rows, []string{m.ShortID, m.Status, m.Name})
		}
		table(sys.out, rows)
		if next != "" {
			fmt.Fprintf(sys.err, "more with --cursor %s\n", next)
		}
	})
}

// rootOf walks up to the mandate that people granted.
func (c *connection) rootOf(m writ.Mandate) (*spec.Mandate, error) {
	for range spec.MaxChain {
		doc, err := spec.FromValue(m.Credential)
		if err != nil {
			return nil, err
		}
		body, ok := doc.Body.(*spec.Mandate)
		if !ok {
			return nil, spec.Refuse("type-unknown", "/type", "a mandate is wanted")
		}
		if body.IsRoot() {
			return body, nil
		}
		if m, err = c.Mandate(c.ctx, body.Terms().Parent); err != nil {
			return nil, err
		}
	}
	return nil, spec.Refuse("delegation-depth", "", "at most %d mandates", spec.MaxChain)
}

// printLogged says where a document was logged.
func printLogged(sys *system, what string, a writ.Acknowledgement) {
	fmt.Fprintf(sys.out, "%s logged at index %d, %s\n", what, a.Index, a.At)
	if a.Content != "" {
		fmt.Fprintf(sys.out, "issued %s\n", a.Content)
	}
}

type mandateRevokeCmd struct {
	notice `embed:""`
}

// Help is the long text of writ mandate revoke --help.
func (mandateRevokeCmd) Help() string { return noticeHelp + remoteHelp }

func (c mandateRevokeCmd) Run(sys *system) error { return c.send(sys, spec.ActRevoke, false) }

type mandateSuspendCmd struct {
	notice `embed:""`
}

// Help is the long text of writ mandate suspend --help.
func (mandateSuspendCmd) Help() string {
	return noticeHelp + "The mandate's approvers resume it with writ approve --resume.\n\n" + remoteHelp
}

func (c mandateSuspendCmd) Run(sys *system) error { return c.send(sys, spec.ActSuspend, false) }
