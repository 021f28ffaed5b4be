package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// attempt is one mandate, tried in both ways: as a test file and as a batch of one action.
type attempt struct {
	t      *testing.T
	w      *writtest.World
	dir    string
	header []string // of the test file, beside its mandate, and as flags of the batch
	flags  []string
	expect string
	reason string
	step   string // more members of the step
	line   string // more members of the line
}

func (r *attempt) write(name string, data []byte) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// with writes a file that the test file names in a member, and the batch after a flag.
func (r *attempt) with(member, flag, name string, v jcs.Value) {
	files := "[" + name + "]"
	if member == "roster" {
		files = name
	}
	r.header, r.flags = append(r.header, member+": "+files), append(r.flags, flag, r.write(name, v.Canonical()))
}

// run runs a command line, and answers its exit code with everything that it printed.
func (r *attempt) run(args ...string) (int, string) {
	var out bytes.Buffer
	code := run(args, &system{out: &out, err: &out})
	return code, out.String()
}

// both runs both commands on a payment of 4,200 EUR, and answers what writ test says first.
func (r *attempt) both() (codes [2]int, said [2]string) {
	r.t.Helper()
	at := spec.At(r.w.Now).String()
	action := fmt.Sprintf(`{"type":"payments.transfer","resource":%q,"amount":{"value":"4200.00","currency":"EUR"},"counterparty":{"id":%q}}`, writtest.Account, writtest.Payee)
	if r.reason != "" {
		r.step += ", reason: " + r.reason
	}
	file := fmt.Sprintf("%s\nsteps:\n  - {at: %s, action: %s, expect: %s%s}\n", strings.Join(r.header, "\n"), at, action, r.expect, r.step)
	codes[0], said[0] = r.run("test", r.write("a"+testSuffix, []byte(file)))
	line := fmt.Sprintf(`{"at":%q,"action":%s%s}`+"\n", at, action, r.line)
	result := fmt.Sprintf(`{"line":1,"result":%q,"reason":%q}`+"\n", r.expect, r.reason)
	args := append([]string{"verify", "--batch", r.write("actions.jsonl", []byte(line)), "--expect", r.write("expected.jsonl", []byte(result))}, r.flags...)
	codes[1], said[1] = r.run(args...)
	return codes, said
}

// draft is what the draft commands write of a document: no member that the server fills in.
func draft(d spec.Document, terms string) jcs.Value {
	subject, _ := d.Value.Member("credentialSubject")
	inner, _ := subject.Member(terms)
	return d.Value.Without("@context", "id", "type", "issuer").With("credentialSubject", subject.With(terms, inner.Without("salt", "log", "ledger")))
}

func newAttempt(t *testing.T, roster jcs.Value, m jcs.Value) *attempt {
	r := &attempt{t: t, w: writtest.Acme(t.Name()), dir: t.TempDir(), expect: spec.Authorized}
	r.with("mandates", "--mandate", "mandate.json", m)
	r.with("roster", "--roster", "roster.json", roster)
	return r
}

// TestTrialsJudgePowers: a mandate that the ledger never issues is refused, with its code and place.
func TestTrialsJudgePowers(t *testing.T) {
	w := writtest.Acme(t.Name())
	same := func(*spec.Roster) {}
	upTo := func(r *spec.Roster) {
		r.Terms().Powers[0].UpTo = &spec.UpTo{Each: rule.Money{Minor: 24_999_99, Currency: "EUR"}}
	}
	for name, row := range map[string]struct {
		mandate func(*spec.Mandate)
		roster  func(*spec.Roster)
		want    string
	}{
		"not in the roster": {mandate: func(m *spec.Mandate) { m.Terms().Grantor.Approvers[1] = "nobody" },
			roster: same, want: `approver-unknown at "/credentialSubject/mandate/grantor/approvers/1"`},
		"one where two are asked": {mandate: func(m *spec.Mandate) {
			m.Terms().Grantor.Approvers, m.Terms().Grantor.Threshold = []string{"treasurer"}, 1
		}, roster: same, want: `power-missing at "/credentialSubject/mandate/grantor/approvers"`},
		"beyond the power": {mandate: func(*spec.Mandate) {}, roster: upTo, want: `power-missing at "/credentialSubject/mandate/grantor/approvers"`},
		"another's roster": {mandate: func(m *spec.Mandate) { m.Terms().Grantor.ID = "did:web:other.example" },
			roster: same, want: `roster-unknown at "/credentialSubject/mandate/grantor/id"`},
	} {
		t.Run(name, func(t *testing.T) {
			codes, said := newAttempt(t, w.Roster(row.roster).Value, draft(w.Mandate(row.mandate), "mandate")).both()
			for i := range codes {
				if codes[i] != exitRefused || !strings.Contains(said[i], "mandate.json: "+row.want) {
					t.Errorf("exit %d\n%s", codes[i], said[i])
				}
			}
			if !strings.Contains(said[0], testSuffix+":1: ") {
				t.Errorf("no line: %s", said[0])
			}
		})
	}
}

