package vc

import (
	"regexp"
	"time"
)

// timeForm is RFC 3339 in UTC with Z, at most nine digits of a fraction, and no leap second.
var timeForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?Z$`)

// parseTime reads a time of a document, refusing with reason at pointer.
func parseTime(reason, pointer, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !timeForm.MatchString(s) || t.IsZero() {
		return time.Time{}, refuse(reason, pointer, "not an RFC 3339 time in UTC with Z")
	}
	return t, nil
}

// formatTime writes a time as Writ's documents do, cut to milliseconds: a whole second without a fraction, any other with three
// digits. It is "" for the zero time.
func formatTime(t time.Time) string {
	t = t.UTC().Truncate(time.Millisecond)
	switch {
	case t.IsZero():
		return ""
	case t.Nanosecond() == 0:
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
