package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

const (
	presentationLife = time.Minute      // longest from a presentation's created to its expires
	clockSkew        = 10 * time.Second // how far in the future a presentation may have been created
)

// opened is a request whose documents hold: a Case for Decide and the operation that runs it.
type opened struct {
	Case
	op    spec.Op
	proof vc.Proof
	said  spec.Document // the executor's commit, where it was read early
}

// open judges everything of a request that needs no lock, in the order of protocol.md 9.1: request, identity, ledger,
// authenticity, approvals, and what is presented beside the mandates. What fails here is an error and leaves nothing.
func (v *Verifier) open(ctx context.Context, r Request) (*opened, error) {
	doc, p, err := v.parsePresentation(r.Presentation, r.Read.Presentation)
	if err != nil {
		return nil, err
	}
	o := &opened{Case: Case{Mode: v.Mode, Epoch: v.Epoch, Verifier: v.DID, Identity: spec.IdentityPresented, Agent: p.Holder,
		ActionValue: p.Action, Request: p.Request, Presentation: doc.Digest, ExecuteWithin: v.ExecuteWithin, Seen: v.seen(), Env: spec.CurrentEnv()}}
	if r.Hosted {
		o.Identity = spec.IdentityHosted
	}
	if o.Action, err = spec.ParseAction(p.Action); err != nil {
		return nil, err
	}
	if o.ID, err = v.newID(); err != nil {
		return nil, err
	}
	if err := v.openChain(p.Mandates(), o); err != nil {
		return nil, err
	}
	v.early(ctx, r, o)
	if err := v.identity(doc, p, o); err != nil {
		return nil, err
	}
	return o, v.finish(ctx, r, doc, o)
}

// finish is what a new request and a resumed one share: ledger, authenticity, approvals, presented credentials, commit, and the
// operation.
func (v *Verifier) finish(ctx context.Context, r Request, presentation spec.Document, o *opened) error {
	if err := v.ledger(&o.Case); err != nil {
		return err
	}
	roster, err := v.authenticity(ctx, r.Org, o)
	if err != nil {
		return err
	}
	if o.Credentials, err = OpenCredentials(presentation.Body.(*spec.Presentation).Presented(), o.Mandates, v.Mode); err != nil {
		return err
	}
	if o.Templates, err = readTemplates(o.Mandates, v.template(ctx, r.Org)); err != nil {
		return err
	}
	o.Roster = roster.NewestContent()
	o.Owner = v.Trust().Owner(o.Action.Resource)
	var contents []string
	for _, m := range o.Mandates {
		contents = append(contents, m.Content)
	}
	if o.RequestDigest, err = spec.RequestDigest(o.Agent, contents, o.ActionValue, o.Request); err != nil {
		return err
	}
	o.op = spec.Op{Org: r.Org, Key: spec.RequestKey{Leaf: o.leaf().Content, Key: o.Request.IdempotencyKey, Body: o.RequestDigest},
		Resume: o.Resumes, Write: refs(o.Mandates), Read: []spec.ChainRef{{Content: roster.Content, Kind: spec.KindRoster}},
		Attach: []spec.Document{presentation}}
	if err := v.openPolicies(ctx, r.Org, o); err != nil {
		return err
	}
	return v.commit(r, roster, o)
}

// parse reads a document from its value, where somebody has read it strictly already, or from its bytes.
func parse(data []byte, read vc.Value) (spec.Document, error) {
	if read.IsZero() {
		return spec.Parse(data)
	}
	return spec.FromValue(read)
}

func (v *Verifier) parsePresentation(data []byte, read vc.Value) (spec.Document, *spec.Presentation, error) {
	doc, err := parse(data, read)
	if err != nil {
		return doc, nil, err
	}
	p, ok := doc.Body.(*spec.Presentation)
	if !ok {
		return doc, nil, spec.Refuse("type-unknown", "/type", "a presentation is wanted")
	}
	return doc, p, v.checkMode(p.Mode, "/mode")
}

// openChain reads the presented mandates, root first.
func (v *Verifier) openChain(credentials []jcs.Value, o *opened) error {
	for i, c := range credentials {
		place := fmt.Sprintf("/verifiableCredential/%d", i)
		m, err := v.judged.parse(c)
		if err != nil {
			return presented(place, err)
		}
		if err := v.checkMode(m.Body.Subject.Mode, place); err != nil {
			return err
		}
		o.Mandates = append(o.Mandates, m)
	}
	return nil
}