// TestTrialsTakeDrafts: what the draft commands write is taken, with a policy, a template and a presented credential.
func TestTrialsTakeDrafts(t *testing.T) {
	w := writtest.Acme(t.Name())
	policy := w.Policy()
	invoice := writtest.JSON(`{"type":"ActionTemplate","version":"1","action":"payments.transfer","title":{"en":"Pay"},"amount":"required","payload":{"mapping":"pain.001/1"}}`)
	d, template, err := spec.TemplateFromValue(invoice)
	if err != nil {
		t.Fatal(err)
	}
	templated := func(m *spec.Mandate) { m.Terms().Templates = []spec.TemplateRef{template.Ref(d.Digest)} }
	supplied := func(m *spec.Mandate) {
		m.Terms().Constraints = append(m.Terms().Constraints, w.SupplierLimit(""))
	}
	renamed := func(m *spec.Mandate) { templated(m); m.Terms().Templates[0].Title.En = "Pay nothing" }
	small := writtest.Limit(writtest.JSON(`{"id":"each","type":"amount","max":{"value":"4199.99","currency":"EUR"}}`))
	credential := w.Supplier(writtest.Payee, -1)
	for name, row := range map[string]struct {
		mandate func(*spec.Mandate)
		with    func(*attempt)
		codes   [2]int
		want    string // in what both say
	}{
		"drafts": {mandate: func(*spec.Mandate) {}},
		"policy": {mandate: writtest.Under(policy), with: func(r *attempt) { r.with("policies", "--policy", "policy.json", policy.Value) }},
		"draft of a policy": {mandate: writtest.Under(policy), with: func(r *attempt) {
			r.with("policies", "--policy", "policy.json", draft(w.Policy(small), "policy"))
			r.expect, r.reason = spec.Rejected, "amount-above-max"
		}},
		"another policy": {mandate: writtest.Under(policy), with: func(r *attempt) { r.with("policies", "--policy", "policy.json", w.Policy().Value) },
			codes: [2]int{exitUsage, exitUsage}, want: "policy.json is not the policy that the root mandate names there"},
		"another's policy": {mandate: writtest.Under(policy), with: func(r *attempt) {
			r.with("policies", "--policy", "policy.json", draft(w.Policy(func(p *spec.Policy) {
				p.Subject.ID, p.Terms().Grantor = "did:web:other.example", "did:web:other.example"
			}), "policy"))
		}, codes: [2]int{exitRefused, exitRefused}, want: "policy-foreign"},
		"no policy":   {mandate: writtest.Under(policy), codes: [2]int{exitRefused, exitUsage}, want: "the root mandate names 1 policies"},
		"template":    {mandate: templated, with: func(r *attempt) { r.with("templates", "--template", "template.json", invoice) }},
		"no template": {mandate: templated, codes: [2]int{exitRefused, exitUsage}, want: `a mandate names the template "Pay"`},
		"other title": {mandate: renamed, with: func(r *attempt) { r.with("templates", "--template", "template.json", invoice) },
			codes: [2]int{exitRefused, exitRefused}, want: "template-other"},
		"template of nobody": {mandate: func(*spec.Mandate) {}, with: func(r *attempt) { r.with("templates", "--template", "template.json", invoice) },
			codes: [2]int{exitUsage, exitUsage}, want: "template.json is a template that no mandate names"},
		"credential": {mandate: supplied, with: func(r *attempt) { r.present(credential) }},
		"no credential": {mandate: supplied, with: func(r *attempt) {
			r.expect, r.reason = spec.Rejected, "credential-absent"
		}},
		"credential that was changed": {mandate: supplied, with: func(r *attempt) {
			r.present(credential.With("validUntil", writtest.JSON(`"2099-01-01T00:00:00Z"`)))
			r.expect, r.reason = stepRefused, "proof-signature"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newAttempt(t, draft(w.Roster(), "roster"), draft(w.Mandate(row.mandate), "mandate"))
			if row.with != nil {
				row.with(r)
			}
			codes, said := r.both()
			for i := range codes {
				if codes[i] != row.codes[i] || !strings.Contains(said[i], row.want) || strings.Contains(said[i], "idempotency") {
					t.Errorf("exit %d\n%s", codes[i], said[i])
				}
			}
		})
	}
}

// present has the agent present a credential with the action.
func (r *attempt) present(credential vc.Value) {
	r.write("credential.json", credential.Canonical())
	r.step, r.line = ", credentials: [credential.json]", `,"credentials":[`+string(credential.Canonical())+`]`
}

func TestTestWithoutRoster(t *testing.T) {
	r := newAttempt(t, jcs.Value{}, draft(writtest.Acme(t.Name()).Mandate(), "mandate"))
	r.header = r.header[:1]
	if codes, said := r.both(); codes[0] != exitHolds || !strings.Contains(said[0], "1 of 1 files without a roster") {
		t.Errorf("exit %d\n%s", codes[0], said[0])
	}
}
