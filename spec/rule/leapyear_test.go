package rule

import (
	"testing"
	"time"
)

// TestCalendarAtLeapYearEnd: the standard library's ZoneBounds gives the span of 31 December of a leap year an end that is its own
// beginning, in every zone whose rules change offsets. Windows must be found there all the same, and be a day long.
func TestCalendarAtLeapYearEnd(t *testing.T) {
	for _, zone := range []string{"Europe/Lisbon", "America/New_York", "America/Havana", "Asia/Beirut", "Australia/Sydney", "UTC"} {
		for _, year := range []int{2024, 2028, 2040, 2096} {
			for day := 29; day <= 33; day++ {
				at := time.Date(year, 12, day, 12, 0, 0, 0, time.UTC)
				for _, per := range []string{Day, Week, Month, Year} {
					w, err := Calendar(per, zone, at)
					if err != nil || !w.Contains(at) {
						t.Fatalf("%s %s at %s: %v %v", per, zone, at, w, err)
					}
					if length := w.To.Sub(w.From); per == Day && length != 24*time.Hour {
						t.Errorf("%s at %s: a day of %s", zone, at, length)
					}
				}
			}
		}
	}
}
