//go:build !plant_ancestors_uncharged

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: every mandate of the chain is charged (invariant 3).

// charged are the decision's lines, of every mandate of the chain.
func (d *deciding) charged() []spec.Usage { return d.usage }
