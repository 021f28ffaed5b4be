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
	t, ok := readTime(s)
	if !ok {
		return time.Time{}, refuse(ReasonTimeForm, "",
			"a time is like 2026-12-01T09:30:00Z or 2026-12-01T09:30:00.250Z, in UTC, a whole second without a fraction")
	}
	if t.Before(firstInstant) {
		return time.Time{}, refuse(ReasonTimeForm, "", "a time is not before 1970")
	}
	return t, nil
}

// timeShape is a time with every digit 0.
const timeShape = "0000-00-00T00:00:00.000Z"

// readTime reads one form alone, in place of time.Parse, which takes more.
func readTime(s string) (t time.Time, ok bool) {
	shape := timeShape
	if len(s) == len(secondForm) {
		shape = timeShape[:19] + "Z"
	}
	if len(s) != len(shape) {
		return t, false
	}
	for i := range len(s) {
		if digit := '0' <= s[i] && s[i] <= '9'; digit != (shape[i] == '0') || !digit && s[i] != shape[i] {
			return t, false
		}
	}
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			n = n*10 + int(c-'0')
		}
		return n
	}
	month, day, hour, minute, second, millis := number(5, 7), number(8, 10), number(11, 13), number(14, 16), number(17, 19), 0
	if len(s) == len(milliForm) {
		if millis = number(20, 23); millis == 0 {
			return t, false
		}
	}
	t = time.Date(number(0, 4), time.Month(month), day, hour, minute, second, millis*int(time.Millisecond), time.UTC)
	_, m, d := t.Date() // time.Date takes the 30th of February for a day of March
	return t, int(m) == month && d == day && hour < 24 && minute < 60 && second < 60
}

// FormatTime writes the instant, cut to milliseconds, as ParseTime reads it.
func FormatTime(t time.Time) string {
	t = t.UTC()
	text := t.AppendFormat(make([]byte, 0, len(milliForm)), time.RFC3339) // in UTC secondForm, which the standard library reads anew each time
	if ms := t.Nanosecond() / int(time.Millisecond); ms > 0 {
		text = append(text[:len(text)-1], '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z')
	}
	return string(text)
}
