package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// chapters is the story of issue 3. Each step is a method below, in the same order.
func chapters(keep bool) []chapter {
	all := []chapter{
		{"Acme signs its roster", []step{
			{"A ledger starts, with keys, a database and a log of its own", (*story).start},
			{"Treasurer, CFO, agent and bank each make a key; the server never sees them", (*story).makeKeys},
			{"The roster is drafted: payments up to €50,000.00 need 2 of 2", (*story).draftRoster},
			{"The treasurer signs it: not enough", (*story).rosterOnce},
			{"The CFO signs it: it is in force, and everybody may pin it", (*story).rosterTwice},
		}},
		{"Two people mandate an agent", []step{
			{"A mandate that names an intern as its only approver is refused by the roster", (*story).internRefused},
			{"A mandate is drafted: pay AWS up to €10,000.00 a day in Lisbon, 2 of 2", (*story).draftMandate},
			{"One approval issues nothing", (*story).mandateOnce},
			{"The second approval issues it, and it is in the log", (*story).mandateTwice},
		}},
		{"The agent pays, is stopped, and is helped", []step{
			{"It asks for €4,200.00 to AWS: AUTHORIZED, with a hold", (*story).pay},
			{"The bank begins, executes and reports", (*story).executePaid},
			{"It asks for €6,500.00 more: COLLECT_MISSING", (*story).payMore},
			{"The CFO signs what is missing: the request is decided anew by itself", (*story).lift},
			{"The bank begins, executes and reports", (*story).executeLifted},
			{"€50.00 to somebody else: REJECTED", (*story).payStranger},
			{"The presentation is replayed: the same answer, no second hold", (*story).replay},
			{"With one byte changed it is refused", (*story).oneByte},
			{"For an account of another organisation it is refused, and nothing is logged", (*story).foreignAccount},
			{"A second mandate with the same limits is issued", (*story).grantSecond},
			{"A hold that the bank never enters lapses by time and gives the budget back", (*story).lapse},
			{"The bank may not begin any more; its late report is recorded and suspends the mandate", (*story).lateReport},
			{"The two resume it", (*story).resume},
			{"An executor of the agent's own choosing is refused", (*story).ownExecutor},
			{"The mandate is revoked: the next action is REJECTED", (*story).revoke},
		}},
		{"The agent delegates", []step{
			{"A third mandate lets it delegate, €1,000.00 a day", (*story).grantParent},
			{"It delegates €500.00 a day to a sub-agent", (*story).delegate},
			{"The sub-agent pays €300.00, which draws on both budgets", (*story).payBelow},
			{"€300.00 more is beyond its own: REJECTED", (*story).beyondChild},
			{"After €600.00 by the agent itself, €150.00 is beyond the parent's: REJECTED", (*story).beyondParent},
		}},
		{"The evidence is verified without a network", []step{
			{"The receipt is exported with all that it rests on", (*story).export},
			{"writ verify, in a process that reaches nobody", (*story).verifyOffline},
			{"Tampered with in twelve ways, it fails twelve times", (*story).tamper},
			{"With an empty trust file it fails", (*story).emptyTrust},
		}},
	}
	if keep {
		all = append(all, chapter{"The server stays", []step{
			{"An API key with a hosted agent, the subject of a mandate of its own", (*story).hostAgent},
		}})
	}
	return all
}

// 1. Acme signs its roster

func (s *story) start(ctx context.Context) (saw string, err error) {
	if s.server, err = startServer(s.dir); err != nil {
		return "", err
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "data", adminFile))
	if err != nil {
		return "", err
	}
	operator, err := s.client(strings.TrimSpace(string(token)), nil)
	if err != nil {
		return "", err
	}
	if s.ledger, err = operator.Ledger(ctx); err != nil {
		return "", err
	}
	key, err := log.ParseVerifier(s.ledger.Log.Key)
	if err != nil {
		return "", err
	}
	s.policy = log.NewPolicy(key)
	organisation, err := operator.CreateOrganisation(ctx, "Acme")
	if err != nil {
		return "", err
	}
	if s.admin, err = s.client(organisation.Key, nil); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s at %s, log %s", s.ledger.DID, s.server.url, s.ledger.Log.Origin), nil
}