// presented names the two refusals that callers most need to understand.
func presented(place string, err error) error {
	var e *spec.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := e.Reason
	if reason == "member-missing" && len(e.Pointer) > len(subjectAt) && e.Pointer[:len(subjectAt)] == subjectAt {
		reason = "mandate-incomplete"
	}
	return &spec.Error{Reason: reason, Pointer: place + e.Pointer, Detail: e.Detail}
}

const subjectAt = "/credentialSubject/mandate"

// identity: the presentation is signed by the leaf's subject, for this ledger, over this very action. Its age is judged later,
// at ledger time, and only for a request that is not known yet.
func (v *Verifier) identity(doc spec.Document, p *spec.Presentation, o *opened) error {
	if o.leaf().Body.Subject.ID != p.Holder {
		return notEntitled("holder-other")
	}
	key, err := did.KeyOf(p.Holder)
	if err != nil {
		return notEntitled("subject-key")
	}
	if err := spec.CheckSignature(doc, key, did.MethodID(p.Holder), did.Authentication); err != nil {
		return notEntitled(reasonOf(err))
	}
	if o.proof, err = vc.ReadProof(doc.Value); err != nil {
		return err
	}
	if !v.addressed(o.proof) {
		return notEntitled("presentation-audience")
	}
	return nil
}

// fresh judges the presentation's age at ledger time.
func (o *opened) fresh(now time.Time) error {
	p := o.proof
	if p.Expires.IsZero() || p.Expires.Sub(p.Created) > presentationLife || p.Expires.Before(p.Created) {
		return spec.Refuse("presentation-life", "/proof/expires", "a presentation lives for at most %s", presentationLife)
	}
	if !isOfNow(p, now) {
		return spec.Refuse("presentation-stale", "/proof/expires", "the presentation is not of now; sign it anew")
	}
	return nil
}

// ledger: this verifier keeps the mandate's account, and the caller asked this verifier.
func (v *Verifier) ledger(c *Case) error {
	if !v.keeps(c.root().Body.Terms().Ledger, c.Request.Ledger) {
		return spec.Refuse("ledger-other", "/request/ledger", "this verifier is not the mandate's ledger")
	}
	return nil
}

// authenticity: the chains exist here, the root's grantor is pinned by the relying party, the envelopes are sealed by who may,
// and the approvals that they carry are enough under the roster that was in force.
func (v *Verifier) authenticity(ctx context.Context, org string, o *opened) (*spec.State, error) {
	grantor := o.root().Body.Terms().Grantor.ID
	roster, err := v.Journal.RosterState(ctx, org, grantor)
	if isNotFound(err) {
		return nil, notEntitled("roster-unknown")
	}
	if err != nil {
		return nil, err
	}
	if roster.Content != v.Trust().Roster(grantor) {
		return nil, notEntitled("roster-not-pinned")
	}
	if l, ok := roster.Newest().Terms().Ledger(v.DID); !ok || l.Key != v.Key {
		return nil, spec.Refuse("ledger-unknown", "", "the grantor's roster does not list this ledger's key")
	}
	states, err := v.Journal.States(ctx, org, refs(o.Mandates), nil)
	if isNotFound(err) {
		return nil, notEntitled("chain-unknown")
	}
	if err != nil {
		return nil, err
	}
	for i, m := range o.Mandates {
		s := states.ByContent(m.Content)
		if s == nil || s.Mandate == nil {
			return nil, notEntitled("chain-unknown")
		}
		if err := v.judged.once(m, roster, func() error { return v.envelope(ctx, org, o, i, roster) }); err != nil {
			return nil, err
		}
	}
	return roster, nil
}

// envelope judges one presented credential: the seal and the approvals of a root, the issuer's signature of a child.
func (v *Verifier) envelope(ctx context.Context, org string, o *opened, i int, roster *spec.State) error {
	m := o.Mandates[i]
	if !m.Body.IsRoot() {
		if i == 0 {
			return notEntitled("child-parent")
		}
		return entitled(checkChildSignature(m.doc, o.Mandates[i-1].Body))
	}
	approvals, at, err := v.loggedApprovals(ctx, org, m)
	if err != nil {
		return err
	}
	if err := checkSeal(m.doc, roster.InForce(at)); err != nil {
		return notEntitled(reasonOf(err))
	}
	_, err = spec.CheckApprovals(spec.NeedsOfMandate(m.Body, m.Content), approvals, roster.InForce(at))
	return entitled(err)
}

