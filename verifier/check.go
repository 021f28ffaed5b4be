package verifier

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// The verdicts on a bundle, in their order; each is printed apart, since each says another thing.
const (
	Intact    = "intact"       // nothing in the file contradicts anything else in it, down to the log's root
	Anchored  = "anchored"     // the log's key, the first roster and the resource are those of the trust file
	Witnessed = "witnessed"    // the trust file's witnesses saw the checkpoint
	Decided   = "decision"     // people's approvals, the agent's request and the ledger's decision are signed by whom they say
	Follows   = "follows"      // the decision was run again and came out the same
	Usage     = "usage proven" // the totals before the action are shown by the chain or its head
	Executed  = "executed"     // the named executor signed that it executed, and the receipt says so
)

// Outcomes of a verdict.
const (
	Holds    = "holds"
	Fails    = "fails"
	NotAsked = "not asked"
)

// Verdict is one line of the answer.
type Verdict struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	Pointer string `json:"pointer,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Checked is what a bundle shows to one reader.
type Checked struct {
	Holds    bool       `json:"holds"` // every verdict that was asked holds
	Verdicts []Verdict  `json:"verdicts"`
	Trust    string     `json:"trust"` // the trust file's fingerprint
	Result   string     `json:"result,omitempty"`
	Outcome  string     `json:"outcome,omitempty"` // of the receipt
	Late     []string   `json:"late,omitempty"`    // documents logged more than ten minutes after their own time
	At       *spec.Time `json:"at,omitempty"`      // ledger time of the decision
}

// CheckOptions say what is asked. The zero value asks the default.
type CheckOptions struct {
	// Expect is the receipt's outcome or the decision's result that must be shown, such as executed or AUTHORIZED.
	Expect string
	// Test lets documents of test mode pass with a test trust file; live ones never do then.
	Test bool
}

// lateAfter is how long after its own time a document may be logged without remark (documents.md section 1).
const lateAfter = 10 * time.Minute

// CheckBundle verifies a bundle from its bytes and the trust file alone: it calls nobody and reads no clock. The verdicts stop at
// the first that fails, since the later ones rest on it.
func CheckBundle(data []byte, trust *Trust, o CheckOptions) Checked {
	c := &checking{trust: trust, options: o, states: spec.States{}}
	c.out.Trust = trust.Fingerprint()
	steps := []struct {
		name string
		run  func() error
	}{
		{Intact, func() error { return c.intact(data) }}, {Anchored, c.anchored}, {Witnessed, nil}, {Decided, c.replay},
		{Follows, func() error { return c.follows }}, {Usage, nil}, {Executed, nil},
	}
	if trust.logs.Witnessed() {
		steps[2].run = func() error { return nil } // anchored has held the checkpoint against the whole policy
	}
	if o.Expect != "" {
		steps[6].run = c.expected
	}
	c.out.Holds = true
	for _, s := range steps {
		v := Verdict{Name: s.name, Outcome: NotAsked}
		if s.run != nil && c.out.Holds {
			v.Outcome = Holds
			if err := s.run(); err != nil {
				v, c.out.Holds = failed(s.name, err), false
			}
		}
		c.out.Verdicts = append(c.out.Verdicts, v)
	}
	return c.out
}

func failed(name string, err error) Verdict {
	v := Verdict{Name: name, Outcome: Fails, Reason: "internal", Detail: err.Error()}
	var e *spec.Error
	var l *log.Error
	var n *NotEntitledError
	switch {
	case errors.As(err, &e):
		v.Reason, v.Pointer, v.Detail = e.Reason, e.Pointer, e.Detail
	case errors.As(err, &l):
		v.Reason, v.Detail = l.Reason, l.Detail
	case errors.As(err, &n):
		v.Reason, v.Detail = n.Reason, "the action was not the grantor's to allow"
	}
	return v
}

// checking is one run of CheckBundle.
type checking struct {
	trust   *Trust
	options CheckOptions
	out     Checked

	bundle       Bundle
	presentation spec.Document
	commit       spec.Document
	receipt      spec.Document
	mandates     []Mandate
	rosters      []spec.Document
	events       []event // every logged document, in log order
	decision     spec.Document
	origin       string
	checkpoint   []byte

	states   spec.States
	follows  error
	replayed bool
}

// event is one logged document with its opened entry.
type event struct {
	doc    spec.Document
	entry  *spec.Entry
	index  int64
	at     time.Time
	opened []spec.Opening
	leaf   string
}

// intact: the file is strictly formed; every document that is an event is opened by exactly one entry; every entry commits to its
// document and to the states that it opens, and is in the one tree whose root all proofs share; chains are derived from their
// contents, and what is newer in a chain is newer in the log.
func (c *checking) intact(data []byte) error {
	if err := jcs.Unmarshal(data, &c.bundle); err != nil {
		return err
	}
	if c.bundle.Type != "WritBundle" || c.bundle.Version != spec.Version {
		return spec.Refuse("type-unknown", "/type", "a bundle of version 1 is wanted")
	}
	docs, err := c.documents()
	if err != nil {
		return err
	}
	if len(c.bundle.Logged) != len(docs) {
		return spec.Refuse("bundle-logged", "/logged", "%d entries are opened for %d documents", len(c.bundle.Logged), len(docs))
	}
	for i, l := range c.bundle.Logged {
		e, err := c.openEntry(l, docs)
		if err != nil {
			return placed("/logged/"+strconv.Itoa(i), err)
		}
		delete(docs, l.Document)
		if i > 0 && e.index <= c.events[i-1].index {
			return spec.Refuse("bundle-order", "/logged/"+strconv.Itoa(i), "entries are in log order, once each")
		}
		c.events = append(c.events, e)
	}
	return c.chainsGrow()
}

// documents reads every document of the bundle and returns those that must be logged, by digest.
func (c *checking) documents() (map[string]spec.Document, error) {
	b, logged := &c.bundle, map[string]spec.Document{}
	read := func(place string, v jcs.Value, wanted string) (spec.Document, error) {
		d, err := spec.FromValue(v)
		if err == nil && d.Type != wanted {
			err = spec.Refuse("type-unknown", "/type", "a %s is wanted", wanted)
		}
		if err == nil && !d.Signed() {
			err = spec.Refuse("proof-missing", "/proof", "the document is not signed")
		}
		if err == nil && d.Mode() != c.mode() {
			err = spec.Refuse("mode-other", "/mode", "a test document is no live one")
		}
		return d, placed(place, err)
	}
	var err error
	if c.presentation, err = read("/presentation", b.Presentation, spec.TypePresentation); err != nil {
		return nil, err
	}
	if !b.Commit.IsZero() {
		if c.commit, err = read("/commit", b.Commit, spec.TypeCommit); err != nil {
			return nil, err
		}
	}
	if !b.Receipt.IsZero() {
		if c.receipt, err = read("/receipt", b.Receipt, spec.TypeReceipt); err != nil {
			return nil, err
		}
	}
	for _, part := range c.parts() {
		for i, v := range part.values {
			place := part.place
			if part.many {
				place += "/" + strconv.Itoa(i)
			}
			d, err := read(place, v, part.docType)
			if err != nil {
				return nil, err
			}
			if err := c.keep(place, d, logged); err != nil {
				return nil, err
			}
		}
	}
	return logged, nil
}

type part struct {
	place   string
	docType string
	values  []jcs.Value
	many    bool
}

func (c *checking) parts() []part {
	b := &c.bundle
	one := func(v jcs.Value) []jcs.Value {
		if v.IsZero() {
			return nil
		}
		return []jcs.Value{v}
	}
	return []part{
		{"/rosters", spec.TypeRoster, b.Rosters, true},
		{"/presentation/verifiableCredential", spec.TypeMandate, c.presentation.Body.(*spec.Presentation).Credential, true},
		{"/interim", spec.TypeDecision, b.Interim, true}, {"/supplements", spec.TypeSupplement, b.Supplements, true},
		{"/declines", spec.TypeApproval, b.Declines, true}, {"/decision", spec.TypeDecision, one(b.Decision), false},
		{"/begin", spec.TypeBegin, one(b.Begin), false}, {"/reports", spec.TypeReport, b.Reports, true},
	}
}

// keep puts a document, and the approvals that a credential carries, among those that must be logged.
func (c *checking) keep(place string, d spec.Document, logged map[string]spec.Document) error {
	switch b := d.Body.(type) {
	case *spec.Roster:
		c.rosters = append(c.rosters, d)
	case *spec.Mandate:
		c.mandates = append(c.mandates, Mandate{Content: spec.ContentDigest(d.Value), Body: b, doc: d})
	case *spec.Decision:
		c.decision = d // the last one read is the final one
	}
	approvals, err := spec.Approvals(d.Value)
	if err != nil {
		return placed(place, err)
	}
	for _, a := range append(approvals, d) {
		if a.Mode() != c.mode() {
			return spec.Refuse("mode-other", place, "a test document is no live one")
		}
		if _, twice := logged[a.Digest]; twice {
			return spec.Refuse("bundle-repeated", place, "a document is in the bundle once")
		}
		logged[a.Digest] = a
	}
	return nil
}

func (c *checking) mode() string {
	if c.options.Test {
		return spec.ModeTest
	}
	return ""
}

func (c *checking) openEntry(l LoggedAt, docs map[string]spec.Document) (event, error) {
	e := event{doc: docs[l.Document]}
	if e.doc.IsZero() {
		return e, spec.Refuse("bundle-logged", "/document", "the entry opens no document of this bundle")
	}
	var err error
	if e.entry, err = spec.EntryFromValue(l.Entry); err != nil {
		return e, placed("/entry", err)
	}
	salt, err := decodeSalt(l.Salt, "/salt")
	if err != nil {
		return e, err
	}
	if spec.Commitment(salt, e.doc.Digest) != e.entry.Commitment {
		return e, spec.Refuse("entry-commitment", "/salt", "the entry commits to another document")
	}
	if err := c.openStates(l.Opened, &e); err != nil {
		return e, err
	}
	return e, c.included(l, &e)
}

// openStates holds the opened states against the entry: one a link, all of one ledger time.
func (c *checking) openStates(opened []OpenedAt, e *event) error {
	if len(opened) != len(e.entry.Links) {
		return spec.Refuse("entry-opened", "/opened", "every link is opened")
	}
	for i, o := range opened {
		place := "/opened/" + strconv.Itoa(i)
		salt, err := decodeSalt(o.Salt, place+"/salt")
		if err != nil {
			return err
		}
		commitment, err := o.Commitment(salt)
		if err != nil {
			return placed(place, err)
		}
		if l := e.entry.Links[i]; l.Chain != o.Chain || l.Seq != o.Seq || l.State != commitment {
			return spec.Refuse("entry-opened", place, "the opened state is not the one that the entry commits to")
		}
		if i > 0 && !o.At.Equal(e.at) {
			return spec.Refuse("entry-opened", place+"/at", "an entry has one ledger time")
		}
		e.at = o.At.Time
		e.opened = append(e.opened, o.Opening)
	}
	return nil
}

// included follows the proof to the root. Whose log it is, is for anchored to say.
func (c *checking) included(l LoggedAt, e *event) error {
	p, err := log.ParseProof([]byte(l.Proof))
	if err != nil {
		return placed("/proof", asSpec(err))
	}
	cp, err := log.ReadCheckpoint(p.Checkpoint)
	if err != nil {
		return placed("/proof", asSpec(err))
	}
	if len(p.Extra) > 0 || string(p.Marshal()) != l.Proof {
		return spec.Refuse("proof-syntax", "/proof", "a proof in a bundle has no extra and one form")
	}
	if c.checkpoint == nil {
		c.checkpoint, c.origin = p.Checkpoint, cp.Origin
	}
	if !bytes.Equal(c.checkpoint, p.Checkpoint) {
		return spec.Refuse("bundle-checkpoints", "/proof", "all proofs of a bundle end in one checkpoint")
	}
	leaf := log.RecordHash(e.entry.Bytes())
	hashes := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		hashes[i] = p.Hashes[i][:]
	}
	if p.Index < 0 || p.Index >= cp.Size {
		return spec.Refuse("proof-inclusion", "/proof", "the index is not in the tree")
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.Index), uint64(cp.Size), leaf[:], hashes, cp.Root[:]); err != nil {
		return spec.Refuse("proof-inclusion", "/proof", "%v", err)
	}
	e.index, e.leaf = p.Index, spec.LeafHash(e.entry.Bytes())
	return nil
}

// chainsGrow: along each chain, what is later in the log has a larger seq, no earlier time, and right after an entry names it.
func (c *checking) chainsGrow() error {
	type head struct {
		seq  int64
		at   time.Time
		leaf string
	}
	heads := map[string]head{}
	for i, e := range c.events {
		for _, o := range e.opened {
			h, known := heads[o.Chain]
			if known && (o.Seq <= h.seq || e.at.Before(h.at) || o.Seq == h.seq+1 && o.Previous != h.leaf) {
				return spec.Refuse("chain-order", "/logged/"+strconv.Itoa(i), "the chain does not grow here")
			}
			heads[o.Chain] = head{o.Seq, e.at, e.leaf}
		}
	}
	return nil
}

// anchored: the checkpoint is signed as the reader's policy asks, the first roster is the pinned one, and the reader's own map
// says that the resource is the grantor's.
func (c *checking) anchored() error {
	if c.trust.Mode != c.mode() {
		return spec.Refuse("mode-other", "/mode", "test mode is asked of a test trust file only")
	}
	if _, err := c.trust.logs.Verify(c.checkpoint, c.origin); err != nil {
		return err
	}
	if n := bytes.Count(c.checkpoint, []byte("\n— ")); n > 1 && !c.trust.logs.Witnessed() {
		return spec.Refuse("checkpoint-lines", "/logged/0/proof", "%d signature lines, and the policy knows one", n)
	}
	if len(c.rosters) == 0 || len(c.mandates) == 0 {
		return spec.Refuse("bundle-incomplete", "", "a bundle has rosters and mandates")
	}
	first := c.rosters[0].Body.(*spec.Roster).Terms()
	if pinned := c.trust.Roster(first.Grantor); pinned == "" || pinned != spec.ContentDigest(c.rosters[0].Value) {
		return spec.Refuse("roster-not-pinned", "/rosters/0", "the first roster is not the one that the trust file pins for %s", first.Grantor)
	}
	d := c.decision.Body.(*spec.Decision)
	a, err := spec.ParseAction(d.Action)
	if err != nil {
		return placed("/decision/action", err)
	}
	if owner := c.trust.Owner(a.Resource); owner == "" || owner != first.Grantor {
		return spec.Refuse("resource-owner", "/decision/action/resource", "the trust file does not give this resource to %s", first.Grantor)
	}
	return nil
}

// replay folds every logged document through spec.States.Apply in log order, after checking its signature, and runs each decision
// again before it. So the rules of the ledger judge the bundle, not rules of its own.
func (c *checking) replay() error {
	for i, e := range c.events {
		place := "/logged/" + strconv.Itoa(i) + "/document"
		if err := c.signature(e); err != nil {
			return placed(place, err)
		}
		if err := c.begin(e); err != nil {
			return placed(place, err)
		}
		if d, ok := e.doc.Body.(*spec.Decision); ok {
			c.restore(d)
			if err := c.again(e, d); err != nil && c.follows == nil {
				c.follows = placed(place, err)
			}
		}
		next, touched, err := c.states.Apply(e.doc, e.at)
		if err != nil {
			if _, ok := e.doc.Body.(*spec.Decision); ok && c.follows != nil {
				return nil // follows says why
			}
			return placed(place, err)
		}
		if err := c.linked(e, touched); err != nil {
			return placed(place, err)
		}
		c.states = next
		c.late(e)
	}
	return c.request()
}

// begin makes the chains that a document begins, with the ids that their contents derive.
func (c *checking) begin(e event) error {
	var content, salt, origin, kind string
	switch b := e.doc.Body.(type) {
	case *spec.Roster:
		return nil // begun by its first approval
	case *spec.Mandate:
		if b.IsRoot() {
			return nil
		}
		content, salt, origin, kind = spec.ContentDigest(e.doc.Value), b.Terms().Salt, b.Terms().Ledger.Log, spec.KindMandate
	case *spec.Approval:
		if b.Kind != spec.KindMandate && b.Kind != spec.KindRoster || c.states.ByContent(b.Content) != nil {
			return nil
		}
		content, kind = b.Content, b.Kind
		salt, origin = c.saltOf(content)
		if salt == "" {
			return nil // a later roster version: its chain is there, or Apply says that it is not
		}
	default:
		return nil
	}
	if origin != c.origin {
		return spec.Refuse("ledger-other", "", "the content names another log than the one that has it")
	}
	id, err := spec.ChainID(salt, origin, content)
	if err != nil {
		return err
	}
	c.states[id] = &spec.State{Chain: id, Kind: kind, Content: content}
	return nil
}

func (c *checking) saltOf(content string) (salt, origin string) {
	for _, m := range c.mandates {
		if m.Content == content {
			return m.Body.Terms().Salt, m.Body.Terms().Ledger.Log
		}
	}
	if r := c.rosters[0]; spec.ContentDigest(r.Value) == content {
		t := r.Body.(*spec.Roster).Terms()
		return t.Salt, t.Log
	}
	return "", ""
}

// linked: the entry's links are exactly the chains that the document is an event of.
func (c *checking) linked(e event, touched []string) error {
	if len(touched) != len(e.entry.Links) {
		return spec.Refuse("entry-links", "", "the entry links %d chains, the document changes %d", len(e.entry.Links), len(touched))
	}
	d, isDecision := e.doc.Body.(*spec.Decision)
	for i, chain := range touched {
		o := e.opened[i]
		if e.entry.Links[i].Chain != chain {
			return spec.Refuse("entry-links", "", "the entry links another chain than the document changes")
		}
		s := c.states[chain]
		if !isDecision || s == nil {
			continue
		}
		for _, p := range d.Positions {
			if p.Mandate == s.Content && (p.Seq != o.Seq || p.Previous != o.Previous || p.Status != o.Status) {
				return spec.Refuse("position-other", "", "the decision names another place than its entry has")
			}
		}
	}
	return nil
}

// late notes documents that were logged long after the time that they claim.
func (c *checking) late(e event) {
	at := claimed(e.doc)
	if !at.IsZero() && e.at.Sub(at) > lateAfter {
		c.out.Late = append(c.out.Late, e.doc.Digest)
	}
}

func claimed(d spec.Document) time.Time {
	switch b := d.Body.(type) {
	case *spec.Approval:
		return b.At.Time
	case *spec.Begin:
		return b.At.Time
	case *spec.Report:
		return b.At.Time
	}
	return time.Time{}
}

// restore puts the chains where the decision says that it found them: this is what it signed, and follows holds it to it.
func (c *checking) restore(d *spec.Decision) {
	for _, p := range d.Positions {
		s := c.states.ByContent(p.Mandate)
		if s == nil {
			continue
		}
		restored := *s
		restored.Seq, restored.Head, restored.Status = p.Seq-1, p.Previous, p.Status
		restored.Holds, restored.Windows = nil, nil
		for range min(p.OpenHolds, spec.DefaultOpenHolds<<8) {
			restored.Holds = append(restored.Holds, spec.Hold{Status: spec.HoldEntered})
		}
		for _, u := range d.Usage {
			if u.Mandate == p.Mandate {
				restored.Windows = append(restored.Windows, u.Window())
			}
		}
		c.states[s.Chain] = &restored
	}
}

// again rebuilds the case from the bundle, runs Decide, and compares byte for byte.
func (c *checking) again(e event, d *spec.Decision) error {
	within, err := spec.ParseDuration(d.Config.ExecuteWithin)
	if err != nil {
		return err
	}
	action, err := spec.ParseAction(d.Action)
	if err != nil {
		return err
	}
	if d.Env != spec.CurrentEnv() {
		return spec.Refuse("env-unknown", "/env", "decided with rules or tables that this build does not have")
	}
	p := c.presentation.Body.(*spec.Presentation)
	roster := c.states.Roster(c.mandates[0].Body.Terms().Grantor.ID)
	if roster == nil {
		return spec.Refuse("roster-unknown", "", "no roster was in force")
	}
	var contents []string
	for _, m := range c.mandates {
		contents = append(contents, m.Content)
	}
	request, err := spec.RequestDigest(p.Holder, contents, p.Action, p.Request)
	if err != nil {
		return err
	}
	x := Case{ID: d.ID, Mode: d.Mode, Epoch: d.Epoch, Verifier: d.Verifier, Identity: d.Identity, Agent: p.Holder, Mandates: c.mandates,
		Action: action, ActionValue: p.Action, Request: p.Request, RequestDigest: request, Presentation: c.presentation.Digest,
		Roster: roster.NewestContent(), Owner: c.trust.Owner(action.Resource), ExecuteWithin: within, Resumes: d.Resumes,
		ReceivedAt: d.ReceivedAt.Time, Seen: d.Seen}
	if !c.commit.IsZero() {
		x.Commit = c.commit.Digest
	}
	docs, err := Decide(x, c.states, e.at)
	if err != nil {
		return err
	}
	if !docs[0].Value.Equal(e.doc.Value.Without("proof")) {
		return spec.Refuse("decision-other", "", "run again on the same inputs, the decision comes out as %s",
			docs[0].Body.(*spec.Decision).Result)
	}
	return nil
}

// signature verifies each document by the key of the one who must have signed it. Approvals are verified by Apply, with the
// thresholds.
func (c *checking) signature(e event) error {
	switch b := e.doc.Body.(type) {
	case *spec.Roster:
		t := b.Terms()
		return sealedBy(e.doc, t.Seal)
	case *spec.Mandate:
		if b.IsRoot() {
			return c.sealed(e.doc, b.Terms().Grantor.ID)
		}
		parent := c.states.ByContent(b.Terms().Parent)
		if parent == nil || parent.Mandate == nil {
			return spec.Refuse("parent-inactive", "", "the parent is not in the bundle before it")
		}
		return checkChildSignature(e.doc, parent.Mandate)
	case *spec.Supplement:
		return c.sealed(e.doc, c.mandates[0].Body.Terms().Grantor.ID)
	case *spec.Decision:
		return c.decided(e.doc, b)
	case *spec.Begin:
		return c.executorSigned(e.doc)
	case *spec.Report:
		return c.executorSigned(e.doc)
	case *spec.Approval:
		return c.approverSigned(e.doc, b, e.at)
	}
	return nil
}

func (c *checking) roster(grantor string) (*spec.State, error) {
	r := c.states.Roster(grantor)
	if r == nil {
		return nil, spec.Refuse("roster-unknown", "", "no roster of %s was in force", grantor)
	}
	return r, nil
}

func (c *checking) sealed(d spec.Document, grantor string) error {
	r, err := c.roster(grantor)
	if err != nil {
		return err
	}
	return sealedBy(d, r.Newest().Terms().Seal)
}

func sealedBy(d spec.Document, seals func(id string) (spec.SealKey, bool)) error {
	p, err := vc.ReadProof(d.Value)
	if err != nil {
		return err
	}
	seal, ok := seals(p.VerificationMethod)
	if !ok {
		return spec.Refuse("seal-unknown", "/proof/verificationMethod", "the roster lists no such seal")
	}
	key, err := did.ParseMultikey(seal.Key)
	if err != nil {
		return err
	}
	return spec.CheckSignature(d, key, seal.ID, did.AssertionMethod)
}

// decided: the decision is signed by the key that the roster lists for the mandate's own ledger.
func (c *checking) decided(doc spec.Document, d *spec.Decision) error {
	r, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	if l := c.mandates[0].Body.Terms().Ledger; l.Verifier != d.Verifier || l.Log != c.origin {
		return spec.Refuse("ledger-other", "/verifier", "decided by another verifier than the mandate's ledger")
	}
	return ledgerSigned(doc, d.Verifier, r)
}

func ledgerSigned(doc spec.Document, verifier string, roster *spec.State) error {
	ledger, ok := roster.Newest().Terms().Ledger(verifier)
	if !ok {
		return spec.Refuse("ledger-unknown", "/verifier", "the roster lists no such ledger")
	}
	key, err := did.ParseMultikey(ledger.Key)
	if err != nil {
		return err
	}
	return spec.CheckSignature(doc, key, ledger.DID+"#"+ledger.Key, did.AssertionMethod)
}

func (c *checking) executorSigned(doc spec.Document) error {
	d := c.decision.Body.(*spec.Decision)
	r, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	if decisionOf(doc) != c.decision.Digest {
		return spec.Refuse("decision-unknown", "/decision", "about another decision")
	}
	return checkExecutor(doc, d.Executor, d.Agent, r)
}

// approverSigned verifies a word by the roster that judges it; the first roster judges its own.
func (c *checking) approverSigned(doc spec.Document, a *spec.Approval, at time.Time) error {
	judges := []*spec.Roster{c.rosters[0].Body.(*spec.Roster)}
	if r := c.states.Roster(judges[0].Terms().Grantor); r != nil {
		judges = r.InForce(at)
	}
	for _, r := range judges {
		key, ok := r.Terms().Key(a.Approver)
		if !ok {
			return spec.Refuse("approver-unknown", "/approver", "the roster in force has no such key")
		}
		if err := spec.CheckSignature(doc, key, a.Approver, did.CapabilityDelegation); err != nil {
			return err
		}
	}
	return nil
}

// request: the agent signed this request, for this ledger, and it was fresh when it was received; a commit is the executor's.
func (c *checking) request() error {
	p, d := c.presentation.Body.(*spec.Presentation), c.decision.Body.(*spec.Decision)
	key, err := did.KeyOf(p.Holder)
	if err != nil {
		return placed("/presentation/holder", asSpec(err))
	}
	if err := spec.CheckSignature(c.presentation, key, did.MethodID(p.Holder), did.Authentication); err != nil {
		return placed("/presentation", err)
	}
	proof, err := vc.ReadProof(c.presentation.Value)
	if err != nil {
		return err
	}
	if proof.Domain != d.Verifier || p.Request.Ledger != d.Verifier {
		return spec.Refuse("presentation-audience", "/presentation/proof/domain", "presented to another verifier")
	}
	if err := (&opened{proof: proof}).fresh(d.ReceivedAt.Time); err != nil {
		return placed("/presentation", err)
	}
	c.out.Result = d.Result
	c.out.At = &d.At
	c.replayed = true
	return c.committed(d)
}

func (c *checking) committed(d *spec.Decision) error {
	if c.commit.IsZero() {
		return nil
	}
	roster, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	b := c.commit.Body.(*spec.Commit)
	if b.Request != d.Inputs.RequestBody || b.Action != spec.ActionDigest(d.Action) || b.Executor != d.Executor {
		return spec.Refuse("commit-other", "/commit", "the commit is for another request")
	}
	return placed("/commit", checkExecutor(c.commit, d.Executor, d.Agent, roster))
}

// expected: the receipt is what its documents say, signed by the ledger, and its outcome (or the decision's result) is the one
// that the reader asked for.
func (c *checking) expected() error {
	want := c.options.Expect
	if want == c.out.Result {
		return nil
	}
	if c.receipt.IsZero() {
		return spec.Refuse("expect-other", "/receipt", "%s is expected, the decision is %s and there is no receipt", want, c.out.Result)
	}
	d := c.decision.Body.(*spec.Decision)
	if err := c.checkReceipt(d); err != nil {
		return placed("/receipt", err)
	}
	if c.out.Outcome != want {
		return spec.Refuse("expect-other", "/receipt/credentialSubject/receipt/outcome", "%s is expected, the outcome is %s", want, c.out.Outcome)
	}
	return nil
}

func (c *checking) checkReceipt(d *spec.Decision) error {
	roster, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	x := spec.Execution{Decision: c.decision}
	if e, ok := roster.Newest().Terms().Executor(d.Executor); ok && d.Executor != d.Agent {
		x.Role = e.Role
	}
	for _, e := range c.events {
		switch e.doc.Body.(type) {
		case *spec.Decision:
		case *spec.Begin:
			x.Begin = e.doc
		case *spec.Report:
			x.Reports = append(x.Reports, e.doc)
		default:
			continue
		}
		x.LastAt = spec.At(e.at)
	}
	same, err := spec.ReceiptOf(x)
	if err != nil {
		return err
	}
	if !same.Value.Equal(c.receipt.Value.Without("proof")) {
		return spec.Refuse("receipt-other", "", "the receipt is not what its documents say")
	}
	if err := ledgerSigned(c.receipt, d.Verifier, roster); err != nil {
		return err
	}
	c.out.Outcome = c.receipt.Body.(*spec.Receipt).Terms().Outcome
	return nil
}

func decodeSalt(s, place string) (salt [32]byte, err error) {
	b, err := jcs.DecodeBase64(s)
	if err != nil || len(b) != 32 {
		return salt, spec.Refuse("salt-syntax", place, "a salt is 32 bytes, multibase base64url")
	}
	return [32]byte(b), nil
}

// placed puts the place in the bundle in front of the place in the document.
func placed(place string, err error) error {
	var e *spec.Error
	if errors.As(err, &e) {
		return &spec.Error{Reason: e.Reason, Pointer: place + e.Pointer, Detail: e.Detail}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}

// asSpec gives errors of other packages the shape that carries a place.
func asSpec(err error) error {
	var l *log.Error
	if errors.As(err, &l) {
		return spec.Refuse(l.Reason, "", "%s", l.Detail)
	}
	return err
}

// indexOf reads the index out of an opened entry's proof, for sorting on export.
func indexOf(l LoggedAt) int {
	p, err := log.ParseProof([]byte(l.Proof))
	if err != nil {
		return -1
	}
	return int(p.Index)
}
