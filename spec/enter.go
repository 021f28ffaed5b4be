//go:build !plant_second_begin

package spec

import "time"

// Promise: a hold is entered once, in time (invariant 6).

// admits refuses a begin, by its digest, of a hold that another one entered, or that nobody may enter any more.
func (h *Hold) admits(begin string, now time.Time) error {
	switch {
	case h.Status == HoldEntered && h.Begin != begin, h.Charged:
		return refuse("hold-entered", "/decision", "the hold is entered already")
	case h.Status == HoldLapsed || !now.Before(h.ExecuteBefore):
		return refuse("hold-lapsed", "/decision", "the leave to execute ended at %s", At(h.ExecuteBefore))
	case h.Status != HoldHeld:
		return refuse("hold-closed", "/decision", "the hold is %s", h.Status)
	}
	return nil
}
