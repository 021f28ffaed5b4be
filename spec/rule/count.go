package rule

import (
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["count"] = kind{parseCount, countSchema, []string{ReasonCountExceeded, ReasonTimeRange}}
}

// ReasonCountExceeded is the reason of a draw on a count that does not fit.
const ReasonCountExceeded = "count-exceeded"

const countSchema = `"max":{"type":"integer","minimum":1,"maximum":9007199254740991},` + spanSchema + `},
"required":["id","type","max"],` + spanRules + `,"additionalProperties":false}`

// count limits how many actions a window takes.
type count struct {
	head
	Max int64 `json:"max"`
	span
	noReach
	max string // Max as text
}

func parseCount(v jcs.Value) (Constraint, error) {
	c := &count{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if c.Max < 1 {
		return nil, refuse(ReasonConstraintInvalid, "/max", "max must be at least 1")
	}
	c.max = FormatUnits(c.Max, UnitCount)
	return c, c.check(v)
}

func (c *count) Targets() []string { return nil }

func (c *count) Check(_ Action, at time.Time) *Violation { return c.checkInstant(at) }

func (c *count) Draw(_ Action, at time.Time) (Draw, bool) {
	return c.draw(Draw{Unit: UnitCount, Max: c.Max, Amount: 1, max: c.max}, at), true
}

func (c *count) Sentence(l Locale) string {
	noun := l.pick(" actions ", " ações ")
	if c.Max == 1 {
		noun = l.pick(" action ", " ação ")
	}
	return l.pick("at most ", "no máximo ") + strconv.FormatInt(c.Max, 10) + noun + l.span(c.span)
}