func (s *story) makeKeys(ctx context.Context) (string, error) {
	people, agents, bank, err := s.newKeys()
	if err != nil {
		return "", err
	}
	s.treasurer, s.cfo, s.intern, s.bank = people[0], people[1], people[2], bank
	key, err := s.admin.CreateKey(ctx, "demo", false, api.ScopeIssue, api.ScopeApprove, api.ScopeVerify, api.ScopeExecute, api.ScopeRevoke, api.ScopeRead)
	if err != nil {
		return "", err
	}
	for _, c := range []struct {
		client **writ.Client
		agent  vc.Signer
	}{{&s.acme, nil}, {&s.agent, agents[0]}, {&s.subagent, agents[1]}} {
		if *c.client, err = s.client(key.Key, c.agent); err != nil {
			return "", err
		}
	}
	return "the agent is " + agents[0].Public().DID(), nil
}

func (s *story) draftRoster(ctx context.Context) (string, error) {
	var persons []any
	for i, p := range []struct{ id, name string }{{"treasurer", "Ana Reis"}, {"cfo", "Rui Costa"}, {"intern", "Eva Dias"}} {
		who := []writ.Approver{s.treasurer, s.cfo, s.intern}[i]
		persons = append(persons, map[string]any{"person": p.id, "name": p.name, "keys": []any{map[string]any{"id": who.KeyID,
			"publicKeyMultibase": who.Key.Public().Multikey(), "kind": "key", "grade": spec.GradeDevice}}})
	}
	both := []string{"treasurer", "cfo"}
	content, err := valueOf(map[string]any{"validFrom": spec.At(s.sys.now()).String(), "credentialSubject": map[string]any{"id": acme,
		"roster": map[string]any{"grantor": acme, "version": 1, "persons": persons, "changeThreshold": 2, "revokers": both,
			"powers":    []any{map[string]any{"actions": []string{"payments.*"}, "upTo": map[string]any{"each": euro("50000.00")}, "persons": both, "threshold": 2}},
			"seals":     []any{map[string]string{"id": s.ledger.Seal.ID, "key": s.ledger.Seal.Key}},
			"ledgers":   []any{map[string]string{"did": s.ledger.DID, "key": s.ledger.DecisionKey.Key}},
			"executors": []any{map[string]string{"did": bank, "key": s.bank.Public().Multikey(), "role": "system-of-record"}}}}})
	if err != nil {
		return "", err
	}
	s.roster, err = s.acme.Draft(ctx, content)
	return "content " + s.roster.Content, err
}

func (s *story) rosterOnce(ctx context.Context) (string, error) {
	ack, err := s.approve(ctx, s.treasurer, s.roster)
	if err == nil && !ack.Issued.IsZero() {
		err = errors.New("one approval put a roster in force")
	}
	return fmt.Sprintf("logged at %d, nothing in force", ack.Index), err
}

func (s *story) rosterTwice(ctx context.Context) (string, error) {
	ack, err := s.approve(ctx, s.cfo, s.roster)
	if err != nil {
		return "", err
	}
	if ack.Issued.IsZero() || ack.Content != s.roster.Content {
		return "", errors.New("two approvals put nothing in force")
	}
	return fmt.Sprintf("logged at %d and %d; the trust files of ledger, bank and auditor pin it", ack.Index, ack.Index+1), s.pin()
}

// 2. Two people mandate an agent

func (s *story) internRefused(ctx context.Context) (string, error) {
	content, err := s.mandateFor(s.agent.Agent.Public().DID(), mandateTerms{name: "Pay AWS", daily: "10000.00", approvers: []string{"intern"}})
	if err != nil {
		return "", err
	}
	_, err = s.acme.Draft(ctx, content)
	return "power-missing", refused(err, "power-missing")
}

