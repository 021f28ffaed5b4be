package writtest

import "github.com/writ-trust/writ/spec"

// RecoverableBy gives a roster recovery keys by these names, of which so many replace its persons after 14 days.
func (w *World) RecoverableBy(threshold int64, names ...string) func(*spec.Roster) {
	return func(r *spec.Roster) {
		r.Terms().Recovery = &spec.RosterRecovery{Threshold: threshold, Delay: "P14D"}
		for _, n := range names {
			r.Terms().Recovery.Keys = append(r.Terms().Recovery.Keys, spec.RecoveryKey{ID: w.KeyID(n), PublicKey: w.multikey(n)})
		}
	}
}

// Replace puts somebody else, with the key of this name, in a person's place.
func (w *World) Replace(person, display, key string) func(*spec.Roster) {
	return func(r *spec.Roster) {
		for i := range r.Terms().Persons {
			if p := &r.Terms().Persons[i]; p.Person == person {
				p.Name = display
				p.Keys = []spec.PersonKey{{ID: w.KeyID(key), PublicKey: w.multikey(key), Kind: "key", Grade: spec.GradeDevice}}
			}
		}
	}
}
