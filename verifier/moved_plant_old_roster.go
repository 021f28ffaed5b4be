//go:build plant_old_roster

package verifier

import "github.com/writ-trust/writ/spec"

// Planted: what open found is good enough.

func moved(*spec.State, string) bool { return false }