var both = []string{"treasurer", "cfo"}

func (s *story) draftMandate(ctx context.Context) (string, error) {
	content, err := s.mandateFor(s.agent.Agent.Public().DID(), mandateTerms{name: "Pay AWS invoices", daily: "10000.00", approvers: both, lift: true})
	if err != nil {
		return "", err
	}
	d, err := s.acme.Draft(ctx, content)
	s.main = grant{content: d.Content, credential: d.Body}
	return strings.Join(d.Sentences["en"], "\n"), err
}

// mandateDraft is the main mandate as the server keeps it while it waits.
func (s *story) mandateDraft(ctx context.Context) (writ.Draft, error) {
	return s.acme.GetDraft(ctx, s.main.content)
}

func (s *story) mandateOnce(ctx context.Context) (string, error) {
	d, err := s.mandateDraft(ctx)
	if err != nil {
		return "", err
	}
	content, err := writ.ContentOf(d)
	if err != nil {
		return "", err
	}
	if s.declined, err = s.acme.SignApproval(s.cfo, spec.Decline, content); err != nil { // for the tampering at the end
		return "", err
	}
	ack, err := s.say(ctx, s.treasurer, content)
	if err != nil {
		return "", err
	}
	if !ack.Issued.IsZero() {
		return "", errors.New("one approval issued a mandate")
	}
	_, err = s.acme.Mandate(ctx, s.main.content)
	return fmt.Sprintf("logged at %d; there is no such mandate yet", ack.Index), refused(err, "not-found")
}

func (s *story) mandateTwice(ctx context.Context) (string, error) {
	d, err := s.mandateDraft(ctx)
	if err != nil {
		return "", err
	}
	ack, err := s.approve(ctx, s.cfo, d)
	if err != nil {
		return "", err
	}
	if ack.Content != s.main.content {
		return "", errors.New("two approvals issued nothing")
	}
	s.main.credential = ack.Issued
	m, err := s.acme.Mandate(ctx, s.main.content)
	if err != nil {
		return "", err
	}
	_, err = s.proven(m.Record)
	return fmt.Sprintf("%s is %s, proven at %d of the log", m.ShortID, m.Status, m.Record.Index), err
}

// 3. The agent pays, is stopped, and is helped

func (s *story) pay(ctx context.Context) (string, error) {
	r, err := s.request("4200.00", aws, s.main)
	if err != nil {
		return "", err
	}
	if s.presented, err = s.agent.Present(r); err != nil {
		return "", err
	}
	s.paid, err = s.agent.VerifyPresentation(ctx, s.presented, spec.Document{}, 0)
	if err := wanted(s.paid, spec.Authorized, err); err != nil {
		return "", err
	}
	_, w, err := s.daily(ctx, s.main)
	if err == nil && w.Held != "4200.00" {
		err = fmt.Errorf("%s is held, not 4200.00", w.Held)
	}
	return fmt.Sprintf("%s: held %s of %s EUR", s.paid.ID, w.Held, w.Max), err
}

func (s *story) executePaid(ctx context.Context) (string, error) {
	return s.execute(ctx, s.paid, "4200.00")
}

func (s *story) payMore(ctx context.Context) (saw string, err error) {
	if s.waiting, err = s.ask(ctx, s.agent, spec.CollectMissing, "6500.00", aws, s.main); err != nil {
		return "", err
	}
	d, err := decisionOf(s.waiting)
	if err != nil {
		return "", err
	}
	if len(d.Missing) != 1 || len(d.Missing[0].Lifts) != 1 || d.Missing[0].Lifts[0].MaxOver.Value() != "700.00" || strings.Join(d.Missing[0].Approvers, " ") != "cfo" {
		return "", fmt.Errorf("missing is %+v, not 700.00 by the CFO", d.Missing)
	}
	return "missing: " + strings.Join(s.waiting.Recovery.Proposals[0].Sentences["en"], "; "), nil
}

