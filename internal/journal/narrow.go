//go:build !plant_neighbour_seen

package journal

import "github.com/writ-trust/writ/spec"

// Promise: an answer is the same whatever shares its batch (invariant 11).

// narrowed is the state as an operation of its own would have loaded it: without the settled holds and proposals that only a
// neighbour in the batch asked for. So an answer is the same whatever shares its batch.
func narrowed(s *spec.State, decisions []string) *spec.State { return unsettled(s, decisions) }
