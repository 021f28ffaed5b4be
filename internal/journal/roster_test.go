package journal

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// parties are a verifier and an issuer on the journal, for the grantor with this first roster.
func (b *bench) parties(roster spec.Document) (*verifier.Verifier, *issuer.Issuer) {
	b.t.Helper()
	data, err := json.Marshal(map[string]any{"version": spec.Version, "policy": "log " + b.LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
	if err != nil {
		b.t.Fatal(err)
	}
	trust, err := verifier.ParseTrust(data)
	if err != nil {
		b.t.Fatal(err)
	}
	now := func() time.Time { return b.Now }
	key := b.Key("ledger").Public().Multikey()
	v, err := verifier.New(verifier.Options{DID: writtest.Verifier, Key: key, Log: writtest.Origin, Epoch: 1, Journal: b.j,
		Trust: func() *verifier.Trust { return trust }, Random: b, Now: now})
	if err != nil {
		b.t.Fatal(err)
	}
	i, err := issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin}, Seal: writtest.Grantor,
		SealKey: spec.SealKey{ID: b.KeyID("seal"), Key: b.Key("seal").Public().Multikey()}, DecisionKey: key, Journal: b.j, Drafts: b.j, Random: b, Now: now})
	if err != nil {
		b.t.Fatal(err)
	}
	return v, i
}

// propose keeps a roster version as a draft.
func (b *bench) propose(i *issuer.Issuer, version spec.Document) {
	b.t.Helper()
	if _, err := i.Propose(b.t.Context(), org, version.Value); err != nil {
		b.t.Fatal(err)
	}
}

// approve has persons, or recovery keys, approve a roster version, and returns the error of the last word.
func (b *bench) approve(i *issuer.Issuer, version spec.Document, keys ...string) error {
	b.t.Helper()
	for n, k := range keys {
		if _, err := i.Approve(b.t.Context(), org, b.ApproveRoster(k, version).Bytes()); err != nil {
			if n < len(keys)-1 {
				b.t.Fatalf("%s: %v", k, err)
			}
			return err
		}
	}
	return nil
}

// inForce are the numbers of the versions in force, newest first, as the journal has them.
func (b *bench) inForce() (numbers []int64) {
	b.t.Helper()
	s, err := b.j.RosterState(b.t.Context(), org, writtest.Grantor)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range s.InForce(b.Now) {
		numbers = append(numbers, r.Terms().Version)
	}
	return numbers
}

// TestNoVetoedVersionComesAgain: the content of a vetoed version is refused for good. Approved again it would count from its old entry
// after a restart, and its delay be skipped.
func TestNoVetoedVersionComesAgain(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	_, i := b.parties(roster)
	looser := func(r *spec.Roster) {
		r.Terms().Powers = append(r.Terms().Powers, spec.Power{Actions: []string{"payments.*"}, Persons: []string{"intern"}, Threshold: 1})
	}
	next := b.NextRoster(roster, looser)
	b.propose(i, next)
	if err := b.approve(i, next, "treasurer", "intern"); err != nil {
		t.Fatal(err)
	}
	b.Advance(time.Hour)
	b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(roster)}}, b.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)))
	b.Advance(48 * time.Hour)
	if err := b.approve(i, next, "treasurer", "intern"); reason(err) != "roster-repeated" {
		t.Errorf("%v; want roster-repeated", err)
	}
	again := b.NextRoster(roster, looser)
	b.propose(i, again)
	if err := b.approve(i, again, "treasurer", "intern"); err != nil {
		t.Errorf("the same terms as another content: %v", err)
	}
	b.Advance(time.Second)
	for _, when := range []string{"live", "after a restart"} {
		if got := b.inForce(); len(got) != 2 {
			t.Errorf("%s: versions in force %v; the delay of a day has just begun", when, got)
		}
		b.restart()
	}
	b.checkRebuild()
}

// TestNoVersionOfRecoveryKeysComesAgain: what recovery keys approved is a version already; persons make another content.
func TestNoVersionOfRecoveryKeysComesAgain(t *testing.T) {
	b := newBench(t)
	roster := b.found(b.RecoverableBy(2, "safe-1", "safe-2"))
	_, i := b.parties(roster)
	replace := b.Replace("intern", "Bea Nunes", "bea")
	next := b.NextRoster(roster, replace)
	b.propose(i, next)
	if err := b.approve(i, next, "safe-1", "safe-2", "treasurer", "cfo"); reason(err) != "roster-repeated" {
		t.Errorf("%v; want roster-repeated", err)
	}
	persons := b.NextRoster(roster, replace)
	b.propose(i, persons)
	if err := b.approve(i, persons, "treasurer", "cfo"); err != nil {
		t.Fatal(err)
	}
	live := b.inForce()
	b.restart()
	if after := b.inForce(); len(live) != 2 || len(after) != 2 {
		t.Errorf("versions in force %v, after a restart %v", live, after)
	}
	b.checkRebuild()
}

// TestNoStandstillWhenRecoveryCounts: once what recovery keys approved counts, the ledger that has the roster in memory decides on, and
// takes the report on what it decided before.
func TestNoStandstillWhenRecoveryCounts(t *testing.T) {
	b := newBench(t)
	roster := b.found(b.RecoverableBy(2, "safe-1", "safe-2"))
	mandate := b.grant(roster)
	v, i := b.parties(roster)
	ask := func(key string) spec.Document {
		t.Helper()
		l, err := v.Verify(t.Context(), verifier.Request{Org: org,
			Presentation: b.Present([]spec.Document{mandate}, b.Action("1.00"), b.Request(key), b.Now).Bytes()})
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		return l.Last().Document
	}
	next := b.NextRoster(roster, b.Replace("intern", "Bea Nunes", "bea"))
	b.propose(i, next)
	if err := b.approve(i, next, "safe-1", "safe-2"); err != nil {
		t.Fatal(err)
	}
	b.Advance(14*24*time.Hour - time.Minute)
	decision := ask("before-it-counts")
	if _, err := v.Begin(t.Context(), org, b.Begin(decision, b.Now).Bytes()); err != nil {
		t.Fatal(err)
	}
	b.Advance(2 * time.Minute)
	ask("after-it-counts")
	if _, err := v.Report(t.Context(), org, b.Report(decision, spec.OutcomeExecuted, "", true, b.Now).Bytes()); err != nil {
		t.Errorf("what was executed cannot be reported: %v", err)
	}
	b.restart()
	v, _ = b.parties(roster)
	ask("after-a-restart")
	b.checkRebuild()
}
