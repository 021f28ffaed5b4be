//go:build plant_period_in_utc

package rule

import "time"

// Planted: every zone is UTC.

func (s span) calendar(at time.Time) (Window, error) { return Calendar(s.Per, "UTC", at) }
