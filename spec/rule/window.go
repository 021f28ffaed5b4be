package rule

import "time"

// A Window is the time [From, To) in UTC. A zero From has no beginning, a zero To no end: the window of a total is
// the zero Window.
type Window struct{ From, To time.Time }

// Contains reports whether the instant lies in the window.
func (w Window) Contains(at time.Time) bool {
	return !at.Before(w.From) && (w.To.IsZero() || at.Before(w.To))
}

// Periods of windows (ISO 8601 durations); no period means for ever.
const (
	Day   = "P1D"
	Week  = "P1W"
	Month = "P1M"
	Year  = "P1Y"
)

// The instants for which windows are defined; outside them dates would not have four digits.
var (
	firstInstant = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)
)

func inRange(at time.Time) bool { return !at.Before(firstInstant) && at.Before(lastInstant) }

// Calendar returns the calendar day, ISO week, month or year of the zone that holds the instant.
// A day begins at the first instant of its local date (protocol.md 5.1): at 01:00 where clocks skip midnight,
// and never twice where they are set back across it. So the windows of a zone tile time without gap or overlap.
// It fails with period-unknown, zone-unknown, or time-range outside 1970 to 9997.
func Calendar(per, zone string, at time.Time) (Window, error) {
	loc, err := Zone(zone)
	if err != nil {
		return Window{}, err
	}
	if !inRange(at) {
		return Window{}, refuse(ReasonTimeRange, "", "windows are defined from 1970 to 9997")
	}
	from, to, ok := period(per, dayOf(loc, at))
	if !ok {
		return Window{}, refuse(ReasonPeriodUnknown, "/per", "a period is P1D, P1W, P1M or P1Y")
	}
	return between(loc, from, to), nil
}

// Dates are written as midnight UTC of that date; only their year, month and day count.

// period returns the first date of the period that holds the date, and the first after it.
func period(per string, date time.Time) (from, to time.Time, ok bool) {
	switch per {
	case Day:
		return date, date.AddDate(0, 0, 1), true
	case Week: // ISO 8601: from Monday
		monday := date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
		return monday, monday.AddDate(0, 0, 7), true
	case Month:
		first := date.AddDate(0, 0, 1-date.Day())
		return first, first.AddDate(0, 1, 0), true
	case Year:
		first := dateOf(date.Year(), time.January, 1)
		return first, first.AddDate(1, 0, 0), true
	}
	return time.Time{}, time.Time{}, false
}

func dateOf(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// dayOf returns the date of the newest day that has begun at the instant. Where clocks are set back across midnight
// that is the later date, although they show the earlier one again.
func dayOf(loc *time.Location, at time.Time) time.Time {
	date := dateOf(at.In(loc).Date())
	for {
		next := date.AddDate(0, 0, 1)
		if at.Before(dayStart(loc, next)) {
			return date
		}
		date = next
	}
}

// dayStart returns the first instant whose local date is the given one or, where clocks skip it, a later one.
// It walks the spans of constant offset around the date: within one the answer is plain subtraction.
func dayStart(loc *time.Location, date time.Time) time.Time {
	at := date.Add(-36 * time.Hour).In(loc) // no offset is that large: still the day before, everywhere
	for {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if !end.IsZero() && !end.After(at) { // the standard library ends a leap year's last day where it begins
			end = at.Add(time.Hour)
		}
		first := date.Add(-time.Duration(offset) * time.Second)
		if first.Before(at) {
			first = at
		}
		if end.IsZero() || first.Before(end) {
			return first.UTC()
		}
		at = end
	}
}

// rolls says how rolling windows are summed: buckets of fixed length, counted from 1970-01-01T00:00:00Z. A month
// rolls as 31 days and a year as 366, never less than the calendar's.
var rolls = map[string]struct {
	length time.Duration
	bucket time.Duration // divides length
}{
	Day:   {24 * time.Hour, time.Hour},
	Week:  {7 * 24 * time.Hour, 6 * time.Hour},
	Month: {31 * 24 * time.Hour, 24 * time.Hour},
	Year:  {366 * 24 * time.Hour, 24 * time.Hour},
}

// Rolling returns the bucket that holds the instant, the window that is summed there, and when the bucket has left all
// sums. The sum covers every bucket that is not wholly older than the period, so at least the period and at most one
// bucket more: any stretch of time of the period's length keeps the limit. It fails like Calendar.
func Rolling(per string, at time.Time) (bucket, sum Window, until time.Time, err error) {
	r, ok := rolls[per]
	if !ok {
		return bucket, sum, until, refuse(ReasonPeriodUnknown, "/per", "a period is P1D, P1W, P1M or P1Y")
	}
	if !inRange(at) {
		return bucket, sum, until, refuse(ReasonTimeRange, "", "windows are defined from 1970 to 9997")
	}
	from := at.UTC().Truncate(r.bucket) // from the zero time, which all bucket lengths divide as they do 1970
	bucket = Window{From: from, To: from.Add(r.bucket)}
	sum = Window{From: from.Add(-r.length), To: bucket.To}
	return bucket, sum, bucket.To.Add(r.length), nil
}
