//go:build plant_other_ledger

package verifier

import "github.com/writ-trust/writ/spec"

// Planted: whoever is asked decides.

func (v *Verifier) keeps(spec.Ledger, string) bool { return true }
