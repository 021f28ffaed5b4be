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
	Declines     []jcs.Value `json:"declines,omitempty"`
	Commit       jcs.Value   `json:"commit,omitempty"`
	Presentation jcs.Value   `json:"presentation"` // with the mandate chain and its approvals
	Rosters      []jcs.Value `json:"rosters"`      // from the pinned one to the one in force
	Logged       []LoggedAt  `json:"logged"`
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
	RosterState(ctx context.Context, org, grantor string) (*spec.State, error)
	// Following are the begin and the reports of a decision, in log order.
	Following(ctx context.Context, org, decision string) ([]spec.Record, error)
	// Chain are the entries of a chain, in seq order.
	Chain(ctx context.Context, org, content string) ([]spec.Record, error)
}

// exporter gathers a bundle. All proofs end in one checkpoint, so that no two parts of it can come from different logs.
type exporter struct {
	ctx     context.Context
	archive Archive
	org     string
	prove   func(index int64) ([]byte, error)
	bundle  *Bundle
	done    map[string]bool

	mandates map[string]*spec.Mandate // of the presentation, by content
}

// Export writes the bundle of a final decision. prove gives proofs under one checkpoint; receipt is the signed receipt, the zero
// Document for a refused action.
func Export(ctx context.Context, archive Archive, org, decision string, receipt spec.Document, prove func(index int64) ([]byte, error)) ([]byte, error) {
	x := &exporter{ctx: ctx, archive: archive, org: org, prove: prove, done: map[string]bool{}, mandates: map[string]*spec.Mandate{},
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
	last := rec.At
	for _, r := range following {
		last = r.At
	}
	for _, step := range []func() error{func() error { return x.rosters(d, last) }, func() error { return x.presentation(d) },
		func() error { return x.interim(d) }, func() error { return x.log(rec) }, func() error { return x.following(following) }} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(x.bundle.Logged, func(a, b LoggedAt) int { return indexOf(a) - indexOf(b) })
	return jcs.Marshal(x.bundle)
}

// rosters are those from the pinned one to the one in force when the last document was logged.
func (x *exporter) rosters(d *spec.Decision, last time.Time) error {
	state, err := x.archive.RosterState(x.ctx, x.org, d.Grantor)
	if err != nil {
		return err
	}
	for _, v := range state.Versions {
		if v.At.After(last) {
			break
		}
		rec, err := x.archive.Record(x.ctx, x.org, v.Document.Digest)
		if err != nil {
			return err
		}
		x.bundle.Rosters = append(x.bundle.Rosters, rec.Document.Value)
		if err := x.credential(rec.Document); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) presentation(d *spec.Decision) error {
	pres, err := x.archive.Record(x.ctx, x.org, d.Inputs.Presentation)
	if err != nil {
		return err
	}
	x.bundle.Presentation = pres.Document.Value
	for _, v := range pres.Document.Body.(*spec.Presentation).Credential {
		doc, err := spec.FromValue(v)
		if err != nil {
			return err
		}
		if m, ok := doc.Body.(*spec.Mandate); ok {
			x.mandates[spec.ContentDigest(v)] = m
		}
		if err := x.credential(doc); err != nil {
			return err
		}
	}
	if d.Inputs.Commit == "" {
		return nil
	}
	commit, err := x.archive.Record(x.ctx, x.org, d.Inputs.Commit)
	x.bundle.Commit = commit.Document.Value
	return err
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
	return x.answers(rec.Document)
}

// answers are the supplements and declines of an interim decision, found on the chains that own the limits.
func (x *exporter) answers(interim spec.Document) error {
	proposed, err := x.proposed(interim)
	if err != nil {
		return err
	}
	for _, m := range interim.Body.(*spec.Decision).Missing {
		chain, err := x.archive.Chain(x.ctx, x.org, m.Mandate)
		if err != nil {
			return err
		}
		for _, r := range chain {
			if err := x.answer(interim.Digest, proposed, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exporter) answer(interim string, proposed map[string]bool, r spec.Record) error {
	if x.done[r.Document.Digest] {
		return nil
	}
	switch b := r.Document.Body.(type) {
	case *spec.Supplement:
		if b.Terms().Decision == interim {
			x.bundle.Supplements = append(x.bundle.Supplements, r.Document.Value)
			return x.credential(r.Document)
		}
	case *spec.Approval:
		if b.Kind == spec.KindSupplement && b.Decision == spec.Decline && proposed[b.Content] {
			x.bundle.Declines = append(x.bundle.Declines, r.Document.Value)
			return x.log(r)
		}
	}
	return nil
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
		}
		if err := x.log(r); err != nil {
			return err
		}
	}
	return nil
}

// credential logs a credential as the ledger has it and the approvals that the envelope carries.
func (x *exporter) credential(d spec.Document) error {
	approvals, err := spec.Approvals(d.Value)
	if err != nil {
		return err
	}
	for _, a := range append(approvals, d) {
		if x.done[a.Digest] {
			continue
		}
		rec, err := x.archive.Record(x.ctx, x.org, a.Digest)
		if err != nil {
			return err
		}
		if err := x.log(rec); err != nil {
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
	following, err := archive.Following(ctx, org, decision)
	if err != nil {
		return receipt, at, err
	}
	roster, err := archive.RosterState(ctx, org, d.Grantor)
	if err != nil {
		return receipt, at, err
	}
	x := spec.Execution{Decision: rec.Document, LastAt: spec.At(rec.At)}
	x.Role = roleThen(d, roster)
	for _, r := range following {
		x.LastAt = spec.At(r.At)
		if _, ok := r.Document.Body.(*spec.Begin); ok {
			x.Begin = r.Document
		} else {
			x.Reports = append(x.Reports, r.Document)
		}
	}
	receipt, err = spec.ReceiptOf(x)
	return receipt, x.LastAt.Time, err
}

// roleThen is the executor's role in the roster that was in force at the decision: later versions change no receipt.
func roleThen(d *spec.Decision, roster *spec.State) string {
	for _, r := range roster.InForce(d.At.Time) {
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
