package verifier

import (
	"context"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// BundleType is the media type of a bundle.
const BundleType = "application/vnd.writ.bundle+json"

// MaxBundle is the largest bundle, in bytes. Each document inside is one of at most 256 KiB (protocol.md 13.1).
const MaxBundle = jcs.MaxBundle

// Bundle is one self-contained file: everything that an auditor needs to see that one action was allowed and executed, beside a
// trust file (protocol.md 13). It has no extra members.
type Bundle struct {
	Type         string      `json:"type"` // WritBundle
	Version      string      `json:"version"`
	Receipt      jcs.Value   `json:"receipt,omitempty"`
	Reports      []jcs.Value `json:"reports,omitempty"`
	Begin        jcs.Value   `json:"begin,omitempty"`
	Decision     jcs.Value   `json:"decision"`
	Interim      []jcs.Value `json:"interim,omitempty"`
	Supplements  []jcs.Value `json:"supplements,omitempty"`
	Words        []jcs.Value `json:"words,omitempty"`   // of people, that no credential carries: declines, withdrawals, what they withdrew, reconciliations
	Notices      []jcs.Value `json:"notices,omitempty"` // on the roster's chain: vetoes
	Commit       jcs.Value   `json:"commit,omitempty"`
	Presentation jcs.Value   `json:"presentation"`        // with the mandate chain and its approvals
	Templates    []jcs.Value `json:"templates,omitempty"` // of actions, that the mandates name
	Rosters      []jcs.Value `json:"rosters"`             // from the pinned one to the one in force
	Policies     []jcs.Value `json:"policies,omitempty"`  // of each that the root mandate names, from its first version to the one in force
	Logged       []LoggedAt  `json:"logged"`
	Head         *Head       `json:"head,omitempty"`
	// Successors lead from the log that the mandates name to the one whose checkpoint this is, where those are two.
	Successors []SuccessorAt `json:"successors,omitempty"`
}

// LoggedAt opens one log entry: which document it commits to, where it stands, and the state that it left on each chain.
type LoggedAt struct {
	Document string     `json:"document"`
	Entry    jcs.Value  `json:"entry"`
	Salt     string     `json:"salt"`
	Proof    string     `json:"proof"` // C2SP tlog-proof
	Opened   []OpenedAt `json:"opened"`
}

// OpenedAt is an opened state with its salt.
type OpenedAt struct {
	spec.Opening
	Salt string `json:"salt"`
}

// Archive is what exporting a bundle reads.
type Archive interface {
	Record(ctx context.Context, org, digest string) (spec.Record, error)
	// Beside is a document without an entry that was kept beside a decision.
	Beside(ctx context.Context, org, decision, digest string) (spec.Document, error)
	RosterState(ctx context.Context, org, grantor string) (*spec.State, error)
	// States are the chains that refs name, with the holds of the decisions however they stand.
	States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error)
	// Following are the begin and the reports of a decision, and what people said to reconcile its charge, in log order.
	Following(ctx context.Context, org, decision string) ([]spec.Record, error)
	// Chain are the entries of a chain from one seq to another, both included; to 0 is its end.
	Chain(ctx context.Context, org, content string, from, to int64) ([]spec.Record, error)
}

// exporter gathers a bundle. All proofs end in one checkpoint, so that no two parts of it can come from different logs.
type exporter struct {
	ctx     context.Context
	archive Archive
	org     string
	prove   func(index int64) ([]byte, error)
	heads   Heads
	bundle  *Bundle
	done    map[string]bool
	last    time.Time // ledger time of the last document

	mandates map[string]*spec.Mandate // of the presentation, by content
	carried  map[string]bool          // approvals that a credential of the bundle has in its evidence
}

