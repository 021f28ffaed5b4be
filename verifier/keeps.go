//go:build !plant_other_ledger

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: nobody but the mandate's own ledger decides (invariant 5).

// keeps says whether this verifier keeps the account that the mandate names, and is the one that the caller asked.
func (v *Verifier) keeps(l spec.Ledger, asked string) bool {
	return l.Verifier == v.DID && l.Log == v.Log && asked == v.DID
}
