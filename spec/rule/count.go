package rule

import (
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() { kinds["count"] = kind{parseCount, countSchema} }

const countSchema = `{"type":"object","properties":{
"id":{"type":"string","pattern":"^[a-z][a-z0-9-]{0,31}$"},"type":{"const":"count"},
"max":{"type":"integer","minimum":1,"maximum":9007199254740991},` + spanSchema + `},
"required":["id","type","max"],` + spanRules + `,"additionalProperties":false}`

// count limits how many actions a window takes.
type count struct {
	Name    string `json:"id"`
	Kind    string `json:"type"`
	Max     int64  `json:"max"`
	Per     string `json:"per,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Rolling bool   `json:"rolling,omitempty"`
	noReach
}

func parseCount(v jcs.Value) (Constraint, error) {
	c := &count{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if c.Max < 1 {
		return nil, refuse(ReasonConstraintInvalid, "/max", "max must be at least 1")
	}
	return c, checkSpan(v, c.span())
}

func (c *count) ID() string        { return c.Name }
func (c *count) Type() string      { return c.Kind }
func (c *count) Targets() []string { return nil }
func (c *count) span() span        { return span{c.Per, c.Zone, c.Rolling} }

func (c *count) Check(_ Action, at time.Time) *Violation { return checkInstant(c.Name, at) }

func (c *count) Draw(_ Action, at time.Time) (Draw, bool) {
	return c.span().draw(Draw{Unit: UnitCount, Max: c.Max, Amount: 1}, at), true
}

func (c *count) Sentence(l Locale) string {
	noun := l.pick(" actions ", " ações ")
	if c.Max == 1 {
		noun = l.pick(" action ", " ação ")
	}
	return l.pick("at most ", "no máximo ") + strconv.FormatInt(c.Max, 10) + noun + l.span(c.span())
}