// Export writes the bundle of a final decision. prove gives proofs under one checkpoint; receipt is the signed receipt, the zero
// Document for a refused action. Where shown is not nil and its newest heads entry covers all that the bundle has, the head comes along.
func Export(ctx context.Context, archive Archive, shown Heads, org, decision string, receipt spec.Document, prove func(index int64) ([]byte, error)) ([]byte, error) {
	x := &exporter{ctx: ctx, archive: archive, heads: shown, org: org, prove: prove, done: map[string]bool{}, mandates: map[string]*spec.Mandate{}, carried: map[string]bool{},
		bundle: &Bundle{Type: "WritBundle", Version: spec.Version, Receipt: receipt.Value}}
	rec, err := archive.Record(ctx, org, decision)
	if err != nil {
		return nil, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return nil, spec.Refuse("not-found", "", "no decision with this digest")
	}
	x.bundle.Decision = rec.Document.Value
	following, err := archive.Following(ctx, org, decision)
	if err != nil {
		return nil, err
	}
	x.last = rec.At
	for _, r := range following {
		x.last = r.At
	}
	for _, step := range []func() error{func() error { return x.rosters(d) }, func() error { return x.presentation(decision, d) }, func() error { return x.policies(d) },
		func() error { return x.interim(d) }, func() error { return x.log(rec) }, func() error { return x.following(following) }, x.successors} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(x.bundle.Logged, func(a, b LoggedAt) int { return indexOf(a) - indexOf(b) })
	if err := x.head(rec); err != nil {
		return nil, err
	}
	return jcs.MarshalBundle(x.bundle)
}

// rosters are those from the pinned one to the one in force when the last document was logged, with everything on their chain.
func (x *exporter) rosters(d *spec.Decision) error {
	state, err := x.archive.RosterState(x.ctx, x.org, d.Grantor)
	if err != nil {
		return err
	}
	chain, err := x.upTo(state.Content)
	if err != nil {
		return err
	}
	for _, r := range chain {
		if r.Document.Type == spec.TypeRoster {
			x.bundle.Rosters = append(x.bundle.Rosters, r.Document.Value)
			if err := x.carries(r.Document); err != nil {
				return err
			}
		}
	}
	return x.words(chain)
}

// upTo are the entries of a chain that are no later than the bundle's last document.
func (x *exporter) upTo(content string) ([]spec.Record, error) {
	chain, err := x.archive.Chain(x.ctx, x.org, content, 1, 0)
	if i := slices.IndexFunc(chain, func(r spec.Record) bool { return r.At.After(x.last) }); i >= 0 {
		chain = chain[:i]
	}
	return chain, err
}

// carries notes the approvals that a credential of the bundle has in its evidence.
func (x *exporter) carries(credential spec.Document) error {
	approvals, err := spec.Approvals(credential.Value)
	for _, a := range approvals {
		x.carried[a.Digest] = true
	}
	return err
}

