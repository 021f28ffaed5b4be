package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// A rehearsal plays the steps of a test file on a ledger in memory, by the rules of the real one: verifier.Decide decides, and
// spec.States.Apply says what may follow and what it comes to. The persons of the roster keep their names, grades and powers, but
// have keys that the rehearsal makes, so that it can give their word. Nothing of it is worth anything outside.
type rehearsal struct {
	*trialLedger
	folder  string            // of the test file: its paths begin there
	content map[string]string // of each mandate, by the path that the file gives it
	keyOf   map[string]string // id of a key of each person
	asked   map[string]*asked // by the name of the step

	credentials map[string]jcs.Value // by the path that the file gives each
}

// asked is a request of a step, and its newest decision.
type asked struct {
	verifier.Case
	document spec.Document
	decision *spec.Decision
}

// came is what a step came to.
type came struct {
	Outcome string   `json:"outcome"`          // as testStep.Expect has it
	Reason  string   `json:"reason,omitempty"` // of the first check that does not pass, or of the refusal
	Lifts   []string `json:"lifts,omitempty"`
	Check   string   `json:"check,omitempty"`  // that does not pass
	Detail  string   `json:"detail,omitempty"` // what it says
}

// newRehearsal reads the files that a test file names. Its errors are *testFileError.
func newRehearsal(sys *system, f *testFile, at lines, folder string) (*rehearsal, error) {
	r := &rehearsal{trialLedger: &trialLedger{states: spec.States{}, executor: f.Executor, within: 15 * time.Minute}, folder: folder,
		content: map[string]string{}, keyOf: map[string]string{}, asked: map[string]*asked{}, credentials: map[string]jcs.Value{}}
	for _, take := range []func(*system, *testFile) (place string, err error){r.takeMandates, r.takeRoster, r.takePolicies, r.takeTemplates,
		r.takeCredentials, r.takeWithin} {
		if place, err := take(sys, f); err != nil {
			return nil, &testFileError{at.of(place), err}
		}
	}
	return r, nil
}

func (r *rehearsal) path(name string) string {
	return filepath.Join(r.folder, filepath.FromSlash(name))
}

// each takes files, and says which of them was refused.
func (r *rehearsal) each(place string, files []string, take func(i int, path string) error) (string, error) {
	for i, name := range files {
		if err := take(i, r.path(name)); err != nil {
			return fmt.Sprintf("%s/%d", place, i), err
		}
	}
	return "", nil
}

func (r *rehearsal) takeMandates(sys *system, f *testFile) (string, error) {
	return r.each("/mandates", f.Mandates, func(i int, path string) error {
		doc, m, err := readContent[*spec.Mandate](sys, path, "a mandate")
		if err != nil {
			return err
		}
		r.content[f.Mandates[i]] = spec.ContentDigest(doc.Value)
		return r.keepMandate(doc, m)
	})
}

func (r *rehearsal) takePolicies(sys *system, f *testFile) (string, error) {
	names := r.chain[0].Body.Terms().Policies
	if len(names) != len(f.Policies) {
		return "/policies", fmt.Errorf("cannot be played: the root mandate names %d policies, and policies has a version of %d", len(names), len(f.Policies))
	}
	return r.each("/policies", f.Policies, func(i int, path string) error { return r.addPolicyFile(sys, path, names[i]) })
}

func (r *rehearsal) takeTemplates(sys *system, f *testFile) (string, error) {
	place, err := r.each("/templates", f.Templates, func(_ int, path string) error { return r.addTemplate(sys, path) })
	if ref, missing := r.withoutTemplate(); err == nil && missing {
		return "/templates", fmt.Errorf("cannot be played: a mandate names the template %q, %s, and templates has no file of it", ref.Title.En, ref.Digest)
	}
	return place, err
}

