package spec_test

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// internAlone lets the intern alone approve any payment.
func internAlone(r *spec.Roster) {
	r.Terms().Powers = append(r.Terms().Powers, spec.Power{Actions: []string{"payments.*"}, Persons: []string{"intern"}, Threshold: 1})
}

// TestNoDelayShortenedByRecovery: a looser power that waits 60 days does not count after the 14 of a version that recovery keys put on
// top of it, and may be vetoed as long as before.
func TestNoDelayShortenedByRecovery(t *testing.T) {
	w := writtest.Acme("recovery on top")
	ss, v1 := w.Found(nil, w.RecoverableBy(2, "safe-1", "safe-2"), func(r *spec.Roster) { r.Terms().ChangeDelay = "P60D" })
	w.Advance(time.Hour)
	ss, v2 := next(w, ss, v1, []string{"treasurer", "intern"}, internAlone)
	w.Advance(time.Hour)
	ss, _ = next(w, ss, v2, []string{"safe-1", "safe-2"}, w.Replace("treasurer", "Bea Nunes", "bea"))
	w.Advance(14 * 24 * time.Hour)
	ss = ss.At(w.Now)
	if force := ss.Roster(writtest.Grantor).InForce(w.Now); len(force) != 3 {
		t.Errorf("on day 14 of 60, %d versions are in force", len(force))
	}
	m := w.Mandate(func(m *spec.Mandate) {
		m.Terms().Grantor.Approvers, m.Terms().Grantor.Threshold = []string{"intern"}, 1
	})
	a := w.ApproveMandate("intern", m)
	_, _, err := w.Record(writtest.Chain(ss, m), a).Apply(w.Seal(m, a), w.Now)
	wantReason(t, err, "power-missing")
	vetoed, _, err := ss.Apply(w.Notice("cfo", spec.ActVeto, spec.ContentDigest(v2.Value)), w.Now)
	if err != nil {
		t.Fatalf("veto on day 14 of 60: %v", err)
	}
	if left := vetoed.Roster(writtest.Grantor).Newest().Terms().Version; left != 1 {
		t.Errorf("after the veto of version 2, version %d is the newest", left)
	}
	w.Advance(46 * 24 * time.Hour)
	if force := ss.Roster(writtest.Grantor).InForce(w.Now); len(force) != 1 {
		t.Errorf("after 60 days, %d versions are in force", len(force))
	}
}

// TestNoVetoDisarmed: a version that drops a revoker, or calls the revoker's key compromised, is vetoed by that revoker all the same;
// and so is what is built on it.
func TestNoVetoDisarmed(t *testing.T) {
	for name, disarm := range map[string]func(w *writtest.World, r *spec.Roster){
		"dropped": func(_ *writtest.World, r *spec.Roster) { r.Terms().Revokers = []string{"treasurer"} },
		"compromised": func(w *writtest.World, r *spec.Roster) {
			r.Terms().Persons[1].Keys[0].CompromisedSince = spec.At(w.Now)
		},
		"replaced": func(w *writtest.World, r *spec.Roster) { w.Replace("cfo", "Bea Nunes", "bea")(r) },
	} {
		w := writtest.Acme("veto " + name)
		ss, v1 := w.Found(nil)
		w.Advance(time.Hour)
		ss, v2 := next(w, ss, v1, []string{"treasurer", "intern"}, internAlone, func(r *spec.Roster) { disarm(w, r) })
		ss, _ = next(w, ss, v2, []string{"treasurer", "intern"})
		w.Advance(time.Minute)
		veto := w.Notice("cfo", spec.ActVeto, spec.ContentDigest(v2.Value))
		if err := ss.Roster(writtest.Grantor).CheckNotice(veto, w.Now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantReason(t, ss.Roster(writtest.Grantor).CheckNotice(w.Notice("intern", spec.ActVeto, spec.ContentDigest(v2.Value)), w.Now), "revoker-unknown")
		wantReason(t, ss.Roster(writtest.Grantor).CheckNotice(w.Notice("cfo", spec.ActRevoke, spec.ContentDigest(v2.Value)), w.Now), "revoker-unknown")
	}
}

// TestNoPersonBlocksRecovery: a person's decline, perhaps of the one whom they would replace, does not bind recovery keys.
func TestNoPersonBlocksRecovery(t *testing.T) {
	w := writtest.Acme("declined by a person")
	ss, v1 := w.Found(nil, w.RecoverableBy(2, "safe-1", "safe-2"))
	w.Advance(time.Hour)
	n := w.NextRoster(v1, w.Replace("intern", "Bea Nunes", "bea"))
	first, second := w.ApproveRoster("safe-1", n), w.ApproveRoster("safe-2", n)
	ss = w.Record(ss, w.Say("intern", spec.Decline, spec.KindRoster, spec.ContentDigest(n.Value)))
	_, _, err := ss.Apply(w.Seal(n), w.Now)
	wantReason(t, err, "approval-declined")
	ss = w.Record(ss, first)
	_, _, err = ss.Apply(w.Seal(n, first), w.Now)
	wantReason(t, err, "approvals-missing")
	ss = w.Record(ss, second)
	if _, _, err := ss.Apply(w.Seal(n, first, second), w.Now); err != nil {
		t.Errorf("the intern, no revoker, declined; the recovery keys' version: %v", err)
	}
	ss = w.Record(ss, w.Say("safe-1", spec.Decline, spec.KindRoster, spec.ContentDigest(n.Value)))
	_, _, err = ss.Apply(w.Seal(n, first, second), w.Now)
	wantReason(t, err, "approval-declined")
}

// qualified is one more key of a person, of the best grade.
func qualified(w *writtest.World) spec.PersonKey {
	return spec.PersonKey{ID: w.KeyID("old"), PublicKey: w.Key("old").Public().Multikey(), Kind: "key", Grade: spec.GradeQualified}
}

// TestNoGradeRaisedByRecovery: a key that counts for nothing lends no grade, unless the person has no other.
func TestNoGradeRaisedByRecovery(t *testing.T) {
	for name, row := range map[string]struct {
		change func(w *writtest.World, p *spec.Person)
		want   string
	}{
		"compromised": {func(w *writtest.World, p *spec.Person) {
			k := qualified(w)
			k.CompromisedSince = spec.At(w.Now)
			p.Keys = append(p.Keys, k)
		}, "recovery-other"},
		"of another kind": {func(w *writtest.World, p *spec.Person) {
			k := qualified(w)
			k.Kind = "card"
			p.Keys = append(p.Keys, k)
		}, "recovery-other"},
		"the only one": {func(w *writtest.World, p *spec.Person) {
			p.Keys[0].Grade, p.Keys[0].CompromisedSince = spec.GradeQualified, spec.At(w.Now)
		}, ""},
	} {
		w := writtest.Acme("grade " + name)
		ss, v1 := w.Found(nil, w.RecoverableBy(1, "safe-1"), func(r *spec.Roster) { row.change(w, &r.Terms().Persons[2]) })
		w.Advance(time.Hour)
		n := w.NextRoster(v1, w.Replace("intern", "Bea Nunes", "bea"), func(r *spec.Roster) { r.Terms().Persons[2].Keys[0].Grade = spec.GradeQualified })
		a := w.ApproveRoster("safe-1", n)
		ss = w.Record(ss, a)
		_, _, err := ss.Apply(w.Seal(n, a), w.Now)
		if row.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if row.want != "" {
			wantReason(t, err, row.want)
		}
	}
}
