//go:build plant_absent_passes

package rule

import "time"

// Planted: what is absent is none of the values.

// Check is wrong here.
func (c *noneOf) Check(a Action, _ time.Time) *Violation {
	if v := c.judged(c, a); v == nil || v.Reason != ReasonValueAbsent {
		return v
	}
	return nil
}
