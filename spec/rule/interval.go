package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["interval"] = kind{parseInterval, intervalSchema, []string{ReasonIntervalTooShort, ReasonTimeRange}}
}

// Reason codes of interval: of its violation, and of a duration that does not parse.
const (
	ReasonIntervalTooShort = "interval-too-short"
	ReasonDurationForm     = "duration-form"
)

const intervalSchema = `"atLeast":{"type":"string","pattern":"` + durationText + `"}},
"required":["id","type","atLeast"],"additionalProperties":false}`

// interval asks for a pause: an action is authorised only where no other one was within atLeast before it. One exactly
// atLeast before is far enough.
//
// It is an account like the others, so it needs nothing of a state that counts do not need: each action is one unit in
// a window of its own, which begins with the action's instant and ends when the pause is over. Summed against 1 are
// the windows that are not over. So an action that its executor never entered gives its pause back, as its count.
type interval struct {
	head
	AtLeast string `json:"atLeast"`
	noReach
	pause time.Duration
}

func parseInterval(v jcs.Value) (Constraint, error) {
	c := &interval{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	pause, ok := parseDuration(c.AtLeast)
	if !ok {
		return nil, refuse(ReasonDurationForm, "/atLeast", "a pause is like P1D, PT12H or P1DT12H30M, from one second to P366D")
	}
	c.pause = pause
	return c, nil
}

func (c *interval) Targets() []string { return nil }

func (c *interval) Check(_ Action, at time.Time) *Violation { return c.checkInstant(at) }

// Draw cuts the instant to the millisecond, as documents do: the shortest time that sets two of them apart.
func (c *interval) Draw(_ Action, at time.Time) (Draw, bool) {
	from := at.UTC().Truncate(time.Millisecond)
	bucket := Window{From: from, To: from.Add(c.pause)}
	sum := Window{From: from.Add(time.Millisecond - c.pause), To: bucket.To}
	return Draw{Unit: UnitCount, Max: 1, Amount: 1, Bucket: bucket, Sum: sum, Until: bucket.To, reason: ReasonIntervalTooShort}, true
}

func (c *interval) Sentence(l Locale) string {
	return l.pick("at least ", "pelo menos ") + l.duration(c.pause) + l.pick(" between two actions", " entre duas ações")
}
