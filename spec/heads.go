//go:build !plant_previous_skipped

package spec

// Promise: an entry is the head of every chain that it is on, and the next one names it (invariant 8).

// moveHeads makes the entry with this leaf hash the newest of the chains.
func (ss States) moveHeads(chains []string, leaf string) {
	for _, chain := range chains {
		ss[chain].Head = leaf
	}
}
