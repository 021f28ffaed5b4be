//go:build !plant_absent_passes

package rule

import "time"

// Promise: an absent field violates a constraint of any type (invariant 10).

// Check implements Constraint.
func (c *noneOf) Check(a Action, _ time.Time) *Violation { return c.judged(c, a) }
