package verifier

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
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
	// Unchecked says that this build cannot tell: the decision rests on tables that it does not have.
	Unchecked = "could not check"
	// NotReached says that it was asked, and that a verdict before it, on which it rests, does not hold.
	NotReached = "not reached"
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
	// Signatures is how many the verdicts rest on: of documents and presented credentials, by each key that had to fit, and of the
	// checkpoint. It is the same whatever was audited before.
	Signatures int `json:"signatures,omitempty"`
}

// CheckOptions say what is asked. The zero value asks the default.
type CheckOptions struct {
	// Expect is the receipt's outcome or the decision's result that must be shown, such as executed or AUTHORIZED.
	Expect string
	// Test lets documents of test mode pass with a test trust file; live ones never do then.
	Test bool
}

// lateAfter is how long after its own time a document may be logged without remark (protocol.md 14.5).
const lateAfter = 10 * time.Minute

// CheckBundle verifies a bundle from its bytes and the trust file alone: it calls nobody and reads no clock. The verdicts stop at
// the first that fails, since the later ones rest on it.
func CheckBundle(data []byte, trust *Trust, o CheckOptions) Checked {
	return check(data, trust, o, read).out
}

// check is CheckBundle with a way to read documents.
func check(data []byte, trust *Trust, o CheckOptions, read func(jcs.Value) readDocument) *checking {
	c := &checking{trust: trust, options: o, states: spec.States{}, read: read}
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
		if s.name == Usage && c.bundle.Head != nil {
			s.run = c.usageProven
		}
		v := c.verdict(s.name, s.run)
		c.out.Holds = c.out.Holds && (v.Outcome == Holds || v.Outcome == NotAsked)
		c.out.Verdicts = append(c.out.Verdicts, v)
	}
	c.replaced()
	c.out.Signatures = c.cosigned + c.verifications()
	return c
}

// verdict runs one step; nil is one that nobody asked for.
func (c *checking) verdict(name string, run func() error) Verdict {
	switch {
	case run == nil:
		return Verdict{Name: name, Outcome: NotAsked}
	case !c.out.Holds:
		return Verdict{Name: name, Outcome: NotReached}
	}
	if err := run(); err != nil {
		return failed(name, err)
	}
	v := Verdict{Name: name, Outcome: Holds}
	switch name {
	case Anchored:
		v.Detail = c.newest()
	case Usage:
		v.Detail = c.standing()
	}
	return v
}

