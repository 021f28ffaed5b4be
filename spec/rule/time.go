package rule

import "time"

const (
	secondForm = "2006-01-02T15:04:05Z"
	milliForm  = "2006-01-02T15:04:05.000Z"
)

// ParseTime reads an instant of protocol.md 2.1: RFC 3339 with a capital T and Z, from 1970 on, without a leap
// second, in whole seconds or with exactly three digits of a second that are not 000. So each instant has one form:
// what ParseTime accepts, FormatTime writes. It fails with time-form.
func ParseTime(s string) (time.Time, error) {
	form := secondForm
	if len(s) == len(milliForm) {
		form = milliForm
	}
	t, err := time.Parse(form, s)
	if err != nil || FormatTime(t) != s {
		return time.Time{}, refuse(ReasonTimeForm, "",
			"a time is like 2026-12-01T09:30:00Z or 2026-12-01T09:30:00.250Z, in UTC, a whole second without a fraction")
	}
	if t.Before(firstInstant) {
		return time.Time{}, refuse(ReasonTimeForm, "", "a time is not before 1970")
	}
	return t, nil
}

// FormatTime writes the instant, cut to milliseconds, as ParseTime reads it.
func FormatTime(t time.Time) string {
	t = t.UTC().Truncate(time.Millisecond)
	if t.Nanosecond() == 0 {
		return t.Format(secondForm)
	}
	return t.Format(milliForm)
}
