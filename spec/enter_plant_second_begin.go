//go:build plant_second_begin

package spec

import "time"

// Planted: a hold that was entered is entered again.

func (h *Hold) admits(_ string, now time.Time) error {
	switch {
	case h.Status == HoldLapsed || !now.Before(h.ExecuteBefore):
		return refuse("hold-lapsed", "/decision", "the leave to execute ended at %s", At(h.ExecuteBefore))
	case h.Status != HoldHeld && h.Status != HoldEntered:
		return refuse("hold-closed", "/decision", "the hold is %s", h.Status)
	}
	return nil
}