func failed(name string, err error) Verdict {
	v := Verdict{Name: name, Outcome: Fails, Reason: "internal", Detail: err.Error()}
	var e *spec.Error
	var l *log.Error
	var n *NotEntitledError
	switch {
	case errors.As(err, &e):
		v.Reason, v.Pointer, v.Detail = e.Reason, e.Pointer, e.Detail
		if e.Reason == "env-unknown" {
			v.Outcome = Unchecked
		}
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
	read    func(jcs.Value) readDocument
	out     Checked

	bundle       Bundle
	presentation spec.Document
	commit       spec.Document
	receipt      spec.Document
	mandates     []Mandate
	approvals    []spec.Document // that the root mandate carries
	credentials  []Presented
	templates    Templates
	rosters      []spec.Document
	policies     []spec.Document
	events       []event // every logged document, in log order
	decision     spec.Document
	interim      []spec.Document
	origin       string // of the checkpoint
	named        string // the log that the mandates name: the same, or the first that it carries on
	successors   []*spec.Entry
	epoch        int64 // of the newest decision that was looked at
	checkpoint   []byte
	head         log.Checkpoint // the same, read
	cosigned     int            // signatures of the checkpoint
	presented    int            // signatures of presented credentials and status lists that were computed

	shown      map[string]shownHead // by chain, where the bundle has a head
	ends       map[string]chainEnd  // by chain, the bundle's last entry
	headsEntry int64
	relied     string // asserted or replayed

	states   spec.States
	after    spec.States // right after the decision
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
	v, err := jcs.ParseBundle(data)
	if err != nil {
		return err
	}
	if err := v.Decode(&c.bundle); err != nil {
		return err
	}
	if c.bundle.Type != "WritBundle" || c.bundle.Version != spec.Version {
		return spec.Refuse("type-unknown", "/type", "a bundle of version 1 is wanted")
	}
	docs, err := c.documents()
	if err != nil {
		return err
	}
	if err := c.readTemplates(); err != nil {
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
	if err := c.carried(); err != nil {
		return err
	}
	if err := c.oneRequest(); err != nil {
		return err
	}
	return c.chainsGrow()
}

// oneRequest: the interim decisions and the final one are one request, each resuming the one before.
func (c *checking) oneRequest() error {
	before := ""
	for i, d := range append(slices.Clone(c.interim), c.decision) {
		b := d.Body.(*spec.Decision)
		if last := i == len(c.interim); b.Resumes != before || b.Final() != last {
			return spec.Refuse("bundle-decisions", "/decision", "a bundle has the decisions of one request, and the last one alone is final")
		}
		before = d.Digest
	}
	return nil
}

// documents reads every document of the bundle and returns those that must be logged, by digest.
func (c *checking) documents() (map[string]spec.Document, error) {
	b, logged := &c.bundle, map[string]spec.Document{}
	read := func(place string, v jcs.Value, wanted string) (readDocument, error) {
		d := c.read(v)
		err := d.err
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
	for _, alone := range []struct {
		place, wanted string
		value         jcs.Value
		into          *spec.Document
	}{{"/presentation", spec.TypePresentation, b.Presentation, &c.presentation}, {"/commit", spec.TypeCommit, b.Commit, &c.commit},
		{"/receipt", spec.TypeReceipt, b.Receipt, &c.receipt}} {
		if alone.value.IsZero() {
			continue // a presentation never is: its member is required
		}
		d, err := read(alone.place, alone.value, alone.wanted)
		if err != nil {
			return nil, err
		}
		*alone.into = d.Document
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
		{"/rosters", spec.TypeRoster, b.Rosters, true}, {"/policies", spec.TypePolicy, b.Policies, true},
		{"/presentation/verifiableCredential", spec.TypeMandate, c.presentation.Body.(*spec.Presentation).Mandates(), true},
		{"/interim", spec.TypeDecision, b.Interim, true}, {"/supplements", spec.TypeSupplement, b.Supplements, true},
		{"/words", spec.TypeApproval, b.Words, true}, {"/notices", spec.TypeNotice, b.Notices, true}, {"/decision", spec.TypeDecision, one(b.Decision), false},
		{"/begin", spec.TypeBegin, one(b.Begin), false}, {"/reports", spec.TypeReport, b.Reports, true},
	}
}

// keep puts a document, and the approvals that a credential carries, among those that must be logged.
func (c *checking) keep(place string, d readDocument, logged map[string]spec.Document) error {
	switch b := d.Body.(type) {
	case *spec.Roster:
		c.rosters = append(c.rosters, d.Document)
	case *spec.Policy:
		c.policies = append(c.policies, d.Document)
	case *spec.Mandate:
		if len(c.mandates) == 0 {
			c.approvals = d.approvals
		}
		c.mandates = append(c.mandates, Mandate{Content: d.Content(), Body: b, doc: d.Document})
	case *spec.Decision:
		if c.decision = d.Document; place != "/decision" {
			c.interim = append(c.interim, d.Document)
		}
	}
	approvals, err := d.approvals, d.approvalsErr
	if err != nil {
		return placed(place, err)
	}
	for _, a := range append(slices.Clip(approvals), d.Document) {
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

// included follows the entry's proof to the root.
func (c *checking) included(l LoggedAt, e *event) error {
	index, leaf, err := c.inTree(l.Entry, l.Proof)
	e.index, e.leaf = index, jcs.FormatDigest(leaf)
	return err
}

// chainsGrow: ledger time never goes back in the log; along each chain, what is later in the log has a larger seq and, right after an
// entry, names it. A roster's or policy's chain, and a mandate's up to the mandate itself, is here from its first entry on without a
// gap: nobody's word on it is left out.
func (c *checking) chainsGrow() error {
	ends := map[string]chainEnd{}
	accounts, err := c.accountChains()
	if err != nil {
		return err
	}
	for i, e := range c.events {
		place := "/logged/" + strconv.Itoa(i)
		if i > 0 && e.at.Before(c.events[i-1].at) {
			return spec.Refuse("time-backwards", place, "ledger time goes back")
		}
		for _, o := range e.opened {
			h := ends[o.Chain]
			_, shared := accounts[o.Chain]
			if o.Seq <= h.seq || o.Seq == h.seq+1 && o.Previous != h.leaf {
				return spec.Refuse("chain-order", place, "the chain does not grow here")
			}
			if !shared && leftOut(o.Seq, h.seq, h.issued) {
				return spec.Refuse("chain-gap", place, "an entry is left out before this one")
			}
			ends[o.Chain] = chainEnd{o.Seq, e.index, e.leaf, h.issued || e.doc.Type == spec.TypeMandate}
		}
	}
	return c.headed(ends)
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
	var err error
	if c.relied, err = c.replayedHeads(); err != nil {
		return err
	}
	c.cosigned = bytes.Count(c.checkpoint, []byte("\n— "))
	if n := c.cosigned; n > 1 && !c.trust.logs.Witnessed() && c.trust.mirrors == nil {
		return spec.Refuse("checkpoint-lines", "/logged/0/proof", "%d signature lines, and the policy knows one", n)
	}
	if err := c.unretired(); err != nil {
		return err
	}
	if len(c.rosters) == 0 || len(c.mandates) == 0 {
		return spec.Refuse("bundle-incomplete", "", "a bundle has rosters and mandates")
	}
	first := c.rosters[0].Body.(*spec.Roster).Terms()
	if pinned := c.trust.Roster(first.Grantor); pinned == "" || pinned != c.rosters[0].Content() {
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

func decodeSalt(s, place string) (salt [32]byte, err error) {
	if salt, err = jcs.DecodeKey(s); err != nil {
		return salt, spec.Refuse("salt-syntax", place, "a salt is 32 bytes, multibase base64url")
	}
	return salt, nil
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
