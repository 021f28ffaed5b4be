//go:build plant_ancestors_uncharged

package verifier

import (
	"slices"

	"github.com/writ-trust/writ/spec"
)

// Planted: only the leaf is charged.

func (d *deciding) charged() []spec.Usage {
	return slices.DeleteFunc(d.usage, func(u spec.Usage) bool { return u.Policy == "" && u.Mandate != d.leaf().Content })
}
