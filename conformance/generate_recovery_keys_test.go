package conformance

import (
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

const recoveryKeysClause = "protocol.md 6.8: recovery keys"

const fortnight = 14 * 24 * time.Hour

// replaced proposes the version in which recovery keys replace the treasurer, and has them sign it.
func (l *life) replaced(want StepEnd, changes ...func(*spec.Roster)) spec.Document {
	l.b.t.Helper()
	next := l.NextRoster(l.roster, append([]func(*spec.Roster){l.Replace("treasurer", "Bea Nunes", "bea")}, changes...)...)
	l.step("propose", "version 2", next, drafted)
	l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), recorded(1))
	l.step("approve", "by safe-2", l.ApproveRoster("safe-2", next), want)
	return next
}

func recoveryKeyTraces(b *book) {
	safe := world("recovery keys")
	alone := func(name, title string, play func(l *life), changes ...func(*spec.Roster)) {
		l := newLife(b, name, append([]func(*spec.Roster){world(name).RecoverableBy(2, "safe-1", "safe-2", "safe-3")}, changes...)...)
		play(l)
		l.finish("recoverykeys/"+name, recoveryKeysClause, title)
	}
	grant := func(l *life, name, person string, first, last StepEnd) {
		m := l.Mandate()
		l.step("propose", name, m, drafted)
		l.step("approve", name+" by cfo", l.ApproveMandate("cfo", m), first)
		l.step("approve", name+" by "+person, l.ApproveMandate(person, m), last)
	}
	stranger := refused("approver-unknown", "/approver")
	alone("after-the-delay", "Recovery keys replace a person; fourteen days later the new one counts, and the old one does not.", func(l *life) {
		l.replaced(issued(2))
		l.Advance(fortnight)
		grant(l, "mandate", "bea", recorded(1), issued(2))
		m := l.Mandate()
		l.step("propose", "second mandate", m, drafted)
		l.step("approve", "second mandate by treasurer", l.ApproveMandate("treasurer", m), stranger)
	})
	alone("before-the-delay", "Until then nothing of it counts: neither the new person nor the removal of the old one.", func(l *life) {
		l.replaced(issued(2))
		l.Advance(fortnight - time.Millisecond)
		grant(l, "mandate", "bea", recorded(1), stranger)
		grant(l, "second mandate", "treasurer", recorded(1), issued(2))
	})
	alone("below-the-threshold", "One recovery key is not two.", func(l *life) {
		next := l.NextRoster(l.roster, l.Replace("treasurer", "Bea Nunes", "bea"))
		l.step("propose", "version 2", next, drafted)
		l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), recorded(1))
		l.step("approve", "by safe-1 again", l.ApproveRoster("safe-1", next), recorded(1))
		l.step("approve", "by cfo", l.ApproveRoster("cfo", next), recorded(1)) // persons and recovery keys do not add up
		l.Advance(fortnight)
		grant(l, "mandate", "bea", recorded(1), stranger)
	})
	looser := func(name, title, pointer string, change func(*spec.Roster)) {
		alone(name, title, func(l *life) {
			next := l.NextRoster(l.roster, l.Replace("treasurer", "Bea Nunes", "bea"), change)
			l.step("propose", "version 2", next, drafted)
			l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), refused("recovery-other", "/credentialSubject/roster"+pointer))
		})
	}
	looser("with-a-looser-power", "Recovery keys loosen no power.", "", rosterTerms(func(t *spec.RosterTerms) { t.Powers[0].Threshold = 1 }))
	looser("with-a-lower-change-threshold", "Recovery keys lower no threshold.", "", rosterTerms(func(t *spec.RosterTerms) { t.ChangeThreshold, t.Powers[0].Threshold = 1, 1 }))
	looser("with-another-executor", "Recovery keys add no executor.", "", rosterTerms(func(t *spec.RosterTerms) {
		t.Executors = append(t.Executors, spec.Executor{DID: "did:web:gateway.example", Key: safe.Key("gateway").Public().Multikey(), Role: "gateway"})
	}))
	looser("with-another-seal", "Recovery keys change no seal.", "", rosterTerms(func(t *spec.RosterTerms) {
		t.Seals = append(t.Seals, spec.SealKey{ID: "did:web:acme.example#other", Key: safe.Key("seal").Public().Multikey()})
	}))
	looser("with-another-ledger", "Recovery keys add no ledger.", "", rosterTerms(func(t *spec.RosterTerms) {
		t.Ledgers = append(t.Ledgers, spec.PartyKey{DID: "did:web:other.example", Key: safe.Key("ledger").Public().Multikey()})
	}))
	looser("with-another-revoker", "Recovery keys make nobody a revoker.", "", rosterTerms(func(t *spec.RosterTerms) { t.Revokers = append(t.Revokers, "intern") }))
	looser("with-other-recovery-keys", "Recovery keys do not replace themselves.", "", rosterTerms(func(t *spec.RosterTerms) {
		t.Recovery = &spec.RosterRecovery{Keys: t.Recovery.Keys[:1], Threshold: 1, Delay: t.Recovery.Delay}
	}))
	looser("with-one-person-more", "Recovery keys replace persons, none comes.", "/persons", rosterTerms(func(t *spec.RosterTerms) {
		t.Persons = append(t.Persons, spec.Person{Person: "ceo", Name: "Ivo", Keys: []spec.PersonKey{{ID: "did:web:acme.example#ceo", PublicKey: safe.Key("ceo").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice}}})
	}))
	looser("with-a-better-grade", "Nobody gets a key of a better grade than the person had.", "/persons", rosterTerms(func(t *spec.RosterTerms) { t.Persons[1].Keys[0].Grade = spec.GradeQualified }))
	alone("vetoed", "A revoker vetoes it while it waits.", func(l *life) {
		next := l.replaced(issued(2))
		l.Advance(fortnight - time.Second)
		l.step("notice", "veto", l.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)), recorded(1))
		l.Advance(time.Hour)
		grant(l, "mandate", "bea", recorded(1), stranger)
	})
	alone("vetoed-too-late", "From the instant at which it counts it is not vetoed any more.", func(l *life) {
		next := l.replaced(issued(2))
		l.Advance(fortnight)
		l.step("notice", "veto", l.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)), refused("veto-late", "/content"))
	})
	alone("superseded-by-persons", "A version that persons approve meanwhile takes its place.", func(l *life) {
		l.replaced(issued(2))
		l.Advance(time.Hour)
		l.enrol("version 2 of the persons", l.NextRoster(l.roster, func(r *spec.Roster) { r.Name = "we are still here" }))
		l.Advance(fortnight)
		grant(l, "mandate", "bea", recorded(1), stranger)
		grant(l, "second mandate", "treasurer", recorded(1), issued(2))
	})
	alone("superseded-by-a-version-that-is-vetoed", "What was superseded does not come back when the version that took its place is vetoed.", func(l *life) {
		l.replaced(issued(2))
		l.Advance(time.Hour)
		next := l.enrol("version 2 of the persons", l.NextRoster(l.roster, func(r *spec.Roster) { r.Name = "we are still here" }))
		l.step("notice", "veto", l.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)), recorded(1))
		l.Advance(fortnight)
		grant(l, "mandate", "bea", recorded(1), stranger)
	})
	alone("declined-by-a-person", "A person's decline does not bind recovery keys.", func(l *life) {
		next := l.NextRoster(l.roster, l.Replace("treasurer", "Bea Nunes", "bea"))
		l.step("propose", "version 2", next, drafted)
		l.step("approve", "declined by treasurer", l.Say("treasurer", spec.Decline, spec.KindRoster, spec.ContentDigest(next.Value)), recorded(1))
		l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), recorded(1))
		l.step("approve", "by safe-2", l.ApproveRoster("safe-2", next), issued(2))
		l.Advance(fortnight)
		grant(l, "mandate", "bea", recorded(1), issued(2))
	})
	alone("on-top-of-a-version-that-waits", "What recovery keys put on top of a looser version does not make it count sooner.", func(l *life) {
		loosened := l.enrol("version 2", l.NextRoster(l.roster, func(r *spec.Roster) {
			r.Terms().Powers = append(r.Terms().Powers, spec.Power{Actions: []string{"payments.*"}, Persons: []string{"cfo"}, Threshold: 1})
		}))
		next := l.NextRoster(loosened, l.Replace("treasurer", "Bea Nunes", "bea"))
		l.step("propose", "version 3", next, drafted)
		l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), recorded(1))
		l.step("approve", "by safe-2", l.ApproveRoster("safe-2", next), issued(2))
		l.Advance(fortnight)
		m := l.Mandate(func(m *spec.Mandate) { m.Terms().Grantor.Approvers, m.Terms().Grantor.Threshold = []string{"cfo"}, 1 })
		l.step("propose", "mandate", m, refused("power-missing", "/credentialSubject/mandate/grantor/approvers"))
		l.step("notice", "veto", l.Notice("cfo", spec.ActVeto, spec.ContentDigest(loosened.Value)), recorded(1))
		grant(l, "second mandate", "treasurer", recorded(1), issued(2))
	}, func(r *spec.Roster) { r.Terms().ChangeDelay = "P60D" })
	alone("approved-by-persons-too", "What recovery keys approved is a version already: persons propose it as another content.", func(l *life) {
		next := l.replaced(issued(2))
		l.step("approve", "by treasurer", l.ApproveRoster("treasurer", next), recorded(1))
		l.step("approve", "by cfo", l.ApproveRoster("cfo", next), refused("roster-repeated", ""))
	})
	alone("removed-by-persons-a-moment-ago", "A change of the recovery keys waits as every addition does: until then the old ones may sign.", func(l *life) {
		l.roster = l.enrol("version 2 of the persons", l.NextRoster(l.roster, func(r *spec.Roster) { r.Terms().Recovery = nil }))
		next := l.NextRoster(l.roster, l.Replace("treasurer", "Bea Nunes", "bea"))
		l.step("propose", "version 3", next, drafted)
		l.step("approve", "by safe-1", l.ApproveRoster("safe-1", next), recorded(1))
		l.Advance(24 * time.Hour)
		l.step("approve", "by safe-2", l.ApproveRoster("safe-2", next), stranger)
	})
	alone("approving-a-mandate", "Recovery keys approve nothing but rosters.", func(l *life) {
		m := l.Mandate()
		l.step("propose", "mandate", m, drafted)
		l.step("approve", "by safe-1", l.ApproveMandate("safe-1", m), stranger)
	})
	vetoes(b)
	recoveryKeyDocuments(b)
	recoveredBundle(b)
}