// loggedApprovals are the approvals that the envelope carries, each with its ledger time; one that was never logged counts for
// nothing here, so it is refused. at is the ledger time of the mandate.
func (v *Verifier) loggedApprovals(ctx context.Context, org string, m Mandate) ([]spec.LoggedApproval, time.Time, error) {
	docs, err := spec.Approvals(m.doc.Value)
	if err != nil {
		return nil, time.Time{}, notEntitled(reasonOf(err))
	}
	var logged []spec.LoggedApproval
	var last time.Time
	for _, d := range docs {
		r, err := v.Journal.Record(ctx, org, d.Digest)
		if isNotFound(err) {
			return nil, last, notEntitled("approval-not-logged")
		}
		if err != nil {
			return nil, last, err
		}
		logged = append(logged, spec.LoggedApproval{Document: d, At: r.At})
		if r.At.After(last) {
			last = r.At
		}
	}
	return logged, last, nil
}

// checkSeal asks the roster of when the mandate was issued: a later rotation of the seal takes nothing back.
func checkSeal(d spec.Document, then []*spec.Roster) error {
	if len(then) == 0 {
		return spec.Refuse("roster-unknown", "", "no roster was in force")
	}
	return sealedBy(d, then[0].Terms().Seal)
}

func checkChildSignature(d spec.Document, parent *spec.Mandate) error {
	key, err := did.KeyOf(parent.Subject.ID)
	if err != nil {
		return err
	}
	return spec.CheckSignature(d, key, did.MethodID(parent.Subject.ID), did.AssertionMethod)
}

// entitled hides why.
func entitled(err error) error {
	if err == nil {
		return nil
	}
	return notEntitled(reasonOf(err))
}

// early begins to verify the executor's signature beside the agent's. It judges nothing: a document remembers by which keys it was
// verified, and commit asks for it again at its place.
func (v *Verifier) early(ctx context.Context, r Request, o *opened) {
	if len(r.Commit) == 0 && r.Read.Commit.IsZero() {
		return
	}
	doc, err := parse(r.Commit, r.Read.Commit)
	if err != nil {
		return
	}
	roster, err := v.Journal.RosterState(ctx, r.Org, o.root().Body.Terms().Grantor.ID)
	if err != nil {
		return
	}
	o.said = doc
	executor, agent, force := o.Request.Executor, o.Agent, roster.InForce(v.Now())
	go func() { _ = checkExecutor(doc, executor, agent, force) }() // commit waits where this has begun, and begins where it has not
}

// commit takes the executor's word that it will execute at once.
func (v *Verifier) commit(r Request, roster *spec.State, o *opened) error {
	if len(r.Commit) == 0 && r.Read.Commit.IsZero() {
		return nil
	}
	doc, err := o.said, error(nil)
	if doc.Value.IsZero() {
		if doc, err = parse(r.Commit, r.Read.Commit); err != nil {
			return err
		}
	}
	c, ok := doc.Body.(*spec.Commit)
	if !ok {
		return spec.Refuse("type-unknown", "/type", "a commit is wanted")
	}
	if c.Request != o.RequestDigest || c.Action != spec.ActionDigest(o.ActionValue) || c.Executor != o.Request.Executor || c.Mode != v.Mode {
		return spec.Refuse("commit-other", "/commit", "the commit is for another request")
	}
	if err := checkExecutor(doc, o.Request.Executor, o.Agent, roster.InForce(v.Now())); err != nil {
		return entitled(err)
	}
	o.Commit = doc.Digest
	o.op.Attach = append(o.op.Attach, doc)
	return nil
}

// checkExecutor verifies an executor's signature: by the key that every roster version in force lists, or by the agent where it is
// the executor.
func checkExecutor(d spec.Document, executor, agent string, force []*spec.Roster) error {
	if executor == agent {
		key, err := did.KeyOf(agent)
		if err != nil {
			return err
		}
		return spec.CheckSignature(d, key, did.MethodID(agent), did.AssertionMethod)
	}
	for _, r := range force {
		e, ok := r.Terms().Executor(executor)
		if !ok {
			return spec.Refuse("executor-unknown", "/executor", "the roster lists no such executor")
		}
		key, err := did.ParseMultikey(e.Key)
		if err != nil {
			return err
		}
		if err := spec.CheckSignature(d, key, e.DID+"#"+e.Key, did.AssertionMethod); err != nil {
			return err
		}
	}
	return nil
}

