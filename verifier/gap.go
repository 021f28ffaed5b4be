//go:build !plant_chain_gap

package verifier

// Promise: nobody's word before a mandate is left out of a bundle (invariant 10).

// leftOut says that an entry is missing between two that follow each other in a bundle. Once a mandate is issued, its chain is
// everybody's, and not all of it is in one bundle.
func leftOut(seq, last int64, issued bool) bool { return !issued && seq != last+1 }
