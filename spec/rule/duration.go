package rule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxPause is the longest pause between two actions.
const maxPause = 366 * 24 * time.Hour

// A duration has one form: no part is zero, or large enough for the part before it.
const (
	hoursPart    = `([1-9]|1[0-9]|2[0-3])H`
	minutesPart  = `([1-9]|[1-5][0-9])M`
	secondsPart  = `([1-9]|[1-5][0-9])S`
	clockPart    = `T(` + hoursPart + `(` + minutesPart + `)?(` + secondsPart + `)?|` + minutesPart + `(` + secondsPart + `)?|` + secondsPart + `)`
	durationText = `^P([1-9][0-9]{0,2}D(` + clockPart + `)?|` + clockPart + `)$`
)

var durationForm = regexp.MustCompile(durationText)

// durationParts are the parts of a duration, the longest first. A day is 24 hours.
var durationParts = []struct {
	letter    byte
	length    time.Duration
	one, many [2]string // English, Portuguese
}{
	{'D', 24 * time.Hour, [2]string{"day", "dia"}, [2]string{"days", "dias"}},
	{'H', time.Hour, [2]string{"hour", "hora"}, [2]string{"hours", "horas"}},
	{'M', time.Minute, [2]string{"minute", "minuto"}, [2]string{"minutes", "minutos"}},
	{'S', time.Second, [2]string{"second", "segundo"}, [2]string{"seconds", "segundos"}},
}

// parseDuration reads an ISO 8601 duration of one second to 366 days.
func parseDuration(s string) (time.Duration, bool) {
	if !durationForm.MatchString(s) {
		return 0, false
	}
	var d time.Duration
	for _, part := range durationParts {
		if i := strings.IndexByte(s, part.letter); i >= 0 {
			digits := strings.TrimLeft(s[:i], "PT")
			n, _ := strconv.Atoi(digits) // up to three of them
			d += time.Duration(n) * part.length
			s = s[i+1:]
		}
	}
	return d, d <= maxPause
}

// duration says a duration in words: "1 day, 12 hours".
func (l Locale) duration(d time.Duration) string {
	var words []string
	for _, part := range durationParts {
		n := d / part.length
		d %= part.length
		switch {
		case n == 1:
			words = append(words, "1"+noBreak+l.pick(part.one[0], part.one[1]))
		case n > 1:
			words = append(words, strconv.FormatInt(int64(n), 10)+noBreak+l.pick(part.many[0], part.many[1]))
		}
	}
	return strings.Join(words, ", ")
}
