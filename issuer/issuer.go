// Package issuer turns people's approvals into mandates, supplements and rosters, and takes authority away again.
//
// It packages: authority comes from the approvals alone, each logged before it counts. Every kind of content lives the one life
// of draft.go. The package links no network and no database.
package issuer

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// Journal is what an issuer asks of the journal: the only writer, and committed reads.
type Journal interface {
	Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error)
	States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error)
	RosterState(ctx context.Context, org, grantor string) (*spec.State, error)
	// PolicyState is the chain of the policy that has a version of this content.
	PolicyState(ctx context.Context, org, content string) (*spec.State, error)
	Record(ctx context.Context, org, digest string) (spec.Record, error)
}

// Drafts keeps the contents that wait for approvals, and the templates that they name.
type Drafts interface {
	PutDraft(ctx context.Context, d spec.Draft) error
	DraftByContent(ctx context.Context, org, content string) (spec.Draft, error)
	// PutTemplate keeps an action template, so that Record finds it; one that is there already stays as it is.
	PutTemplate(ctx context.Context, org string, template spec.Document) error
}

// Options configure an Issuer. All fields without "optional" are needed.
type Options struct {
	Ledger spec.Ledger // what contents name where they leave it out
	Seal   string      // the seal's DID: the issuer of what it packages where a content leaves it out
	// SealKey and DecisionKey (a multikey) are those with which this server signs. A roster that does not list them is refused, and
	// so is a mandate under one: nothing that is issued here could be used.
	SealKey     spec.SealKey
	DecisionKey string
	Mode        string // optional; spec.ModeTest for test mode
	Journal     Journal
	Drafts      Drafts
	Random      io.Reader
	Now         func() time.Time
	// Statuses and StatusURL, the address below which status lists are served, such as "https://writ.acme.example/v1/status/".
	// Optional: without either a draft that asks for status entries is refused.
	Statuses  Statuses
	StatusURL string
}

// Issuer issues. It is safe for concurrent use.
type Issuer struct{ Options }

// New makes an issuer.
func New(o Options) (*Issuer, error) {
	if o.Journal == nil || o.Drafts == nil || o.Random == nil || o.Now == nil {
		return nil, errors.New("issuer: Journal, Drafts, Random and Now must be set")
	}
	return &Issuer{o}, nil
}

// clockSkew is how far an approval's own time may lie ahead of ours.
const clockSkew = 10 * time.Second

// Propose keeps a content for approval: a mandate, a roster version or a policy version, unsigned and without approvals. What it leaves out of
// @context, type, id, salt, ledger, log and issuer is filled in, and so are list and index of status entries that name a purpose
// alone. Nothing is logged and nothing is granted by it.
func (i *Issuer) Propose(ctx context.Context, org string, content jcs.Value) (spec.Draft, error) {
	full, err := i.complete(content)
	if err != nil {
		return spec.Draft{}, err
	}
	doc, err := spec.FromValue(full)
	if err != nil {
		return spec.Draft{}, err
	}
	if doc.Signed() {
		return spec.Draft{}, spec.Refuse("draft-signed", "/proof", "a draft carries no proof")
	}
	if a, _ := spec.Approvals(full); len(a) > 0 {
		return spec.Draft{}, spec.Refuse("draft-signed", "/evidence", "a draft carries no approvals")
	}
	d := spec.Draft{Org: org, Created: i.Now()}
	if err := i.admit(ctx, org, doc, &d); err != nil {
		return spec.Draft{}, err
	}
	if full, err = i.placeStatus(ctx, org, full); err != nil {
		return spec.Draft{}, err
	}
	d.Content, d.Body = spec.ContentDigest(full), full.Canonical()
	return d, i.Drafts.PutDraft(ctx, d)
}

// admit refuses a draft that could never be issued.
func (i *Issuer) admit(ctx context.Context, org string, doc spec.Document, d *spec.Draft) error {
	if doc.Mode() != i.Mode {
		return spec.Refuse("mode-other", "", "a test document and a live ledger never mix")
	}
	switch b := doc.Body.(type) {
	case *spec.Roster:
		d.ID, d.Kind = b.ID, spec.KindRoster
		if b.Terms().Log != i.Ledger.Log {
			return spec.Refuse("ledger-other", "/credentialSubject/roster/log", "this log is %s", i.Ledger.Log)
		}
		return i.listed(b.Terms())
	case *spec.Policy:
		d.ID, d.Kind = b.ID, spec.KindPolicy
		return i.admitPolicy(ctx, org, b)
	case *spec.Mandate:
		d.ID, d.Kind = b.ID, spec.KindMandate
		return i.admitMandate(ctx, org, b)
	}
	return spec.Refuse("type-unknown", "/type", "a mandate, a roster or a policy is wanted")
}

