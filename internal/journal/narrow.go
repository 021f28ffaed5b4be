//go:build !plant_neighbour_seen

package journal

import (
	"slices"

	"github.com/writ-trust/writ/spec"
)

// Promise: an answer is the same whatever shares its batch (invariant 11).

// narrowed is the state as an operation of its own would have loaded it: without the settled holds and proposals that only a
// neighbour in the batch asked for. So an answer is the same whatever shares its batch.
func narrowed(s *spec.State, decisions []string) *spec.State {
	n := *s
	n.Holds = keep(s.Holds, func(h spec.Hold) bool { return h.IsOpen() || slices.Contains(decisions, h.Decision) })
	n.Proposals = keep(s.Proposals, func(p spec.Proposal) bool { return openProposal(p) || slices.Contains(decisions, p.Decision) })
	return &n
}