// takeCredentials reads the form of each as JSON: what the ledger would say of it, the step says that presents it.
func (r *rehearsal) takeCredentials(sys *system, f *testFile) (string, error) {
	for i, s := range f.Steps {
		place, err := r.each(fmt.Sprintf("/steps/%d/credentials", i), s.Credentials, func(j int, path string) error {
			data, err := readInput(sys, path, maxTrustBytes)
			if err != nil {
				return &exit{exitUnchecked, err}
			}
			if r.credentials[s.Credentials[j]], err = jcs.ParseDocument(data); err != nil {
				return foreign(path, "a credential", data, err)
			}
			return nil
		})
		if err != nil {
			return place, err
		}
	}
	return "", nil
}

func (r *rehearsal) takeWithin(_ *system, f *testFile) (place string, err error) {
	if f.ExecuteWithin != "" {
		r.within, err = spec.ParseDuration(f.ExecuteWithin)
	}
	return "/executeWithin", err
}

// takeRoster puts the grantor's roster in force: that of the file, by which the root mandate must be one that its approvers can issue,
// or one of the persons whom the mandates name.
func (r *rehearsal) takeRoster(sys *system, f *testFile) (string, error) {
	if f.Roster == "" {
		doc, err := r.standIn()
		if err != nil {
			return "", err
		}
		return r.enlist(sys, f, doc, doc.Body.(*spec.Roster))
	}
	doc, body, err := readContent[*spec.Roster](sys, r.path(f.Roster), "a roster")
	if err != nil {
		return "/roster", err
	}
	if err := r.feasible(body); err != nil {
		return "/mandates/0", fmt.Errorf("%s: %w", f.Mandates[0], err)
	}
	return r.enlist(sys, f, doc, body)
}

func (r *rehearsal) enlist(sys *system, f *testFile, doc spec.Document, body *spec.Roster) (string, error) {
	r.roster = spec.ContentDigest(doc.Value) // the trust file pins this one
	c := verifyCmd{Roster: f.Roster, Trust: f.Trust}
	if f.Trust != "" {
		c.Trust = r.path(f.Trust)
	}
	if err := c.openTrust(sys, r.trialLedger, body); err != nil {
		return "/trust", err
	}
	doc, err := r.rekeyed(body)
	if err != nil {
		return "/roster", err
	}
	return "/roster", r.enrol(doc)
}