func (i *Issuer) admitMandate(ctx context.Context, org string, m *spec.Mandate) error {
	if !m.IsRoot() {
		return spec.Refuse("child-approvers", "", "a delegated mandate is signed by its grantor, not approved")
	}
	if m.Terms().Ledger != i.Ledger {
		return spec.Refuse("ledger-other", "/credentialSubject/mandate/ledger", "this ledger is %s with %s", i.Ledger.Verifier, i.Ledger.Log)
	}
	roster, err := i.Journal.RosterState(ctx, org, m.Terms().Grantor.ID)
	if err != nil {
		return notFoundAs(err, "roster-unknown", "the grantor has no roster here")
	}
	if err := i.listed(roster.Newest().Terms()); err != nil {
		return err
	}
	if !roster.Newest().Terms().MayIssue(m.Issuer) {
		return spec.Refuse("issuer-unknown", "/issuer", "the issuer is the grantor or one of its seals")
	}
	if _, err := i.namedPolicies(ctx, org, m); err != nil {
		return err
	}
	if err := i.templatesKnown(ctx, org, m); err != nil {
		return err
	}
	return spec.CheckFeasible(m, roster.InForce(i.Now()))
}

// listed says whether the grantor knows this server's own keys.
func (i *Issuer) listed(t *spec.RosterTerms) error {
	if l, ok := t.Ledger(i.Ledger.Verifier); !ok || l.Key != i.DecisionKey {
		return spec.Refuse("ledger-unknown", "/credentialSubject/roster/ledgers", "the roster does not list this ledger's key")
	}
	if s, ok := t.Seal(i.SealKey.ID); !ok || s != i.SealKey {
		return spec.Refuse("seal-unknown", "/credentialSubject/roster/seals", "the roster does not list this server's seal")
	}
	return nil
}

// complete fills in what a content may leave to the server.
func (i *Issuer) complete(content jcs.Value) (jcs.Value, error) {
	if content.Kind() != jcs.Object {
		return content, spec.Refuse("member-type", "", "a content is an object")
	}
	kind, terms := "MandateCredential", "mandate"
	if _, ok := content.Lookup("/credentialSubject/roster"); ok {
		kind, terms = "RosterCredential", "roster"
	}
	if _, ok := content.Lookup("/credentialSubject/policy"); ok {
		kind, terms = "PolicyCredential", "policy"
	}
	urn, salt, err := i.draw()
	if err != nil {
		return content, err
	}
	defaults := spec.NewEnvelope(kind, urn, i.Seal)
	for name, value := range map[string]any{"@context": defaults.Context, "type": defaults.Type, "id": defaults.ID, "issuer": defaults.Issuer} {
		if content, err = orElse(content, name, value); err != nil {
			return content, err
		}
	}
	subject, _ := content.Member("credentialSubject")
	inner, ok := subject.Member(terms)
	if !ok {
		return content, spec.Refuse("member-missing", "/credentialSubject/"+terms, "a content has terms")
	}
	if inner, err = orElse(inner, "salt", salt); err != nil {
		return content, err
	}
	name, value := "ledger", any(i.Ledger)
	if terms != "mandate" {
		name, value = "log", i.Ledger.Log
	}
	if inner, err = orElse(inner, name, value); err != nil {
		return content, err
	}
	return content.With("credentialSubject", subject.With(terms, inner)), nil
}

func orElse(object jcs.Value, name string, value any) (jcs.Value, error) {
	if _, ok := object.Member(name); ok {
		return object, nil
	}
	v, err := jcs.ValueOf(value)
	return object.With(name, v), err
}

func (i *Issuer) draw() (urn, salt string, err error) {
	var random [42]byte
	if _, err := io.ReadFull(i.Random, random[:]); err != nil {
		return "", "", err
	}
	return spec.UUIDv7(i.Now(), [10]byte(random[:10])), jcs.EncodeBase64(random[10:]), nil
}

