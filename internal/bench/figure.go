package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// figure is one line of the table and one object of bench-results.json.
type figure struct {
	Name   string   `json:"name"`
	Case   string   `json:"case"`
	Value  float64  `json:"value"`
	Unit   string   `json:"unit"`
	Target string   `json:"target,omitempty"`
	Met    *bool    `json:"met,omitempty"` // absent where there is no target
	Floor  *float64 `json:"floor,omitempty"`
	Peer   *float64 `json:"peer,omitempty"`
	Ratio  *float64 `json:"ratio,omitempty"` // value / floor, or value / peer
	Note   string   `json:"note,omitempty"`
}

// add appends a figure that stands by itself.
func (r *run) add(name, of string, value float64, unit string) *figure {
	r.figures = append(r.figures, figure{Name: name, Case: of, Value: value, Unit: unit})
	return &r.figures[len(r.figures)-1]
}

// over compares with a floor, in the same unit.
func (f *figure) over(floor float64) *figure {
	f.Floor, f.Ratio = &floor, ratioOf(f.Value, floor)
	return f
}

// beside compares with a peer, in the same unit.
func (f *figure) beside(peer float64) *figure {
	f.Peer, f.Ratio = &peer, ratioOf(f.Value, peer)
	return f
}

func ratioOf(value, other float64) *float64 {
	if other == 0 {
		return nil
	}
	ratio := value / other
	return &ratio
}

// atMost and atLeast set a target for the value, ratioAtMost and ratioAtLeast for the ratio.
func (f *figure) atMost(limit float64) *figure {
	return f.target(fmt.Sprintf("≤ %g %s", limit, f.Unit), f.Value <= limit)
}

func (f *figure) ratioAtMost(limit float64) *figure {
	return f.target(fmt.Sprintf("ratio ≤ %g", limit), f.Ratio != nil && *f.Ratio <= limit)
}

func (f *figure) ratioAtLeast(limit float64) *figure {
	return f.target(fmt.Sprintf("ratio ≥ %g", limit), f.Ratio != nil && *f.Ratio >= limit)
}

func (f *figure) target(text string, met bool) *figure {
	f.Target, f.Met = text, &met
	return f
}

// noting says what a reader must know of the figure.
func (f *figure) noting(note string) *figure {
	f.Note = note
	return f
}

// writeResults writes the figures as one JSON array.
func writeResults(path string, all []figure) error {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// printTable prints the figures of one group.
func printTable(out io.Writer, group string, all []figure) {
	fmt.Fprintf(out, "\n%s\n", group)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Case, amount(f.Value, f.Unit), f.comparison(), f.verdict(), f.Note)
	}
	w.Flush()
}

func (f figure) comparison() string {
	switch {
	case f.Ratio == nil:
		return ""
	case f.Peer != nil:
		return fmt.Sprintf("%.2f × %s", *f.Ratio, amount(*f.Peer, f.Unit))
	}
	return fmt.Sprintf("%.2f × %s", *f.Ratio, amount(*f.Floor, f.Unit))
}

func (f figure) verdict() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return f.Target + ": met"
	}
	return f.Target + ": NOT MET"
}

func amount(v float64, unit string) string {
	digits := 0
	if math.Abs(v) < 100 && v != math.Trunc(v) {
		digits = 2
	}
	return fmt.Sprintf("%.*f %s", digits, v, unit)
}

// µs is a duration in microseconds, the unit of every time here but a start's.
func µs(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// quantile is the exact one of sorted durations, by nearest rank: the smallest that at least q of them do not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// each runs f n times, a warm-up before them uncounted, and returns how long each took, sorted.
func (m machine) each(n int, f func() error) ([]time.Duration, error) {
	for range max(1, n/10) {
		if err := f(); err != nil {
			return nil, err
		}
	}
	took := make([]time.Duration, n)
	for i := range took {
		start := m.now()
		if err := f(); err != nil {
			return nil, err
		}
		took[i] = m.now().Sub(start)
	}
	slices.Sort(took)
	return took, nil
}
