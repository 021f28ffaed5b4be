//go:build !plant_day_of_24_hours

package rule

import "time"

// Promise: windows tile time: a day ends where the next begins (invariant 4).

// between is the window from the first instant of one date to that of another.
func between(loc *time.Location, from, to time.Time) Window {
	return Window{From: dayStart(loc, from), To: dayStart(loc, to)}
}