// Approve takes one person's word on a content that waits: a mandate, a roster version, a policy version, or a mandate that is suspended. When it
// is the last one needed the credential is issued with it. Only what the content's own approvers sign is taken.
func (i *Issuer) Approve(ctx context.Context, org string, data []byte) (spec.Logged, error) {
	doc, a, err := i.parseApproval(data)
	if err != nil {
		return spec.Logged{}, err
	}
	switch a.Kind {
	case spec.KindMandate, spec.KindRoster, spec.KindPolicy:
		return i.approveDraft(ctx, org, doc, a)
	case spec.KindResume:
		return i.approveResume(ctx, org, doc, a)
	}
	return spec.Logged{}, spec.Refuse("approval-kind", "/kind", "approvals of this kind are not taken here")
}

func (i *Issuer) parseApproval(data []byte) (spec.Document, *spec.Approval, error) {
	doc, err := spec.Parse(data)
	if err != nil {
		return doc, nil, err
	}
	a, ok := doc.Body.(*spec.Approval)
	switch {
	case !ok:
		return doc, nil, spec.Refuse("type-unknown", "/type", "an approval is wanted")
	case a.Mode != i.Mode:
		return doc, nil, spec.Refuse("mode-other", "/mode", "a test document and a live ledger never mix")
	case a.At.After(i.Now().Add(clockSkew)):
		return doc, nil, spec.Refuse("approval-future", "/at", "the approval says that it was signed in the future")
	}
	return doc, a, nil
}

func (i *Issuer) approveDraft(ctx context.Context, org string, doc spec.Document, a *spec.Approval) (spec.Logged, error) {
	kept, err := i.Drafts.DraftByContent(ctx, org, a.Content)
	if err != nil {
		return spec.Logged{}, notFoundAs(err, "not-found", "no draft with this content")
	}
	draft, err := spec.Parse(kept.Body)
	if err != nil {
		return spec.Logged{}, err
	}
	if a.Kind != kept.Kind {
		return spec.Logged{}, spec.Refuse("approval-kind", "/kind", "the content is a %s", kept.Kind)
	}
	op := spec.Op{Org: org, Document: doc.Digest}
	var needs spec.Needs
	switch b := draft.Body.(type) {
	case *spec.Mandate:
		needs, err = i.openMandate(ctx, org, b, kept.Content, &op)
	case *spec.Roster:
		needs, err = i.openRoster(ctx, org, b, kept.Content, &op)
	case *spec.Policy:
		needs, err = i.openPolicy(ctx, org, b, kept.Content, &op)
	}
	if err != nil {
		return spec.Logged{}, err
	}
	d := Draft{Needs: needs, Content: draft.Value}
	return i.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		return d.Next(doc, states, now)
	})
}

func (i *Issuer) openMandate(ctx context.Context, org string, m *spec.Mandate, content string, op *spec.Op) (spec.Needs, error) {
	roster, err := i.Journal.RosterState(ctx, org, m.Terms().Grantor.ID)
	if err != nil {
		return spec.Needs{}, err
	}
	policies, err := i.namedPolicies(ctx, org, m)
	if err != nil {
		return spec.Needs{}, err
	}
	op.Write = []spec.ChainRef{mandateRef(m, content)}
	op.Read = append([]spec.ChainRef{rosterRef(roster)}, policies...)
	return spec.NeedsOfMandate(m, content), nil
}

// openRoster finds who judges a roster version: the version before, or the first version itself, whose chain begins here.
func (i *Issuer) openRoster(ctx context.Context, org string, r *spec.Roster, content string, op *spec.Op) (spec.Needs, error) {
	t := r.Terms()
	if t.Version == 1 {
		op.Write = []spec.ChainRef{{Content: content, Kind: spec.KindRoster, Salt: t.Salt, Log: t.Log}}
		return spec.NeedsOfRoster(r, r, content), nil
	}
	state, err := i.Journal.RosterState(ctx, org, t.Grantor)
	if err != nil {
		return spec.Needs{}, notFoundAs(err, "roster-unknown", "the grantor has no roster here")
	}
	op.Write = []spec.ChainRef{rosterRef(state)}
	return spec.NeedsOfRoster(state.Newest(), r, content), nil
}