// vetoes are of versions that persons approved.
func vetoes(b *book) {
	play := func(name, title string, change func(*spec.Roster), after func(l *life, next spec.Document)) {
		l := newLife(b, name)
		next := l.enrol("version 2", l.NextRoster(l.roster, change))
		l.Advance(time.Hour)
		l.step("notice", "veto", l.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)), recorded(1))
		after(l, next)
		l.finish("roster/"+name, "protocol.md 7.3: what may happen", title)
	}
	play("veto-by-the-revoker-who-is-dropped", "A version does not say who may veto it.", rosterTerms(func(t *spec.RosterTerms) { t.Revokers = []string{"treasurer"} }),
		func(*life, spec.Document) {})
	play("vetoed-and-approved-again", "A content that was vetoed is refused for good.", func(r *spec.Roster) { r.Name = "vetoed" },
		func(l *life, next spec.Document) {
			l.step("approve", "again by treasurer", l.ApproveRoster("treasurer", next), recorded(1))
			l.step("approve", "again by cfo", l.ApproveRoster("cfo", next), refused("roster-repeated", ""))
		})
}

func recoveryKeyDocuments(b *book) {
	w := world("recovery roster")
	roster := w.Roster(w.RecoverableBy(2, "safe-1", "safe-2"))
	const at = "/credentialSubject/roster/recovery"
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("roster/"+name, "protocol.md 4.1: rosters", title, roster.Type, b.changed(roster, edits...), want)
	}
	row("with-recovery", "Two recovery keys, fourteen days.", good(roster))
	row("recovery-after-thirteen-days", "The delay is at least fourteen days.", no("recovery-delay", at+"/delay"), set(at+"/delay", "P13DT23H59M59S"))
	row("recovery-by-more-keys-than-there-are", "The threshold can be met.", no("roster-threshold", at+"/threshold"), set(at+"/threshold", 3))
	row("recovery-key-of-a-person", "A recovery key is no person's.", no("roster-key", at+"/keys"), set(at+"/keys/0/publicKeyMultibase", w.Key("cfo").Public().Multikey()))
	row("recovery-key-twice", "Two keys are two.", no("roster-key", at+"/keys"), set(at+"/keys/0/publicKeyMultibase", w.Key("safe-2").Public().Multikey()))
}

func recoveredBundle(b *book) {
	l := newLife(b, "bundle recovery keys", world("bundle recovery keys").RecoverableBy(2, "safe-1", "safe-2"))
	l.replaced(issued(2))
	l.Advance(fortnight)
	m := l.Mandate(func(m *spec.Mandate) { m.ValidFrom = spec.At(writtest.Start) })
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "mandate by cfo", l.ApproveMandate("cfo", m), recorded(1))
	sealed := l.step("approve", "mandate by bea", l.ApproveMandate("bea", m), issued(2))
	s := l.share("recoverykeys", l.ask("invoice-1", "4200.00", authorized, sealed))
	s.put("persons-replaced-by-recovery-keys", "Persons were replaced by recovery keys; the mandate is approved by the new one.", spec.Authorized, BundleEnd{Holds: true})
	word := s.logged("/rosters/1/evidence/0/approval")
	s.put("persons-replaced-by-a-recovery-key-left-out", "The words of the recovery keys are in the version, each with its entry.", spec.Authorized,
		fails("intact", "bundle-logged", "/logged"), remove(word))
}