// words logs a stretch of a chain. What people said, and no credential of the bundle carries, comes along by itself.
func (x *exporter) words(chain []spec.Record) error {
	for _, r := range chain {
		switch r.Document.Body.(type) {
		case *spec.Approval:
			if !x.carried[r.Document.Digest] && !x.done[r.Document.Digest] {
				x.bundle.Words = append(x.bundle.Words, r.Document.Value)
			}
		case *spec.Notice:
			x.bundle.Notices = append(x.bundle.Notices, r.Document.Value)
		}
		if err := x.log(r); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) presentation(decision string, d *spec.Decision) error {
	pres, err := x.archive.Beside(x.ctx, x.org, decision, d.Inputs.Presentation)
	if err != nil {
		return err
	}
	x.bundle.Presentation = pres.Value
	var mandates []Mandate
	for _, v := range pres.Body.(*spec.Presentation).Mandates() {
		doc, err := spec.FromValue(v)
		if err != nil {
			return err
		}
		if m, ok := doc.Body.(*spec.Mandate); ok {
			x.mandates[spec.ContentDigest(v)] = m
			mandates = append(mandates, Mandate{Body: m})
		}
		if err := x.issued(doc); err != nil {
			return err
		}
	}
	if err := x.templates(mandates); err != nil {
		return err
	}
	if d.Inputs.Commit == "" {
		return nil
	}
	commit, err := x.archive.Beside(x.ctx, x.org, decision, d.Inputs.Commit)
	x.bundle.Commit = commit.Value
	return err
}

// issued logs a mandate's chain from its first entry to its own.
func (x *exporter) issued(mandate spec.Document) error {
	rec, err := x.archive.Record(x.ctx, x.org, mandate.Digest)
	if err != nil {
		return err
	}
	if err := x.carries(rec.Document); err != nil {
		return err
	}
	chain, err := x.archive.Chain(x.ctx, x.org, spec.ContentDigest(mandate.Value), 1, rec.Entry.Links[0].Seq)
	if err != nil {
		return err
	}
	return x.words(chain)
}

// interim walks back over the decisions that this one resumes, oldest first, with what people answered to each.
func (x *exporter) interim(d *spec.Decision) error {
	if d.Resumes == "" {
		return nil
	}
	rec, err := x.archive.Record(x.ctx, x.org, d.Resumes)
	if err != nil {
		return err
	}
	before := rec.Document.Body.(*spec.Decision)
	if err := x.interim(before); err != nil {
		return err
	}
	x.bundle.Interim = append(x.bundle.Interim, rec.Document.Value)
	if err := x.log(rec); err != nil {
		return err
	}
	return x.answers(rec, d)
}

// answers are the words and supplements that followed an interim decision, until the one that resumes it, on the chains that own the
// limits.
func (x *exporter) answers(interim spec.Record, resumed *spec.Decision) error {
	proposed, err := x.proposed(interim.Document)
	if err != nil {
		return err
	}
	for _, m := range interim.Document.Body.(*spec.Decision).Missing {
		chain, err := x.between(interim, resumed, m.Mandate)
		if err != nil {
			return err
		}
		chain = slices.DeleteFunc(chain, func(r spec.Record) bool {
			return !answers(r.Document, interim.Document.Digest, proposed) || x.done[r.Document.Digest]
		})
		for _, r := range chain {
			if r.Document.Type != spec.TypeSupplement {
				continue
			}
			x.bundle.Supplements = append(x.bundle.Supplements, r.Document.Value)
			if err := x.carries(r.Document); err != nil {
				return err
			}
		}
		if err := x.words(chain); err != nil {
			return err
		}
	}
	return nil
}

// between are the entries of an owner's chain after the interim decision and before the one that resumes it.
func (x *exporter) between(interim spec.Record, resumed *spec.Decision, owner string) ([]spec.Record, error) {
	t := x.mandates[owner].Terms()
	id, err := spec.ChainID(t.Salt, t.Ledger.Log, owner)
	if err != nil {
		return nil, err
	}
	link, _ := interim.Entry.Link(id)
	to := int64(0)
	if i := slices.Index(resumed.Chains(), owner); i >= 0 {
		to = resumed.Positions[slices.Index(resumed.Mandates, owner)].Seq - 1
	}
	if to == link.Seq {
		return nil, nil
	}
	chain, err := x.archive.Chain(x.ctx, x.org, owner, link.Seq+1, to)
	if isNotFound(err) {
		return nil, nil
	}
	return slices.DeleteFunc(chain, func(r spec.Record) bool { return r.At.After(resumed.At.Time) }), err
}

func answers(d spec.Document, interim string, proposed map[string]bool) bool {
	switch b := d.Body.(type) {
	case *spec.Supplement:
		return b.Terms().Decision == interim
	case *spec.Approval:
		return b.Kind == spec.KindSupplement && proposed[b.Content]
	}
	return false
}

// proposed are the contents of the supplements that an interim decision proposed: what its approvers sign.
func (x *exporter) proposed(interim spec.Document) (map[string]bool, error) {
	contents := map[string]bool{}
	for i, m := range interim.Body.(*spec.Decision).Missing {
		base := x.mandates[m.Mandate]
		if base == nil {
			return nil, spec.Refuse("not-found", "/missing", "the owner of the limits is not in the presentation")
		}
		s, err := spec.Propose(interim, i, base)
		if err != nil {
			return nil, err
		}
		contents[spec.ContentDigest(s.Value)] = true
	}
	return contents, nil
}

func (x *exporter) following(records []spec.Record) error {
	for _, r := range records {
		switch r.Document.Body.(type) {
		case *spec.Begin:
			x.bundle.Begin = r.Document.Value
		case *spec.Report:
			x.bundle.Reports = append(x.bundle.Reports, r.Document.Value)
		case *spec.Approval:
			x.bundle.Words = append(x.bundle.Words, r.Document.Value)
		}
		if err := x.log(r); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) log(r spec.Record) error {
	if x.done[r.Document.Digest] || r.Entry == nil {
		return nil
	}
	x.done[r.Document.Digest] = true
	proof, err := x.prove(r.Index)
	if err != nil {
		return err
	}
	entry, err := jcs.ParseDocument(r.Entry.Bytes())
	if err != nil {
		return err
	}
	at := LoggedAt{Document: r.Document.Digest, Entry: entry, Salt: jcs.EncodeBase64(r.Salt[:]), Proof: string(proof)}
	for _, o := range r.Openings {
		salt := r.Seeds[o.Chain].State()
		at.Opened = append(at.Opened, OpenedAt{Opening: o, Salt: jcs.EncodeBase64(salt[:])})
	}
	x.bundle.Logged = append(x.bundle.Logged, at)
	return nil
}

// Receipt makes the unsigned receipt of an authorised action from what the journal has of it. at is the ledger time of the last
// document in it: the receipt is signed with that time, so its bytes are the same each time.
func Receipt(ctx context.Context, archive Archive, org, decision string) (receipt spec.Document, at time.Time, err error) {
	rec, err := archive.Record(ctx, org, decision)
	if err != nil {
		return receipt, at, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return receipt, at, spec.Refuse("not-found", "", "no decision with this digest")
	}
	leaf, err := archive.States(ctx, org, []spec.ChainRef{{Content: d.Leaf(), Kind: spec.KindMandate}}, []string{decision})
	if err != nil {
		return receipt, at, err
	}
	following, err := archive.Following(ctx, org, decision) // behind the states: the word that reconciled is among them
	if err != nil {
		return receipt, at, err
	}
	return receiptOf(ctx, archive, org, rec, following, isReconciled(leaf.ByContent(d.Leaf()), decision))
}

// FirstReceipt is Receipt of a decision as it was just logged, before anything could follow it.
func FirstReceipt(ctx context.Context, archive Archive, org string, decision spec.Record) (receipt spec.Document, at time.Time, err error) {
	return receiptOf(ctx, archive, org, decision, nil, false)
}

func receiptOf(ctx context.Context, archive Archive, org string, rec spec.Record, following []spec.Record, reconciled bool) (
	receipt spec.Document, at time.Time, err error) {
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return receipt, at, spec.Refuse("not-found", "", "no decision with this digest")
	}
	roster, err := archive.RosterState(ctx, org, d.Grantor)
	if err != nil {
		return receipt, at, err
	}
	x := spec.Execution{Decision: rec.Document, Role: roleThen(d, roster)}
	for _, r := range append([]spec.Record{rec}, following...) {
		x.Follow(r.Document, r.At, reconciled)
	}
	receipt, err = spec.ReceiptOf(x)
	return receipt, x.LastAt.Time, err
}

// isReconciled says whether people took the charge of a decision for not executed.
func isReconciled(leaf *spec.State, decision string) bool {
	h := leaf.Hold(decision)
	return h != nil && h.Reconciled
}

// roleThen is the executor's role in the roster that was in force at the decision: later versions and vetoes change no receipt.
func roleThen(d *spec.Decision, roster *spec.State) string {
	for _, r := range roster.InForceThen(d.At.Time) {
		if e, ok := r.Terms().Executor(d.Executor); ok && d.Executor != d.Agent {
			return e.Role
		}
	}
	return ""
}

// indexOf reads the index out of an opened entry's proof, for sorting on export.
func indexOf(l LoggedAt) int {
	p, err := log.ParseProof([]byte(l.Proof))
	if err != nil {
		return -1
	}
	return int(p.Index)
}