// ApproveSupplement takes one person's word on what an interim decision proposes; decision is its digest.
func (i *Issuer) ApproveSupplement(ctx context.Context, org, decision string, data []byte) (spec.Logged, error) {
	doc, a, err := i.parseApproval(data)
	if err != nil {
		return spec.Logged{}, err
	}
	if a.Kind != spec.KindSupplement {
		return spec.Logged{}, spec.Refuse("approval-kind", "/kind", "a supplement is what waits here")
	}
	d, op, err := i.openSupplement(ctx, org, decision, a.Content)
	if err != nil {
		return spec.Logged{}, err
	}
	op.Document = doc.Digest
	return i.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		return d.Next(doc, states, now)
	})
}

// Proposals are the supplements that an interim decision proposes, as their approvers sign them, with what each needs.
func (i *Issuer) Proposals(ctx context.Context, org, decision string) ([]Draft, error) {
	rec, err := i.Journal.Record(ctx, org, decision)
	if err != nil {
		return nil, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return nil, spec.Refuse("not-found", "", "no decision with this digest")
	}
	states, err := i.Journal.States(ctx, org, mandateRefs(d.Mandates), nil)
	if err != nil {
		return nil, err
	}
	var drafts []Draft
	for n := range d.Missing {
		draft, err := proposal(rec.Document, d, n, states)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, draft)
	}
	return drafts, nil
}

func (i *Issuer) openSupplement(ctx context.Context, org, decision, content string) (Draft, spec.Op, error) {
	drafts, err := i.Proposals(ctx, org, decision)
	if err != nil {
		return Draft{}, spec.Op{}, err
	}
	n := slices.IndexFunc(drafts, func(d Draft) bool { return d.Needs.Content == content })
	if n < 0 {
		return Draft{}, spec.Op{}, spec.Refuse("proposal-unknown", "/content", "the decision proposes nothing with this content")
	}
	roster, err := i.Journal.RosterState(ctx, org, drafts[n].Needs.Grantor)
	if err != nil {
		return Draft{}, spec.Op{}, err
	}
	rec, err := i.Journal.Record(ctx, org, decision)
	if err != nil {
		return Draft{}, spec.Op{}, err
	}
	d := rec.Document.Body.(*spec.Decision)
	base := d.Missing[n].Mandate
	op := spec.Op{Org: org, Write: mandateRefs([]string{base}), Read: []spec.ChainRef{rosterRef(roster)}, Decisions: []string{decision}}
	for _, m := range d.Mandates {
		if m != base {
			op.Read = append(op.Read, mandateRefs([]string{m})...)
		}
	}
	return drafts[n], op, nil
}

func proposal(doc spec.Document, d *spec.Decision, n int, states spec.States) (Draft, error) {
	owner, root := states.ByContent(d.Missing[n].Mandate), states.ByContent(d.Mandates[0])
	if owner == nil || root == nil || owner.Mandate == nil || root.Mandate == nil {
		return Draft{}, spec.Refuse("not-found", "", "no such chain here")
	}
	sup, err := spec.Propose(doc, n, owner.Mandate)
	if err != nil {
		return Draft{}, err
	}
	content := spec.ContentDigest(sup.Value)
	p := &spec.Proposal{Content: content, Recovery: int(d.Missing[n].Recovery), Lifts: d.Missing[n].Lifts, Action: d.Action}
	return Draft{Needs: spec.NeedsOfSupplement(owner.Mandate, root.Mandate, p), Content: sup.Value}, nil
}

func mandateRef(m *spec.Mandate, content string) spec.ChainRef {
	return spec.ChainRef{Content: content, Kind: spec.KindMandate, Salt: m.Terms().Salt, Log: m.Terms().Ledger.Log}
}

func mandateRefs(contents []string) []spec.ChainRef {
	var all []spec.ChainRef
	for _, c := range contents {
		all = append(all, spec.ChainRef{Content: c, Kind: spec.KindMandate})
	}
	return all
}

func rosterRef(s *spec.State) spec.ChainRef {
	return spec.ChainRef{Content: s.Content, Kind: spec.KindRoster}
}

func notFoundAs(err error, reason, detail string) error { return notFoundAt(err, reason, "", detail) }

// notFoundAt is notFoundAs with the place that named what is not there.
func notFoundAt(err error, reason, place, detail string) error {
	var e *spec.Error
	if errors.As(err, &e) && e.Reason == "not-found" {
		return spec.Refuse(reason, place, "%s", detail)
	}
	return err
}