func (s *story) lift(ctx context.Context) (string, error) {
	recovery := *s.waiting.Recovery
	content, err := s.acme.ContentOfProposal(ctx, recovery, recovery.Proposals[0])
	if err != nil {
		return "", err
	}
	ack, err := s.say(ctx, s.cfo, content)
	if err != nil {
		return "", err
	}
	if s.lifted, err = s.agent.Await(ctx, s.waiting); err != nil {
		return "", err
	}
	return fmt.Sprintf("the supplement is logged at %d, %s is AUTHORIZED at %d", ack.Index+1, s.lifted.ID, s.lifted.Record.Index),
		wanted(s.lifted, spec.Authorized, nil)
}

func (s *story) executeLifted(ctx context.Context) (string, error) {
	return s.execute(ctx, s.lifted, "6500.00")
}

func (s *story) payStranger(ctx context.Context) (string, error) {
	a, err := s.ask(ctx, s.agent, spec.Rejected, "50.00", somebody, s.main)
	if err != nil {
		return "", err
	}
	if got := reasonsOf(a); got != "constraints: value-not-listed" {
		return "", fmt.Errorf("rejected for %s", got)
	}
	return reasonsOf(a), nil
}

func (s *story) replay(ctx context.Context) (string, error) {
	before, err := s.logged(ctx)
	if err != nil {
		return "", err
	}
	a, err := s.agent.VerifyPresentation(ctx, s.presented, spec.Document{}, 0)
	if err != nil {
		return "", err
	}
	if !a.Decision.Equal(s.paid.Decision) {
		return "", errors.New("the answer is another one")
	}
	return fmt.Sprintf("%s again, byte for byte", a.ID), s.nothingLogged(ctx, before)
}

func (s *story) nothingLogged(ctx context.Context, before int64) error {
	after, err := s.logged(ctx)
	if err == nil && after != before {
		err = fmt.Errorf("the log grew from %d to %d", before, after)
	}
	return err
}

func (s *story) oneByte(ctx context.Context) (string, error) {
	before, err := s.logged(ctx)
	if err != nil {
		return "", err
	}
	changed, err := edit(s.presented.Value, "/action/amount/value", func(jcs.Value) (jcs.Value, error) { return text("4300.00"), nil })
	if err != nil {
		return "", err
	}
	_, err = s.agent.VerifyPresentation(ctx, spec.Document{Type: s.presented.Type, Value: changed, Body: s.presented.Body}, spec.Document{}, 0)
	if err := refused(err, "not-entitled"); err != nil {
		return "", err
	}
	return "not-entitled", s.nothingLogged(ctx, before)
}

func (s *story) foreignAccount(ctx context.Context) (string, error) {
	before, err := s.logged(ctx)
	if err != nil {
		return "", err
	}
	r, err := s.request("10.00", aws, s.main)
	if err != nil {
		return "", err
	}
	if _, r.Action, err = paymentOf("10.00", aws, elsewhere, r.IdempotencyKey); err != nil {
		return "", err
	}
	_, err = s.agent.Verify(ctx, r)
	if err := refused(err, "not-entitled"); err != nil {
		return "", err
	}
	return "not-entitled", s.nothingLogged(ctx, before)
}

func (s *story) grantSecond(ctx context.Context) (string, error) {
	content, err := s.mandateFor(s.agent.Agent.Public().DID(), mandateTerms{name: "Pay AWS invoices, too", daily: "10000.00", approvers: both, lift: true})
	if err != nil {
		return "", err
	}
	s.second, err = s.grant(ctx, content)
	return "content " + s.second.content, err
}

