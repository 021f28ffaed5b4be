package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() { kinds["budget"] = kind{parseBudget, budgetSchema} }

const budgetSchema = `{"type":"object","properties":{
"id":{"type":"string","pattern":"^[a-z][a-z0-9-]{0,31}$"},"type":{"const":"budget"},
"max":{"$ref":"#/$defs/money"},` + spanSchema + `},
"required":["id","type","max"],` + spanRules + `,"additionalProperties":false}`

// budget limits what all actions of a window move together.
type budget struct {
	Name    string `json:"id"`
	Kind    string `json:"type"`
	Max     Money  `json:"max"`
	Per     string `json:"per,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Rolling bool   `json:"rolling,omitempty"`
}

func parseBudget(v jcs.Value) (Constraint, error) {
	c := &budget{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	return c, checkSpan(v, c.span())
}

func (c *budget) ID() string        { return c.Name }
func (c *budget) Type() string      { return c.Kind }
func (c *budget) Targets() []string { return []string{amountPointer} }
func (c *budget) span() span        { return span{c.Per, c.Zone, c.Rolling} }

func (c *budget) Check(a Action, at time.Time) *Violation {
	if v := checkAmount(c.Name, a.Amount, c.Max.Currency); v != nil {
		return v
	}
	return checkInstant(c.Name, at)
}

func (c *budget) Draw(a Action, at time.Time) (Draw, bool) {
	return c.span().draw(Draw{Unit: c.Max.Currency, Max: c.Max.Minor, Amount: a.Amount.Minor}, at), true
}

func (c *budget) Reach() (each, window int64, currency string, bounded bool) {
	return c.Max.Minor, c.Max.Minor, c.Max.Currency, true
}

func (c *budget) Sentence(l Locale) string {
	return l.pick("at most ", "no máximo ") + l.Money(c.Max) + " " + l.span(c.span())
}
