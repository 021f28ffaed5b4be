//go:build plant_day_of_24_hours

package rule

import "time"

// Planted: a day has 24 hours.

func between(loc *time.Location, from, to time.Time) Window {
	start := dayStart(loc, from)
	return Window{From: start, To: start.Add(to.Sub(from))}
}