func (s *story) lapse(ctx context.Context) (saw string, err error) {
	if s.lapsing, err = s.ask(ctx, s.agent, spec.Authorized, "1000.00", aws, s.second); err != nil {
		return "", err
	}
	_, held, err := s.daily(ctx, s.second)
	if err != nil {
		return "", err
	}
	d, err := decisionOf(s.lapsing)
	if err != nil {
		return "", err
	}
	if err := pause(ctx, d.ExecuteBefore.Sub(s.sys.now())+50*time.Millisecond); err != nil {
		return "", err
	}
	_, w, err := s.daily(ctx, s.second)
	if err == nil && (held.Held != "1000.00" || w.Used != "0.00") {
		err = fmt.Errorf("held %s, and used %s after the lapse", held.Held, w.Used)
	}
	return fmt.Sprintf("held %s EUR; after %s nothing is used", held.Held, d.Config.ExecuteWithin), err
}

func (s *story) lateReport(ctx context.Context) (string, error) {
	doc, err := s.lapsing.Document()
	if err != nil {
		return "", err
	}
	nonce, _ := doc.Body.(*spec.Decision).Action.Member("nonce")
	reference, _ := nonce.Text()
	bytes, action, err := paymentOf("1000.00", aws, account, reference)
	if err != nil {
		return "", err
	}
	_, err = s.acme.Guard(ctx, s.executor(), writ.Order{Decision: doc, Action: action, Payload: bytes})
	if err := refused(err, "hold-lapsed"); err != nil {
		return "", err
	}
	if _, err := s.report(ctx, s.lapsing); err != nil {
		return "", err
	}
	m, w, err := s.daily(ctx, s.second)
	if err == nil && (m.Status != string(spec.StatusSuspended) || w.Committed != "1000.00" || w.Excess != "1000.00") {
		err = fmt.Errorf("the mandate is %s, committed %s, excess %s", m.Status, w.Committed, w.Excess)
	}
	return fmt.Sprintf("committed %s EUR, all of it excess; the mandate is %s", w.Committed, m.Status), err
}

func (s *story) resume(ctx context.Context) (string, error) {
	content, err := s.acme.ContentOfResume(ctx, s.second.content)
	if err != nil {
		return "", err
	}
	for i, who := range []writ.Approver{s.treasurer, s.cfo} {
		if _, err := s.say(ctx, who, content); err != nil {
			return "", err
		}
		m, err := s.acme.Mandate(ctx, s.second.content)
		if err != nil {
			return "", err
		}
		if want := []spec.Status{spec.StatusSuspended, spec.StatusActive}[i]; m.Status != string(want) {
			return "", fmt.Errorf("after %d of 2 it is %s", i+1, m.Status)
		}
	}
	return "suspended after one, active after both", nil
}

func (s *story) ownExecutor(ctx context.Context) (string, error) {
	r, err := s.request("10.00", aws, s.second)
	if err != nil {
		return "", err
	}
	r.Executor = "did:web:friend.example"
	_, err = s.agent.Verify(ctx, r)
	return "not-entitled", refused(err, "not-entitled")
}

func (s *story) revoke(ctx context.Context) (string, error) {
	ack, err := s.acme.Notice(ctx, s.treasurer, spec.ActRevoke, s.second.content, "")
	if err != nil {
		return "", err
	}
	a, err := s.ask(ctx, s.agent, spec.Rejected, "10.00", aws, s.second)
	if err != nil {
		return "", err
	}
	if got := reasonsOf(a); got != "status: mandate-revoked" {
		return "", fmt.Errorf("rejected for %s", got)
	}
	return fmt.Sprintf("revoked at %d; %s", ack.Index, reasonsOf(a)), nil
}

// 4. The agent delegates

func (s *story) grantParent(ctx context.Context) (string, error) {
	content, err := s.mandateFor(s.agent.Agent.Public().DID(), mandateTerms{name: "Pay AWS, and let others", daily: "1000.00", approvers: both, depth: 1})
	if err != nil {
		return "", err
	}
	s.parent, err = s.grant(ctx, content)
	return "content " + s.parent.content, err
}

