//go:build !plant_old_roster

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: who may act is judged by the roster that is in force under the lock (invariant 9).

// moved says that the roster is newer than the one that open judged by.
func moved(roster *spec.State, judgedBy string) bool { return roster.NewestContent() != judgedBy }
