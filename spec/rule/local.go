//go:build !plant_period_in_utc

package rule

import "time"

// Promise: a calendar period is that of the limit's zone (invariant 4).

// calendar is the window of the span's zone that holds the instant.
func (s span) calendar(at time.Time) (Window, error) { return Calendar(s.Per, s.Zone, at) }
