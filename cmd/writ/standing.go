package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writ-trust/writ"
)

// standing says in a line where a roster version stands.
func standing(r writ.Roster, v writ.RosterVersion) string {
	said := "no longer in force"
	switch {
	case v.Vetoed:
		said = "vetoed"
	case v.Superseded:
		said = "superseded: another version came while it waited"
	case !v.WaitsUntil.IsZero():
		said = "waits until " + v.WaitsUntil.String() + ": " + meanwhile(v)
	case v.Content == r.InForce:
		said = "in force"
	}
	if v.ByRecoveryKeys {
		said += "; signed by recovery keys"
	}
	return said
}

// meanwhile says what a version that waits counts for already.
func meanwhile(v writ.RosterVersion) string {
	if v.ByRecoveryKeys {
		return "it counts for nothing yet"
	}
	return "what it takes away counts already, what it adds or loosens not yet"
}

// printWaiting says from when on a roster version that was just issued counts, and who may veto it before.
func (c *connection) printWaiting(sys *system, content string) {
	r, err := c.Roster(c.ctx, content)
	if err != nil {
		fmt.Fprintf(sys.err, "from when on the version counts could not be read: %v\n", err)
		return
	}
	i := slices.IndexFunc(r.Versions, func(v writ.RosterVersion) bool { return v.Content == content && !v.WaitsUntil.IsZero() })
	if i < 0 {
		return
	}
	fmt.Fprintf(sys.out, "version %d %s\n", r.Versions[i].Version, standing(r, r.Versions[i]))
	if who := vetoers(r); len(who) > 0 {
		fmt.Fprintf(sys.out, "until then %s may veto it: writ notice veto %s --key FILE\n", strings.Join(who, ", "), content)
		return
	}
	fmt.Fprintln(sys.out, "nobody may veto it: the rosters in force share no revoker")
}

// vetoers are the persons whom every roster in force lists among its revokers.
func vetoers(r writ.Roster) (who []string) {
	first := true
	for _, v := range r.Versions {
		counts := v.Content == r.InForce || !v.ByRecoveryKeys && !v.WaitsUntil.IsZero()
		body, err := rosterIn(v.Credential)
		if !counts || err != nil {
			continue
		}
		revokers := body.Terms().Revokers
		if first {
			who, first = slices.Clone(revokers), false
		}
		who = slices.DeleteFunc(who, func(person string) bool { return !slices.Contains(revokers, person) })
	}
	return who
}