// reopen rebuilds a waiting request from its interim decision and the presentation that the journal kept. Its age is not judged
// again; the chain, the roster and the approvals are, as they are now.
func (v *Verifier) reopen(ctx context.Context, org, interim string) (*opened, error) {
	rec, err := v.Journal.Record(ctx, org, interim)
	if err != nil {
		return nil, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok || d.Final() {
		return nil, spec.Refuse("recovery-unknown", "", "no interim decision with this digest")
	}
	pres, err := v.Journal.Beside(ctx, org, interim, d.Inputs.Presentation)
	if err != nil {
		return nil, err
	}
	p := pres.Body.(*spec.Presentation)
	o := &opened{Case: Case{Mode: d.Mode, Epoch: v.Epoch, Verifier: v.DID, Identity: d.Identity, Agent: d.Agent,
		ActionValue: d.Action, Request: d.Request, Presentation: d.Inputs.Presentation, ExecuteWithin: v.ExecuteWithin,
		Seen: v.seen(), Env: spec.CurrentEnv(), Resumes: interim, ReceivedAt: d.ReceivedAt.Time}}
	if o.Action, err = spec.ParseAction(d.Action); err != nil {
		return nil, err
	}
	if o.ID, err = v.newID(); err != nil {
		return nil, err
	}
	if err := v.openChain(p.Mandates(), o); err != nil {
		return nil, err
	}
	var commit []byte
	if d.Inputs.Commit != "" {
		c, err := v.Journal.Beside(ctx, org, interim, d.Inputs.Commit)
		if err != nil {
			return nil, err
		}
		commit = c.Bytes()
	}
	return o, v.finish(ctx, Request{Org: org, Commit: commit}, pres, o)
}

func (v *Verifier) seen() *spec.Seen {
	if v.Seen == nil {
		return nil
	}
	return v.Seen()
}

func (v *Verifier) newID() (string, error) {
	var random [10]byte
	if _, err := io.ReadFull(v.Random, random[:]); err != nil {
		return "", err
	}
	return spec.UUIDv7(v.Now(), random), nil
}

func refs(mandates []Mandate) []spec.ChainRef {
	var all []spec.ChainRef
	for _, m := range mandates {
		t := m.Body.Terms()
		all = append(all, spec.ChainRef{Content: m.Content, Kind: spec.KindMandate, Salt: t.Salt, Log: t.Ledger.Log})
	}
	return all
}

func isNotFound(err error) bool { return err != nil && reasonOf(err) == "not-found" }

// judgedCache remembers mandates by the hash of their whole bytes and the roster version that judged them, so that the hot path checks
// one signature. Only what passed is kept, so strangers fill nothing; it forgets everything when it is full.
type judgedCache struct {
	mu     sync.Mutex
	parsed map[[32]byte]Mandate
	passed map[judgedKey]bool
	bytes  int // of what is parsed
}

type judgedKey struct {
	bytes  [32]byte
	roster string
}

// maxJudged bounds the cache, in canonical bytes of mandates: in memory they take about ten times as much.
const maxJudged = 8 << 20

func (c *judgedCache) parse(v jcs.Value) (Mandate, error) {
	sum := sha256.Sum256(v.Canonical())
	c.mu.Lock()
	m, ok := c.parsed[sum]
	c.mu.Unlock()
	if ok {
		return m, nil
	}
	doc, err := spec.FromValue(v)
	if err != nil {
		return Mandate{}, err
	}
	if _, ok := doc.Body.(*spec.Supplement); ok {
		return Mandate{}, spec.Refuse("supplement-alone", "", "a supplement lifts its own decision only, and is presented to nobody")
	}
	body, ok := doc.Body.(*spec.Mandate)
	if !ok {
		return Mandate{}, spec.Refuse("type-unknown", "/type", "a mandate is wanted")
	}
	return Mandate{Content: spec.ContentDigest(v), Body: body, doc: doc, sum: sum}, nil
}

func (c *judgedCache) once(m Mandate, roster *spec.State, judge func() error) error {
	key := judgedBy(m, roster)
	c.mu.Lock()
	ok := c.passed[key]
	c.mu.Unlock()
	if ok {
		return nil
	}
	if err := judge(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes += len(m.doc.Bytes()); c.passed == nil || c.bytes > maxJudged {
		c.parsed, c.passed, c.bytes = map[[32]byte]Mandate{}, map[judgedKey]bool{}, len(m.doc.Bytes())
	}
	c.parsed[m.sum], c.passed[key] = m, true
	return nil
}