func (s *story) delegate(ctx context.Context) (string, error) {
	parent, err := spec.FromValue(s.parent.credential)
	if err != nil {
		return "", err
	}
	child, err := s.childOf(parent.Body.(*spec.Mandate))
	if err != nil {
		return "", err
	}
	ack, err := s.agent.Delegate(ctx, child)
	if err != nil {
		return "", err
	}
	s.child = grant{spec.ContentDigest(ack.Document), ack.Document}
	_, err = s.proven(ack.Record)
	return fmt.Sprintf("signed by the agent, logged at %d", ack.Index), err
}

// childOf is the sub-agent's mandate: what the parent allows, €500.00 a day.
func (s *story) childOf(parent *spec.Mandate) (spec.Document, error) {
	var drawn [42]byte
	if _, err := s.sys.random.Read(drawn[:]); err != nil {
		return spec.Document{}, err
	}
	t := parent.Terms()
	m := &spec.Mandate{Envelope: spec.NewEnvelope("MandateCredential", spec.UUIDv7(s.sys.now(), [10]byte(drawn[:10])), parent.Subject.ID)}
	m.Name, m.ValidFrom, m.ValidUntil = "Pay small AWS invoices", parent.ValidFrom, parent.ValidUntil
	m.Subject = spec.MandateSubject{ID: s.subagent.Agent.Public().DID(), Mandate: spec.MandateTerms{Version: spec.Version,
		Salt: jcs.EncodeBase64(drawn[10:]), Grantor: spec.Grantor{ID: parent.Subject.ID}, Actions: t.Actions, Resources: t.Resources,
		Parent: s.parent.content, Ledger: t.Ledger}}
	for _, c := range []any{daily("500.00"), payee(aws)} {
		v, err := valueOf(c)
		if err != nil {
			return spec.Document{}, err
		}
		m.Subject.Mandate.Constraints = append(m.Subject.Mandate.Constraints, v)
	}
	return spec.New(m)
}

func (s *story) payBelow(ctx context.Context) (string, error) {
	a, err := s.ask(ctx, s.subagent, spec.Authorized, "300.00", aws, s.parent, s.child)
	if err != nil {
		return "", err
	}
	if _, err := s.execute(ctx, a, "300.00"); err != nil {
		return "", err
	}
	_, above, err := s.daily(ctx, s.parent)
	if err != nil {
		return "", err
	}
	_, below, err := s.daily(ctx, s.child)
	if err == nil && (above.Committed != "300.00" || below.Committed != "300.00") {
		err = fmt.Errorf("committed %s above, %s below", above.Committed, below.Committed)
	}
	return fmt.Sprintf("committed %s of %s EUR above, %s of %s EUR below", above.Committed, above.Max, below.Committed, below.Max), err
}

func (s *story) beyondChild(ctx context.Context) (string, error) {
	return s.beyond(ctx, "300.00", s.child)
}

func (s *story) beyondParent(ctx context.Context) (string, error) {
	a, err := s.ask(ctx, s.agent, spec.Authorized, "600.00", aws, s.parent)
	if err != nil {
		return "", err
	}
	if _, err := s.execute(ctx, a, "600.00"); err != nil {
		return "", err
	}
	return s.beyond(ctx, "150.00", s.parent)
}

// beyond asks as the sub-agent for more than the budget of one of the two mandates has left.
func (s *story) beyond(ctx context.Context, euros string, whose grant) (string, error) {
	a, err := s.ask(ctx, s.subagent, spec.Rejected, euros, aws, s.parent, s.child)
	if err != nil {
		return "", err
	}
	d, err := decisionOf(a)
	if err != nil {
		return "", err
	}
	for _, c := range d.Checks {
		if c.Outcome == spec.Fail && (c.Reason != "budget-exceeded" || c.Detail != "daily of "+whose.content) {
			return "", fmt.Errorf("rejected for %s: %s", c.Reason, c.Detail)
		}
	}
	return reasonsOf(a), nil
}
