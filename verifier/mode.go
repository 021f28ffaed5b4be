//go:build !plant_modes_mix

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: no document of test mode is taken for a live one, nor a live one for a test (invariant 11).

// checkMode refuses a document of another mode than the ledger's.
func (v *Verifier) checkMode(mode, pointer string) error {
	if mode != v.Mode {
		return spec.Refuse("mode-other", pointer, "a test document and a live ledger never mix")
	}
	return nil
}
