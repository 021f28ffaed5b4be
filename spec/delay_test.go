package spec_test

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

func next(w *writtest.World, ss spec.States, before spec.Document, who []string, ch ...func(*spec.Roster)) (spec.States, spec.Document) {
	n := w.NextRoster(before, ch...)
	var as []spec.Document
	for _, p := range who {
		as = append(as, w.ApproveRoster(p, n))
	}
	sealed := w.Seal(n, as...)
	return w.Record(ss, append(as, sealed)...), sealed
}

// two versions in a row: the second's own delay of one second ends the first's delay of a day.
func TestNoChangeDelaySkipped(t *testing.T) {
	w := writtest.Acme("a2a")
	ss, v1 := w.Found(nil) // changeDelay P1D
	w.Advance(time.Hour)
	two := []string{"treasurer", "cfo"}
	addPower := func(r *spec.Roster) {
		r.Subject.Roster.Powers = []spec.Power{{Actions: []string{"payments.*"}, Persons: []string{"intern"}, Threshold: 1}}
		r.Subject.Roster.ChangeDelay = "PT1S"
	}
	ss, v2 := next(w, ss, v1, two, addPower)
	w.Advance(time.Second)
	ss, _ = next(w, ss, v2, two)
	w.Advance(time.Second)
	force := ss.Roster(writtest.Grantor).InForce(w.Now)
	t.Logf("2 s after a looser power was logged, versions in force: %d (newest %d)", len(force), force[0].Terms().Version)
	if len(force) == 1 {
		t.Errorf("version 1, whose P1D delay runs, no longer judges")
	}
	// a mandate approved by the intern alone
	m := w.Mandate(func(m *spec.Mandate) {
		m.Subject.Mandate.Grantor.Approvers = []string{"intern"}
		m.Subject.Mandate.Grantor.Threshold = 1
	})
	a := w.ApproveMandate("intern", m)
	sealed := w.Seal(m, a)
	ss = w.Record(writtest.Chain(ss, m), a)
	_, _, err := ss.Apply(sealed, w.Now)
	wantReason(t, err, "power-missing")
}

// a version on top shields the one below from a veto.
func TestNoVetoShielded(t *testing.T) {
	w := writtest.Acme("a2b")
	ss, v1 := w.Found(nil)
	w.Advance(time.Hour)
	two := []string{"treasurer", "cfo"}
	ss, v2 := next(w, ss, v1, two)
	ss, v3 := next(w, ss, v2, two)
	w.Advance(time.Minute)
	veto := func(c spec.Document) spec.Document {
		d, err := spec.New(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: spec.ContentDigest(c.Value), Act: spec.ActVeto,
			By: w.KeyID("treasurer"), At: spec.At(w.Now), Nonce: w.Nonce()})
		if err != nil {
			t.Fatal(err)
		}
		return w.Sign(d, "treasurer", did.CapabilityDelegation, w.Now)
	}
	if _, _, err := ss.Apply(veto(v2), w.Now); err != nil {
		t.Errorf("veto of v2 within its delay refused: %v", err)
	}
	ss = w.Record(ss, veto(v3))
	if _, _, err := ss.Apply(veto(v2), w.Now); err != nil {
		t.Errorf("veto of v2 after v3 was vetoed refused: %v", err)
	}
}

// a lower change threshold counts at once.
func TestNoChangeThresholdLoosensAtOnce(t *testing.T) {
	w := writtest.Acme("a6")
	ss, v1 := w.Found(nil)
	w.Advance(time.Hour)
	ss, v2 := next(w, ss, v1, []string{"treasurer", "cfo"}, func(r *spec.Roster) {
		r.Subject.Roster.ChangeThreshold = 1
		r.Subject.Roster.Powers = []spec.Power{{Actions: []string{"payments.*"}, Persons: []string{"treasurer", "cfo"}, Threshold: 1}}
	})
	w.Advance(time.Second)
	n := w.NextRoster(v2)
	a := w.ApproveRoster("intern", n)
	ss2, _, err := ss.Apply(a, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ss2.Apply(w.Seal(n, a), w.Now); err == nil {
		t.Errorf("one person changed the roster one second after the threshold was lowered from 2 to 1 (delay P1D)")
	} else {
		t.Log(err)
	}
}
