package rule

import (
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() { kinds["hours"] = kind{parseHours, hoursSchema, []string{ReasonOutsideHours}} }

// ReasonOutsideHours is the reason of a violation of hours.
const ReasonOutsideHours = "outside-hours"

const hoursSchema = `"days":{"type":"array","minItems":1,"maxItems":6,"uniqueItems":true,"items":{"enum":["mon","tue","wed","thu","fri","sat","sun"]}},
"from":{"type":"string","pattern":"^([01][0-9]|2[0-3]):[0-5][0-9]$"},
"to":{"type":"string","pattern":"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"},"zone":{"type":"string"}},
"required":["id","type","from","to","zone"],"additionalProperties":false}`

// hours holds while the wall clock of the zone shows a time in [from, to) on one of the days. Where to is not after
// from the range runs across midnight and belongs to the day on which it begins: fri 22:00 to 06:00 ends on Saturday.
//
// It is the wall clock that counts: an hour that clocks repeat is inside both times or neither, an hour that they skip
// does not occur.
type hours struct {
	head
	Days []string `json:"days,omitempty"` // in the order of the week; absent: every day
	From string   `json:"from"`           // HH:MM, 00:00 to 23:59
	To   string   `json:"to"`             // HH:MM, 00:00 to 24:00, other than From
	Zone string   `json:"zone"`
	noDraw
	noReach
	from, to int            // minutes of the day
	open     uint8          // a bit for each day, Monday's the lowest
	loc      *time.Location // of Zone
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func parseHours(v jcs.Value) (Constraint, error) {
	c := &hours{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if err := checkDays(c.Days); err != nil {
		return nil, err
	}
	if c.From == endOfDay || !isClock(c.From) {
		return nil, refuse(ReasonConstraintInvalid, "/from", "from is HH:MM, 00:00 to 23:59")
	}
	if !isClock(c.To) || c.To == c.From {
		return nil, refuse(ReasonConstraintInvalid, "/to", "to is HH:MM, 00:00 to 24:00, and not from")
	}
	var err error
	if c.loc, err = Zone(c.Zone); err != nil {
		return nil, err
	}
	c.from, c.to, c.open = minutes(c.From), minutes(c.To), openDays(c.Days)
	return c, nil
}

// minutes is a time that isClock accepts, as minutes of the day.
func minutes(clock string) int {
	digit := func(i int) int { return int(clock[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4)
}

// openDays has the bit of each listed day, all of them where none is.
func openDays(days []string) uint8 {
	var open uint8
	for i, day := range weekdays {
		if len(days) == 0 || slices.Contains(days, day) {
			open |= 1 << i
		}
	}
	return open
}

const endOfDay = "24:00"

// checkDays wants the days in the order of the week, each once, and not all of them: absent says that.
func checkDays(days []string) error {
	if days != nil && len(days) == 0 {
		return refuse(ReasonConstraintInvalid, "/days", "no day is listed")
	}
	last := -1
	for _, day := range days {
		i := slices.Index(weekdays, day)
		if i <= last {
			return refuse(ReasonConstraintInvalid, "/days", "days are mon to sun, in this order, each once")
		}
		last = i
	}
	if len(days) == len(weekdays) {
		return refuse(ReasonConstraintInvalid, "/days", "every day is said by leaving days out")
	}
	return nil
}

func (c *hours) Targets() []string { return nil }

func (c *hours) Check(_ Action, at time.Time) *Violation {
	if c.holds(at.In(c.loc)) {
		return nil
	}
	return c.broken(ReasonOutsideHours, "", "outside "+c.From+" to "+c.To+" on the days listed, in "+c.Zone)
}

// holds looks at the wall clock alone.
func (c *hours) holds(local time.Time) bool {
	hour, minute, _ := local.Clock()
	clock, today := hour*60+minute, (int(local.Weekday())+6)%7
	if c.from < c.to {
		return c.on(today) && c.from <= clock && clock < c.to
	}
	yesterday := (today + 6) % 7
	return c.on(today) && c.from <= clock || c.on(yesterday) && clock < c.to
}

func (c *hours) on(day int) bool { return c.open>>day&1 == 1 }

func (c *hours) Sentence(l Locale) string {
	to := c.To
	if c.To < c.From {
		to += l.pick(" (next day)", " (dia seguinte)")
	}
	return l.pick("only from ", "apenas das ") + c.From + l.pick(" to ", " às ") + to + " " + l.place(c.Zone) + ", " + l.days(c.Days)
}

// days names the days for people, three or more in a row as a range.
func (l Locale) days(days []string) string {
	if len(days) == 0 {
		return l.pick("every day", "todos os dias")
	}
	var words []string
	for len(days) > 0 {
		n, first := run(days), slices.Index(weekdays, days[0])
		switch {
		case n > 2:
			words = append(words, l.pick("", "de ")+l.day(first)+l.pick(" to ", " a ")+l.day(first+n-1))
		default:
			n = 1
			words = append(words, l.day(first))
		}
		days = days[n:]
	}
	return strings.Join(words, ", ")
}

// run counts how many of the days follow one another from the first on.
func run(days []string) int {
	first := slices.Index(weekdays, days[0])
	for i, day := range days {
		if first+i >= len(weekdays) || weekdays[first+i] != day {
			return i
		}
	}
	return len(days)
}

func (l Locale) day(i int) string {
	return l.pick(
		[]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}[i],
		[]string{"segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"}[i])
}
