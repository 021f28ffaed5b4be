//go:build !plant_begin_not_linked

package spec

// Promise: a begin is an event of every chain that its decision charged (invariants 3 and 4).

// begunChains are the contents of the chains that a begin is linked to.
func (ss States) begunChains(decision string) ([]string, error) { return ss.holdChains(decision) }
