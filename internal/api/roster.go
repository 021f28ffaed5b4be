package api

import (
	"time"

	"github.com/writ-trust/writ/spec"
)

// rosterOf writes a roster's chain down, as it stands at an instant.
func rosterOf(grantor string, state *spec.State, now time.Time) *roster {
	state = state.AsOf(now)
	out := &roster{Grantor: grantor, Chain: state.Chain, Seq: state.Seq, First: state.Content, Content: state.NewestContent(), InForce: state.CountsContent(now)}
	for _, v := range state.Versions {
		out.Versions = append(out.Versions, rosterVersion{Version: v.Document.Body.(*spec.Roster).Terms().Version, Content: v.Content,
			At: spec.At(v.At), ByRecoveryKeys: !v.CountsFrom.IsZero(), WaitsUntil: spec.Time{Time: state.WaitsUntil(v.Content, now)},
			Vetoed: v.Vetoed && !v.Superseded, Superseded: v.Superseded, Credential: v.Document.Value})
	}
	return out
}

// recoveryKeysOf writes down which recovery keys may approve, nil where none.
func recoveryKeysOf(r *spec.RosterRecovery) *draftRecovery {
	if r == nil {
		return nil
	}
	out := &draftRecovery{Threshold: r.Threshold, Delay: r.Delay}
	for _, k := range r.Keys {
		out.Approvers = append(out.Approvers, k.ID)
	}
	return out
}
