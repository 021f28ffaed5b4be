package spec

import (
	"math"
	"slices"
	"time"

	"github.com/writ-trust/writ/spec/rule"
)

// Total sums the windows of a limit from sumFrom up to the end of the window at from: one window for calendar limits,
// several buckets for rolling ones. Max is that of the window itself.
func (s *State) Total(constraint, unit string, sumFrom, to time.Time) Window {
	sum := Window{Constraint: constraint, Unit: unit, From: sumFrom, To: to}
	for _, w := range s.Windows {
		if w.Constraint != constraint || w.Unit != unit || w.From.Before(sumFrom) || !to.IsZero() && !w.From.Before(to) {
			continue
		}
		sum.Lifted += w.Lifted
		sum.Held += w.Held
		sum.Committed += w.Committed
		sum.Excess += w.Excess
		sum.Lifts += w.Lifts
	}
	return sum
}

func (s *State) window(constraint, unit string, from time.Time) *Window {
	for i := range s.Windows {
		if w := &s.Windows[i]; w.Constraint == constraint && w.Unit == unit && w.From.Equal(from) {
			return w
		}
	}
	return nil
}

// openWindow returns the window, made if it is new; the windows stay sorted by constraint, unit and start.
func (s *State) openWindow(constraint, unit string, from, to time.Time, maximum int64) *Window {
	if w := s.window(constraint, unit, from); w != nil {
		return w
	}
	w := Window{Constraint: constraint, Unit: unit, From: from, To: to, Max: maximum}
	i, _ := slices.BinarySearchFunc(s.Windows, w, compareWindows)
	s.Windows = slices.Insert(s.Windows, i, w)
	return &s.Windows[i]
}

func compareWindows(a, b Window) int {
	switch {
	case a.Constraint != b.Constraint:
		return cmpString(a.Constraint, b.Constraint)
	case a.Unit != b.Unit:
		return cmpString(a.Unit, b.Unit)
	}
	return a.From.Compare(b.From)
}

func cmpString(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// openWindows are those that a state commitment shows: not over at the newest entry, or with an open hold.
func (s *State) openWindows() []Window {
	var open []Window
	for _, w := range s.Windows {
		if w.To.IsZero() || s.At.Before(w.To) || w.Held > 0 {
			open = append(open, w)
		}
	}
	return open
}

// take adds one usage line of an AUTHORIZED decision: to held, or to committed where the agent executes itself. It holds
// the line against the limit once more, whatever Decide said: used + amount ≤ max + lifted + lift, excess counted as used.
func (s *State) take(u Usage, selfExecuted bool) (HoldLine, error) {
	n, err := u.units()
	if err != nil {
		return HoldLine{}, err
	}
	total := s.Total(u.account(), u.Unit, u.sumFrom(), u.To.Time)
	if (rule.Draw{Unit: u.Unit, Max: n.max, Amount: n.amount}).Over(total.Used(), n.max, total.Lifted+n.lift) > 0 {
		return HoldLine{}, refuse("budget-exceeded", "/usage", "%s would be exceeded", u.Constraint)
	}
	w := s.openWindow(u.account(), u.Unit, u.From.Time, u.To.Time, n.max)
	w.Max = n.max
	w.Lifted += n.lift
	if n.lift > 0 {
		w.Lifts++
	}
	if selfExecuted {
		w.Committed += n.amount
	} else {
		w.Held += n.amount
	}
	return HoldLine{Constraint: u.account(), Unit: u.Unit, From: u.From.Time, Amount: n.amount, Open: n.amount, Lift: n.lift}, nil
}

// Window is the account that the row says it found.
func (u Usage) Window() Window {
	units := func(s string) int64 {
		n, _ := rule.ParseUnits(s, u.Unit)
		return n
	}
	return Window{Constraint: u.account(), Unit: u.Unit, From: u.From.Time, To: u.To.Time, Max: units(u.Max), Lifted: units(u.Before.Lifted),
		Held: units(u.Before.Held), Committed: units(u.Before.Committed), Excess: units(u.Before.Excess), Lifts: u.Before.Lifts}
}

// sumFrom is where the sum begins that the row is held against.
func (u Usage) sumFrom() time.Time {
	if u.SumFrom.IsZero() {
		return u.From.Time
	}
	return u.SumFrom.Time
}

type usageUnits struct{ max, amount, lift int64 }

func (u Usage) units() (n usageUnits, err error) {
	if n.max, err = rule.ParseUnits(u.Max, u.Unit); err != nil {
		return n, at("/usage/max", err)
	}
	if n.amount, err = rule.ParseUnits(u.Amount, u.Unit); err != nil {
		return n, at("/usage/amount", err)
	}
	if u.Lift != "" {
		if n.lift, err = rule.ParseUnits(u.Lift, u.Unit); err != nil {
			return n, at("/usage/lift", err)
		}
	}
	return n, nil
}

// release gives back what is open of a hold; what is released is taken off its lift first.
func (s *State) release(h *Hold) {
	for i := range h.Lines {
		l := &h.Lines[i]
		w := s.window(l.Constraint, l.Unit, l.From)
		if w == nil || l.Open == 0 {
			continue
		}
		w.Held -= l.Open
		w.unlift(l)
		l.settle()
	}
}

// capture books what a report executed: the whole amount goes to committed, and what is above the open hold to excess too.
// A hold that was never entered, or lapsed, is open for nothing. It says whether anything was above.
func (s *State) capture(h *Hold, amount int64) (exceeded bool, err error) {
	entered := h.Status == HoldEntered || h.SelfExecuted && !h.Reconciled
	exceeded = !entered
	for i := range h.Lines {
		l := &h.Lines[i]
		w := s.window(l.Constraint, l.Unit, l.From)
		if w == nil {
			return false, refuse("window-unknown", "", "the window of %s is not loaded", l.Constraint)
		}
		units := amount
		if l.Unit == rule.UnitCount {
			if units = 1; h.Executed {
				units = 0
			}
		}
		within := int64(0)
		if entered {
			within = min(units, l.Open)
		}
		if err := w.book(units, within, h.SelfExecuted); err != nil {
			return false, err
		}
		l.Open -= within
	}
	if h.Captured > math.MaxInt64-amount {
		return false, refuse("money-overflow", "/amount", "the reported amounts overflow")
	}
	h.Captured += amount
	return exceeded || h.Captured > h.Amount, nil
}

func (w *Window) book(units, within int64, selfExecuted bool) error {
	over := units - within
	if w.Committed > math.MaxInt64-units || w.Excess > math.MaxInt64-over {
		return refuse("money-overflow", "/amount", "the reported amounts overflow")
	}
	w.Excess += over
	if selfExecuted { // what is within was committed with the decision
		w.Committed += over
		return nil
	}
	w.Held -= within
	w.Committed += units
	return nil
}
