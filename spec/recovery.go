package spec

import (
	"cmp"
	"slices"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// RosterRecovery are keys kept offline that may replace the persons of a roster when too few of them are left to change it (protocol.md
// 6.8). What they sign counts only after Delay, an ISO 8601 duration of at least 14 days.
type RosterRecovery struct {
	Keys      []RecoveryKey `json:"keys"`
	Threshold int64         `json:"threshold"`
	Delay     string        `json:"delay"`
}

// RecoveryKey is a key of no person.
type RecoveryKey struct {
	ID        string `json:"id"`
	PublicKey string `json:"publicKeyMultibase"`
}

const leastRecoveryDelay = 14 * 24 * time.Hour

func (t *RosterTerms) checkRecovery() error {
	const place = "/credentialSubject/roster/recovery"
	r := t.Recovery
	if r == nil {
		return nil
	}
	if r.Threshold < 1 || int(r.Threshold) > len(r.Keys) {
		return refuse("roster-threshold", place+"/threshold", "between 1 and the number of recovery keys")
	}
	delay, err := ParseDuration(r.Delay)
	if err != nil {
		return at(place+"/delay", err)
	}
	if delay < leastRecoveryDelay {
		return refuse("recovery-delay", place+"/delay", "at least P14D")
	}
	var ids, keys []string
	for _, k := range r.Keys {
		if _, err := did.ParseMultikey(k.PublicKey); err != nil {
			return refuse("key-syntax", place+"/keys", "%v", err)
		}
		if p, _ := t.keyOf(k.ID); k.ID == "" || p != nil || t.holds(k.PublicKey) {
			return refuse("roster-key", place+"/keys", "a recovery key and its id are no person's")
		}
		ids, keys = append(ids, k.ID), append(keys, k.PublicKey)
	}
	if !distinct(ids) || !distinct(keys) {
		return refuse("roster-key", place+"/keys", "recovery keys and their ids are distinct")
	}
	return nil
}

// holds says whether a person of the roster has the public key.
func (t *RosterTerms) holds(public string) bool {
	return slices.ContainsFunc(t.Persons, func(p Person) bool {
		return slices.ContainsFunc(p.Keys, func(k PersonKey) bool { return k.PublicKey == public })
	})
}

// recoveryKey finds a recovery key by its id.
func (t *RosterTerms) recoveryKey(id string) (did.PublicKey, bool) {
	if t.Recovery == nil {
		return did.PublicKey{}, false
	}
	i := slices.IndexFunc(t.Recovery.Keys, func(k RecoveryKey) bool { return k.ID == id })
	if i < 0 {
		return did.PublicKey{}, false
	}
	key, err := did.ParseMultikey(t.Recovery.Keys[i].PublicKey)
	return key, err == nil
}

// RecoveryKey returns the public key with this id that may sign for the persons of the roster at an instant: those of the version whose
// change delay is over count, so that a change of them waits.
func (s *State) RecoveryKey(id string, now time.Time) (did.PublicKey, bool) {
	force := s.InForce(now)
	if len(force) == 0 {
		return did.PublicKey{}, false
	}
	return force[len(force)-1].Terms().recoveryKey(id)
}

// CheckRecoveryWord refuses a word of a recovery key that could not count: on a version that does more than replace persons, or that is
// not signed by the key. known says whether the approver is a recovery key at all.
func (s *State) CheckRecoveryWord(word Document, version *Roster, now time.Time) (known bool, err error) {
	a := word.Body.(*Approval)
	key, known := s.RecoveryKey(a.Approver, now)
	if !known {
		return false, nil
	}
	if err := s.replacesPersons(version, now); err != nil {
		return true, err
	}
	return true, verifyApproval(word, key)
}

// Recovered says from when on a version counts that recovery keys have approved as the newest, as many as the recovery asks, and that
// only replaces persons. persons is why the persons' words are not enough, too few or a decline, and is the answer where no recovery
// key has approved; too few of these is ReasonApprovalsMissing.
func (s *State) Recovered(version *Roster, content string, now time.Time, persons error) (countsFrom time.Time, err error) {
	force := s.InForce(now)
	if !isMissing(persons) && !hasReason(persons, reasonDeclined) || len(force) == 0 || force[len(force)-1].Terms().Recovery == nil {
		return countsFrom, persons
	}
	judge := force[len(force)-1].Terms()
	approved, err := s.recoveryWords(judge, content)
	if err != nil {
		return countsFrom, err
	}
	switch {
	case approved == 0:
		return countsFrom, persons
	case approved < judge.Recovery.Threshold:
		return countsFrom, refuse(ReasonApprovalsMissing, "", "%d persons, or %d recovery keys, must approve", judge.ChangeThreshold, judge.Recovery.Threshold)
	}
	delay, err := ParseDuration(judge.Recovery.Delay)
	if err != nil {
		return countsFrom, err
	}
	return now.Add(delay), s.replacesPersons(version, now)
}

// recoveryWords counts the recovery keys whose word on a content is approve; the decline of one ends it.
func (s *State) recoveryWords(judge *RosterTerms, content string) (int64, error) {
	approved := map[string]bool{}
	for _, l := range s.Pending {
		a := l.Body()
		key, known := judge.recoveryKey(a.Approver)
		if !known || a.Kind != KindRoster || a.Content != content {
			continue
		}
		if err := verifyApproval(l.Document, key); err != nil {
			return 0, err
		}
		if a.declines() {
			return 0, refuse(reasonDeclined, "", "a recovery key declined")
		}
		if approved[a.Approver] = a.Decision == Approve && l.At.Before(a.Expires.Time); !approved[a.Approver] {
			delete(approved, a.Approver)
		}
	}
	return int64(len(approved)), nil
}

// RecoveryOf is what recovery keys could approve a draft of the next version under, nil where they cannot: by the version whose change
// delay is over, and if the draft replaces persons alone.
func (s *State) RecoveryOf(version *Roster, now time.Time) *RosterRecovery {
	force := s.InForce(now)
	if len(force) == 0 || s.replacesPersons(version, now) != nil {
		return nil
	}
	return force[len(force)-1].Terms().Recovery
}

// replacesPersons refuses a version that changes more than who the persons of the newest are: their names and keys. Nobody gets a key of
// a better grade than the best that the person has.
func (s *State) replacesPersons(after *Roster, now time.Time) error {
	const place = "/credentialSubject/roster"
	a, b := *s.Newest().withCompromised(s.compromised()).Terms(), *after.Terms()
	if len(a.Persons) != len(b.Persons) {
		return refuse("recovery-other", place+"/persons", "recovery keys replace persons, none comes or goes")
	}
	for i := range a.Persons {
		if a.Persons[i].Person != b.Persons[i].Person {
			return refuse("recovery-other", place+"/persons", "persons keep what they are called in the roster")
		}
		for _, k := range b.Persons[i].Keys {
			if !bestGrade(a.Persons[i].Keys, now).AtLeast(k.Grade) {
				return refuse("recovery-other", place+"/persons", "no key is of a better grade than the person has")
			}
		}
	}
	b.Persons, b.Version, b.Previous = a.Persons, a.Version, a.Previous
	x, err := jcs.ValueOf(a)
	if err != nil {
		return err
	}
	y, err := jcs.ValueOf(b)
	if err == nil && !x.Equal(y) {
		return refuse("recovery-other", place, "recovery keys change nothing but persons")
	}
	return err
}

// bestGrade is the best of a person's keys that are not compromised; where all are, which is what recovery is for, of those.
func bestGrade(keys []PersonKey, now time.Time) (best Grade) {
	var lost Grade
	for _, k := range keys {
		switch {
		case k.Kind != "key":
		case k.compromisedAt(now):
			lost = strictest(k.Grade, lost)
		default:
			best = strictest(k.Grade, best)
		}
	}
	return cmp.Or(best, lost)
}

// mature makes versions that recovery keys approved count from their time on.
func (s *State) mature(now time.Time) {
	for i := range s.Versions {
		if v := &s.Versions[i]; v.Waits && !now.Before(v.CountsFrom) {
			v.Waits = false
		}
	}
}

func (s *State) maturesBy(now time.Time) bool {
	return slices.ContainsFunc(s.Versions, func(v RosterVersion) bool { return v.Waits && !now.Before(v.CountsFrom) })
}

// supersede ends what recovery keys approved and what still waits: another version came first.
func (s *State) supersede(now time.Time) {
	for i := range s.Versions {
		if v := &s.Versions[i]; v.Waits {
			v.Vetoed, v.VetoedAt, v.Superseded = true, now, true
		}
	}
}

// start is from when on the version is one at all.
func (v RosterVersion) start() time.Time {
	if v.CountsFrom.IsZero() {
		return v.At
	}
	return v.CountsFrom
}

// ReplacedIn are the numbers of the versions in which recovery keys replaced persons, and which count.
func (s *State) ReplacedIn() (versions []int64) {
	for _, v := range s.Versions {
		if !v.CountsFrom.IsZero() && !v.Vetoed && !v.Waits {
			versions = append(versions, v.Document.Body.(*Roster).Terms().Version)
		}
	}
	return versions
}
