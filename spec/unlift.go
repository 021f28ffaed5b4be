//go:build !plant_lift_kept

package spec

// Promise: a lift stands only as long as the hold that it admitted (invariant 4).

// unlift takes what is released of a line off its lift first. Where a window has excess a lift may be larger than the amount that it
// admitted: with the whole amount all of it goes.
func (w *Window) unlift(l *HoldLine) {
	back := l.Lift
	if l.Open < l.Amount {
		back = min(l.Open, l.Lift)
	}
	if back == 0 {
		return
	}
	w.Lifted -= back
	if l.Lift -= back; l.Lift == 0 {
		w.Lifts--
	}
}
