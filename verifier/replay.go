package verifier

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// replay folds every logged document through spec.States.Apply in log order, after checking its signature, and runs each decision
// again before it. So the rules of the ledger judge the bundle, not rules of its own.
func (c *checking) replay() error {
	var err error
	c.credentials, err = OpenCredentials(c.presentation.Body.(*spec.Presentation).Presented(), c.mandates, c.mode())
	c.presented = verifiedOf(c.credentials)
	if err != nil {
		return placed("/presentation", err)
	}
	for i, e := range c.events {
		place := "/logged/" + strconv.Itoa(i) + "/document"
		c.states = c.states.At(e.at)
		if err := c.signature(e); err != nil {
			return placed(place, err)
		}
		if err := c.begin(e); err != nil {
			return placed(place, err)
		}
		if d, ok := e.doc.Body.(*spec.Decision); ok {
			if err := c.inEpoch(e, d); err != nil {
				return placed(place, err)
			}
			if err := c.approved(); err != nil {
				return placed(place, err)
			}
			if err := c.restore(d); err != nil {
				return placed(place, err)
			}
			if err := c.again(e, d); err != nil && c.follows == nil {
				c.follows = placed(place, err)
			}
		}
		c.resumed(e)
		next, touched, err := c.amongPolicies(e).Apply(e.doc, e.at)
		if err != nil {
			if _, ok := e.doc.Body.(*spec.Decision); ok && c.follows != nil {
				return c.request() // follows says why
			}
			return placed(place, err)
		}
		if err := c.linked(e, next, touched); err != nil {
			return placed(place, err)
		}
		maps.Copy(c.states, next)
		if e.doc.Digest == c.decision.Digest {
			c.after = maps.Clone(c.states)
		}
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
		content, salt, origin, kind = e.doc.Content(), b.Terms().Salt, b.Terms().Ledger.Log, spec.KindMandate
	case *spec.Approval:
		if b.Kind != spec.KindMandate && b.Kind != spec.KindRoster && b.Kind != spec.KindPolicy || c.states.ByContent(b.Content) != nil {
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
	if origin != c.named {
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
	if p, ok := c.firstPolicy(content); ok && p.Terms().Version == 1 {
		return p.Terms().Salt, p.Terms().Log
	}
	if r := c.rosters[0]; r.Content() == content {
		t := r.Body.(*spec.Roster).Terms()
		return t.Salt, t.Log
	}
	return "", ""
}

// linked: the entry's links are exactly the chains that the document is an event of.
func (c *checking) linked(e event, next spec.States, touched []string) error {
	if len(touched) != len(e.entry.Links) {
		return spec.Refuse("entry-links", "", "the entry links %d chains, the document changes %d", len(e.entry.Links), len(touched))
	}
	if kind, grantor := next.EntryKind(e.doc); e.entry.Kind != kind || e.entry.Grantor != grantor {
		return spec.Refuse("transparency-missing", "", "the entry does not say in the clear what it must: a %s of %q", kind, grantor)
	}
	d, isDecision := e.doc.Body.(*spec.Decision)
	for i, chain := range touched {
		o := e.opened[i]
		if e.entry.Links[i].Chain != chain {
			return spec.Refuse("entry-links", "", "the entry links another chain than the document changes")
		}
		if _, begins := e.doc.Body.(*spec.Begin); begins && o.Status != spec.StatusActive {
			return spec.Refuse("position-other", "", "begun under a mandate that was not active")
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
		if err := oneAccount(d, s, o); err != nil {
			return err
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
func (c *checking) restore(d *spec.Decision) error {
	for _, p := range d.Positions {
		s := c.states.ByContent(p.Mandate)
		if s == nil {
			continue
		}
		restored := *s
		restored.Seq, restored.Head, restored.Status = p.Seq-1, p.Previous, p.Status
		restored.Holds, restored.Windows = nil, nil
		for range min(p.OpenHolds, spec.MaxOpenHolds) {
			restored.Holds = append(restored.Holds, spec.Hold{Status: spec.HoldEntered})
		}
		for _, u := range d.Usage {
			if u.Mandate == p.Mandate {
				restored.Windows = append(restored.Windows, u.Window())
			}
		}
		c.states[s.Chain] = &restored
	}
	return c.restoreAccounts(d)
}

// resumed lets a begin follow a suspension that people ended: their words are not in a bundle, the status that its entry opens is.
func (c *checking) resumed(e event) {
	if _, ok := e.doc.Body.(*spec.Begin); !ok {
		return
	}
	for _, o := range e.opened {
		if s := c.states[o.Chain]; s != nil && s.Status == spec.StatusSuspended {
			restored := *s
			restored.Status = o.Status
			c.states[o.Chain] = &restored
		}
	}
}

// approved judges the root's approvals anew before each decision, as open does: a roster that came meanwhile may call a key
// compromised since before it approved, and then the mandate authorises nothing any more (protocol.md 9.1, row 5).
func (c *checking) approved() error {
	root := c.mandates[0]
	if !root.Body.IsRoot() {
		return nil // Decide says that the chain does not begin with people
	}
	roster, err := c.roster(root.Body.Terms().Grantor.ID)
	if err != nil {
		return err
	}
	var logged []spec.LoggedApproval
	var last time.Time
	for _, e := range c.events {
		if slices.ContainsFunc(c.approvals, func(a spec.Document) bool { return a.Digest == e.doc.Digest }) {
			logged, last = append(logged, spec.LoggedApproval{Document: e.doc, At: e.at}), e.at
		}
	}
	_, err = spec.CheckApprovals(spec.NeedsOfMandate(root.Body, root.Content), logged, roster.InForce(last))
	return err
}

// again rebuilds the case from the bundle, judges it, and compares byte for byte.
func (c *checking) again(e event, d *spec.Decision) error {
	within, err := spec.ParseDuration(d.Config.ExecuteWithin)
	if err != nil {
		return err
	}
	action, err := spec.ParseAction(d.Action)
	if err != nil {
		return err
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
		Credentials: c.credentials, Templates: c.templates,
		Roster: roster.NewestContent(), Policies: c.policiesInForce(), Owner: c.trust.Owner(action.Resource), ExecuteWithin: within, Resumes: d.Resumes,
		ReceivedAt: c.receivedAt(d), Seen: d.Seen, Env: d.Env}
	if !c.commit.IsZero() {
		x.Commit = c.commit.Digest
	}
	same := false
	judged, err := Judge(x, c.states, e.at)
	if err == nil {
		same, err = isDecision(judged, e.doc)
	}
	if same {
		return nil
	}
	if d.Env != spec.CurrentEnv() {
		return spec.Refuse("env-unknown", "/env", "decided with rules or tables that this build does not have, and here it comes out otherwise")
	}
	if err != nil {
		return err
	}
	return spec.Refuse("decision-other", "", "run again on the same inputs, the decision comes out as %s", judged.Result)
}

// isDecision says whether what was judged is the document, byte for byte. A document is read in its one form, so that equal bodies are
// equal bytes; what is judged is written only where Go keeps apart what may be one document.
func isDecision(judged *spec.Decision, doc spec.Document) (bool, error) {
	d, alike := doc.Body.(*spec.Decision), *judged
	if alike.Action.Equal(d.Action) {
		alike.Action = d.Action
		if reflect.DeepEqual(&alike, d) {
			return true, nil
		}
	}
	written, err := spec.New(judged)
	return err == nil && written.Value.Equal(doc.Value.Without("proof")), err
}

// receivedAt is when a request that an earlier decision left open was received; a new one is received when it is decided.
func (c *checking) receivedAt(d *spec.Decision) time.Time {
	for _, i := range c.interim {
		if i.Digest == d.Resumes {
			return i.Body.(*spec.Decision).ReceivedAt.Time
		}
	}
	return time.Time{}
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
	case *spec.Policy:
		return c.sealed(e.doc, b.Terms().Grantor)
	case *spec.Supplement:
		return c.sealed(e.doc, c.mandates[0].Body.Terms().Grantor.ID)
	case *spec.Decision:
		return c.decided(e.doc, b)
	case *spec.Begin:
		return c.executorSigned(e)
	case *spec.Report:
		return c.executorSigned(e)
	case *spec.Approval:
		return c.approverSigned(e.doc, b, e.at)
	case *spec.Notice:
		r, err := c.roster(c.rosters[0].Body.(*spec.Roster).Terms().Grantor)
		if err != nil {
			return err
		}
		return r.CheckNotice(e.doc, e.at)
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
	if l := c.mandates[0].Body.Terms().Ledger; l.Verifier != d.Verifier || l.Log != c.named {
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

func (c *checking) executorSigned(e event) error {
	d := c.decision.Body.(*spec.Decision)
	r, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	if decisionOf(e.doc) != c.decision.Digest {
		return spec.Refuse("decision-unknown", "/decision", "about another decision")
	}
	return checkSigned(e.doc, d, r, e.at)
}

// approverSigned verifies a word by the roster that judges it; the first roster judges its own.
func (c *checking) approverSigned(doc spec.Document, a *spec.Approval, at time.Time) error {
	judges := []*spec.Roster{c.rosters[0].Body.(*spec.Roster)}
	if r := c.states.Roster(judges[0].Terms().Grantor); r != nil {
		judges = r.InForce(at)
		if key, ok := r.RecoveryKey(a.Approver, at); ok && a.Kind == spec.KindRoster {
			return spec.CheckSignature(doc, key, a.Approver, did.CapabilityDelegation)
		}
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
	if err := c.committed(d); err != nil || c.follows != nil || c.receipt.IsZero() {
		return err
	}
	return placed("/receipt", c.checkReceipt(d))
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
	return placed("/commit", checkExecutor(c.commit, d.Executor, d.Agent, roster.InForce(d.At.Time)))
}

func (c *checking) checkReceipt(d *spec.Decision) error {
	roster, err := c.roster(d.Grantor)
	if err != nil {
		return err
	}
	x := spec.Execution{Decision: c.decision, Role: roleThen(d, roster)}
	reconciled := isReconciled(c.states.ByContent(d.Leaf()), c.decision.Digest)
	for _, e := range c.events {
		x.Follow(e.doc, e.at, reconciled)
	}
	same, err := spec.IsReceipt(c.receipt, x)
	if err != nil {
		return err
	}
	if !same {
		return spec.Refuse("receipt-other", "", "the receipt is not what its documents say")
	}
	if err := ledgerSigned(c.receipt, d.Verifier, roster); err != nil {
		return err
	}
	c.out.Outcome = c.receipt.Body.(*spec.Receipt).Terms().Outcome
	return nil
}
