//go:build !plant_time_goes_back

package journal

import "time"

// Promise: ledger time never goes back (invariant 9).

// notBefore is the clock's time or, where that is earlier, the last one.
func notBefore(clock, last time.Time) time.Time {
	if clock.Before(last) {
		return last
	}
	return clock
}
