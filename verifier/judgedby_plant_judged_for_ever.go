//go:build plant_judged_for_ever

package verifier

import "github.com/writ-trust/writ/spec"

// Planted: a mandate that passed once passes under every later roster.

func judgedBy(m Mandate, roster *spec.State) judgedKey { return judgedKey{m.sum, roster.Content} }
