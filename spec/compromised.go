//go:build !plant_compromised_key

package spec

import "time"

// Promise: a compromised key counts for nothing from that instant on (invariant 9).

// compromisedAt says that the key was no longer the person's alone at the instant.
func (k *PersonKey) compromisedAt(at time.Time) bool {
	return !k.CompromisedSince.IsZero() && !at.Before(k.CompromisedSince.Time)
}
