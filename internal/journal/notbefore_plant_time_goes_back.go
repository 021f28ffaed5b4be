//go:build plant_time_goes_back

package journal

import "time"

// Planted: a clock that is set back sets the ledger back.

func notBefore(clock, _ time.Time) time.Time { return clock }