// standIn is a roster of the approvers whom the mandates name, for a test that is about limits and not about people.
func (r *rehearsal) standIn() (spec.Document, error) {
	root := r.chain[0].Body
	t := root.Terms()
	var names []string
	for _, m := range r.chain {
		names = append(names, m.Body.Terms().Grantor.Approvers...)
		for _, clause := range m.Body.Terms().Recovery {
			names = append(names, clause.Approvers...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		names = []string{"nobody"} // a roster is of somebody
	}
	if r.executor == "" {
		r.executor = exampleExecutor
	}
	key, err := signerOf("stand-in")
	if err != nil {
		return spec.Document{}, err
	}
	multikey := key.Public().Multikey()
	body := &spec.Roster{Envelope: spec.NewEnvelope("RosterCredential", exampleID, t.Grantor.ID)}
	body.ValidFrom = root.ValidFrom
	body.Subject = spec.RosterSubject{ID: t.Grantor.ID, Mode: root.Subject.Mode, Roster: spec.RosterTerms{Grantor: t.Grantor.ID,
		Salt: jcs.EncodeBase64(make([]byte, 32)), Log: t.Ledger.Log, Version: 1, ChangeThreshold: 1,
		Powers:    []spec.Power{{Actions: t.Actions, Persons: names, Threshold: 1}},
		Seals:     []spec.SealKey{{ID: t.Grantor.ID + "#seal", Key: multikey}},
		Ledgers:   []spec.PartyKey{{DID: t.Ledger.Verifier, Key: multikey}},
		Executors: []spec.Executor{{DID: r.executor, Key: multikey, Role: "system-of-record"}}}}
	for _, name := range names {
		body.Subject.Roster.Persons = append(body.Subject.Roster.Persons, spec.Person{Person: name, Name: name, Keys: []spec.PersonKey{
			{ID: t.Grantor.ID + "#" + name, PublicKey: multikey, Kind: "key", Grade: spec.GradeQualified}}})
	}
	return spec.New(body)
}

// exampleExecutor executes where nobody says who does.
const exampleExecutor = "did:web:executor.example"

// rekeyed is the roster with a key of the rehearsal's own in place of each person's.
func (r *rehearsal) rekeyed(body *spec.Roster) (spec.Document, error) {
	changed := *body
	changed.Evidence = nil
	t := changed.Terms()
	if r.executor == "" && len(t.Executors) > 0 {
		r.executor = t.Executors[0].DID
	}
	t.Persons = slices.Clone(t.Persons)
	for i, p := range t.Persons {
		t.Persons[i].Keys = slices.Clone(p.Keys)
		for j, k := range p.Keys {
			key, err := signerOf(k.ID)
			if err != nil {
				return spec.Document{}, err
			}
			t.Persons[i].Keys[j].PublicKey = key.Public().Multikey()
			if k.CompromisedSince.IsZero() {
				r.keyOf[p.Person] = k.ID
			}
		}
	}
	return spec.New(&changed)
}

// signerOf makes the rehearsal's key of this id: anybody can, so it is worth nothing.
func signerOf(id string) (*keys.Signer, error) {
	seed := sha256.Sum256([]byte("writ test\n" + id))
	return keys.Generate(keys.Ed25519, bytes.NewReader(seed[:]))
}

// play does what the step says, at its time. The error is a mistake in the file.
func (r *rehearsal) play(s *testStep) (came, error) {
	at := s.At
	if at.IsZero() {
		at = spec.At(r.last)
	}
	r.last = at.Time
	switch before := r.asked[s.of()]; {
	case before != nil && before.decision == nil:
		return came{Outcome: stepRefused, Reason: "decision-unknown", Detail: "the step got no decision"}, nil
	case !s.Action.IsZero():
		return r.ask(s, at)
	case s.Lift != "":
		return r.again(before, at, r.lift(before, at))
	case s.Decline != "":
		return r.again(before, at, r.decline(before, at))
	case s.Expire != "":
		return r.again(before, at, before.waits())
	case s.Begin != "":
		return outcome(r.begin(before, at))
	case s.Report != nil:
		return r.report(before, s.Report, at)
	}
	return outcome(r.status(s, at))
}

// outcome is what came of something that is recorded or refused.
func outcome(err error) (came, error) {
	if err == nil {
		return came{Outcome: stepRecorded}, nil
	}
	return refusedWith(err)
}

// refusedWith is a refusal as a step's outcome. What has no reason is an error of the run.
func refusedWith(err error) (came, error) {
	var hidden *verifier.NotEntitledError
	var e *spec.Error
	switch {
	case errors.As(err, &hidden):
		return came{Outcome: stepRefused, Reason: hidden.Reason}, nil
	case errors.As(err, &e):
		return came{Outcome: stepRefused, Reason: e.Reason, Detail: e.Detail}, nil
	}
	return came{}, err
}

// ask decides a new request.
func (r *rehearsal) ask(s *testStep, at spec.Time) (came, error) {
	t := trial{At: at, Action: s.Action}
	action, err := r.fill(&t)
	if err != nil {
		return came{}, under("/action", err)
	}
	c, err := r.caseOf(action, t)
	if err != nil {
		return came{}, err
	}
	for _, path := range s.Credentials {
		t.Credentials = append(t.Credentials, r.credentials[path])
	}
	if c.Credentials, err = r.present(t.Credentials); err != nil {
		return refusedWith(err)
	}
	a := &asked{Case: c}
	if s.Name != "" {
		r.asked[s.Name] = a
	}
	end, err := r.answer(a, at)
	if err == nil && end.Outcome == spec.Authorized && !s.Hold {
		err = r.settle(a.document, a.decision, action, at)
	}
	return end, err
}

// answer runs Decide and applies what it says.
func (r *rehearsal) answer(a *asked, at spec.Time) (came, error) {
	docs, err := verifier.Decide(a.Case, r.states, at.Time)
	if err != nil {
		return refusedWith(err)
	}
	if err := r.apply(docs[0], at); err != nil {
		return refusedWith(err)
	}
	a.document, a.decision = docs[0], docs[0].Body.(*spec.Decision)
	return cameOf(a.decision), nil
}

func cameOf(d *spec.Decision) came {
	end := came{Outcome: d.Result}
	if i := slices.IndexFunc(d.Checks, func(c spec.Check) bool { return c.Outcome != spec.Pass }); i >= 0 {
		end.Check, end.Reason, end.Detail = d.Checks[i].Check, d.Checks[i].Reason, d.Checks[i].Detail
	}
	for _, m := range d.Missing {
		for _, l := range m.Lifts {
			end.Lifts = append(end.Lifts, liftText(l.Constraint, l.MaxOver))
		}
	}
	for _, u := range d.Usage {
		if u.Lift != "" {
			end.Lifts = append(end.Lifts, u.Constraint+" "+u.Lift+" "+u.Unit)
		}
	}
	return end
}

// liftText is a lift as test files write it: "daily 700.00 EUR", or the constraint alone where people approve the action as a whole.
func liftText(constraint string, over rule.Money) string {
	if over.Currency == "" {
		return constraint
	}
	return constraint + " " + over.Value() + " " + over.Currency
}

// again decides a waiting request anew, unless what came before it was refused.
func (r *rehearsal) again(a *asked, at spec.Time, before error) (came, error) {
	if before != nil {
		return refusedWith(before)
	}
	r.decided++
	a.ID = fmt.Sprintf("urn:uuid:00000000-0000-7000-8000-%012x", r.decided)
	a.Resumes, a.ReceivedAt = a.document.Digest, a.decision.ReceivedAt.Time
	end, err := r.answer(a, at)
	if err == nil && end.Outcome == spec.Authorized {
		err = r.settle(a.document, a.decision, a.Action, at)
	}
	return end, err
}

// waits refuses a request that is decided for good.
func (a *asked) waits() error {
	if a.decision.Result != spec.CollectMissing {
		return spec.Refuse("proposal-closed", "", "the request does not wait for people: it is %s", a.decision.Result)
	}
	return nil
}

// lift has as many persons as each clause needs approve what the interim decision proposes.
func (r *rehearsal) lift(a *asked, at spec.Time) error {
	if err := a.waits(); err != nil {
		return err
	}
	for i, m := range a.decision.Missing {
		supplement, base, err := r.proposal(a, i)
		if err != nil {
			return err
		}
		var approvals []spec.Document
		for _, person := range m.Approvers[:min(int(m.Threshold), len(m.Approvers))] {
			word, err := r.word(person, spec.Approve, spec.KindSupplement, spec.ContentDigest(supplement.Value), base.Subject.Mode, at,
				spec.LiftLines(rule.English, base, m.Lifts, a.decision.Action))
			if err != nil {
				return err
			}
			approvals = append(approvals, word)
		}
		issued, err := spec.FromValue(spec.WithApprovals(supplement.Value, approvals))
		if err != nil {
			return err
		}
		if err := r.apply(issued, at); err != nil {
			return err
		}
	}
	return nil
}

// decline has one person say no to the first proposal.
func (r *rehearsal) decline(a *asked, at spec.Time) error {
	if err := a.waits(); err != nil {
		return err
	}
	supplement, base, err := r.proposal(a, 0)
	if err != nil {
		return err
	}
	m := a.decision.Missing[0]
	_, err = r.word(m.Approvers[0], spec.Decline, spec.KindSupplement, spec.ContentDigest(supplement.Value), base.Subject.Mode, at,
		spec.LiftLines(rule.English, base, m.Lifts, a.decision.Action))
	return err
}

func (r *rehearsal) proposal(a *asked, i int) (spec.Document, *spec.Mandate, error) {
	m := slices.IndexFunc(r.chain, func(m verifier.Mandate) bool { return m.Content == a.decision.Missing[i].Mandate })
	base := r.chain[m].Body
	doc, err := spec.Propose(a.document, i, base)
	return doc, base, err
}

// word applies a person's signed word on a content, and returns it.
func (r *rehearsal) word(person, decision, kind, content, mode string, at spec.Time, shown []string) (spec.Document, error) {
	id, ok := r.keyOf[person]
	if !ok {
		return spec.Document{}, spec.Refuse("approver-unknown", "", "the roster has no key of %s", person)
	}
	key, err := signerOf(id)
	if err != nil {
		return spec.Document{}, err
	}
	doc, err := spec.New(&spec.Approval{Type: "MandateApproval", Version: spec.Version, Mode: mode, Kind: kind, Content: content,
		Decision: decision, Approver: id, At: at, Expires: spec.At(at.Add(time.Hour)), Nonce: "writ-test",
		Shown: spec.Shown(rule.Catalogue, string(rule.English), shown)})
	if err != nil {
		return doc, err
	}
	v, err := vc.Sign(doc.Value, vc.ProofOptions{VerificationMethod: id, Purpose: did.CapabilityDelegation, Created: at.Time}, key)
	if err != nil {
		return doc, err
	}
	if doc, err = doc.WithValue(v); err != nil {
		return doc, err
	}
	return doc, r.apply(doc, at)
}

func (r *rehearsal) begin(a *asked, at spec.Time) error {
	return r.applyBody(&spec.Begin{Type: "Begin", Version: spec.Version, Mode: a.Mode, Decision: a.document.Digest,
		Action: spec.ActionDigest(a.ActionValue), Executor: a.Request.Executor, At: at, Nonce: "writ-test"}, at)
}

func (r *rehearsal) report(a *asked, said *testReport, at spec.Time) (came, error) {
	body := &spec.Report{Type: "Report", Version: spec.Version, Mode: a.Mode, Decision: a.document.Digest, Action: spec.ActionDigest(a.ActionValue),
		PayloadDigest: a.Action.PayloadDigest(), Outcome: said.Outcome, Final: !said.Partial, At: at}
	if !said.Amount.IsZero() {
		amount, err := rule.ParseMoney(said.Amount)
		if err != nil {
			return came{}, under("/report/amount", err)
		}
		body.Amount = &amount
	}
	return outcome(r.applyBody(body, at))
}

func (r *rehearsal) applyBody(body spec.Body, at spec.Time) error {
	doc, err := spec.New(body)
	if err != nil {
		return err
	}
	return r.apply(doc, at)
}

// status suspends, revokes, or resumes by the word of as many of the root's approvers as it needs.
func (r *rehearsal) status(s *testStep, at spec.Time) error {
	content := r.content[s.mandate()]
	mode := r.chain[0].Body.Subject.Mode
	if s.Resume == "" {
		act := spec.ActSuspend
		if s.Revoke != "" {
			act = spec.ActRevoke
		}
		return r.applyBody(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Mode: mode, Content: content, Act: act,
			By: "writ-test", At: at, Nonce: "writ-test"}, at)
	}
	root := r.chain[0].Body
	g := root.Terms().Grantor
	for _, person := range g.Approvers[:min(int(g.Threshold), len(g.Approvers))] {
		if _, err := r.word(person, spec.Approve, spec.KindResume, content, mode, at,
			spec.ActLines(rule.English, spec.KindResume, content, root.Name)); err != nil {
			return err
		}
	}
	return nil
}

// named puts the files' own names in place of content digests.
func (r *rehearsal) named(c came) came {
	for path, content := range r.content {
		c.Detail = strings.ReplaceAll(c.Detail, content, path)
	}
	return c
}
