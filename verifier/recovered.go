package verifier

import (
	"fmt"
	"strings"

	"github.com/writ-trust/writ/spec"
)

// replaced says in anchored that recovery keys, and not persons, put versions of the roster in force (protocol.md 14.3): only the fold
// of decision knows it.
func (c *checking) replaced() {
	if !c.replayed {
		return
	}
	r := c.states.Roster(c.rosters[0].Body.(*spec.Roster).Terms().Grantor)
	for i := range c.out.Verdicts {
		if v := &c.out.Verdicts[i]; r != nil && v.Name == Anchored && v.Outcome == Holds {
			v.Detail = strings.Join(append([]string{v.Detail}, replacedIn(r)...), "; ")
		}
	}
}

func replacedIn(r *spec.State) (said []string) {
	for _, version := range r.ReplacedIn() {
		said = append(said, fmt.Sprintf("persons replaced by recovery keys in version %d", version))
	}
	return said
}
