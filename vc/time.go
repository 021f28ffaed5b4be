package vc

import "time"

// isTimeForm checks for RFC 3339 in UTC with Z, at most nine digits of a fraction, and no leap second; whether such a time exists is
// for time.Parse to say.
func isTimeForm(s string) bool {
	const whole = "0000-00-00T00:00:00"
	if len(s) <= len(whole) || s[len(s)-1] != 'Z' || s[17] > '5' {
		return false
	}
	fraction := s[len(whole) : len(s)-1]
	if fraction != "" && (fraction[0] != '.' || len(fraction) == 1 || len(fraction) > 10) {
		return false
	}
	for i := range len(s) - 1 {
		digit := '0' <= s[i] && s[i] <= '9'
		if i < len(whole) && whole[i] != '0' {
			if s[i] != whole[i] {
				return false
			}
		} else if !digit && i != len(whole) {
			return false
		}
	}
	return true
}

// parseTime reads a time of a document, refusing with reason at pointer.
func parseTime(reason, pointer, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !isTimeForm(s) || t.IsZero() {
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
