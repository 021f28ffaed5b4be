//go:build !plant_lift_kept

package spec

// Promise: a lift stands only as long as the hold that it admitted (invariant 4).

// unlift takes what is released of a line off its lift first.
func (w *Window) unlift(l *HoldLine) {
	back := min(l.Open, l.Lift)
	if back == 0 {
		return
	}
	w.Lifted -= back
	if l.Lift -= back; l.Lift == 0 {
		w.Lifts--
	}
}
