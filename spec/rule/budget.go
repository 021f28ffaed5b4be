package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["budget"] = kind{parseBudget, budgetSchema, append(amountReasons, ReasonBudgetExceeded, ReasonTimeRange)}
}

// ReasonBudgetExceeded is the reason of a draw on a budget that does not fit.
const ReasonBudgetExceeded = "budget-exceeded"

const budgetSchema = `"max":{"$ref":"#/$defs/money"},` + spanSchema + `},
"required":["id","type","max"],` + spanRules + `,"additionalProperties":false}`

// budget limits what all actions of a window move together.
type budget struct {
	head
	Max Money `json:"max"`
	span
	max string // Max as text
}

func parseBudget(v jcs.Value) (Constraint, error) {
	c := &budget{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	c.max = c.Max.Value()
	return c, c.check(v)
}

func (c *budget) Targets() []string { return []string{amountPointer} }

func (c *budget) Check(a Action, at time.Time) *Violation {
	if v := c.checkAmount(a.Amount, c.Max.Currency); v != nil {
		return v
	}
	return c.checkInstant(at)
}

func (c *budget) Draw(a Action, at time.Time) (Draw, bool) {
	return c.draw(Draw{Unit: c.Max.Currency, Max: c.Max.Minor, Amount: a.Amount.Minor, max: c.max}, at), true
}

func (c *budget) Reach() (each, window int64, currency string, bounded bool) {
	return c.Max.Minor, c.Max.Minor, c.Max.Currency, true
}

func (c *budget) Sentence(l Locale) string {
	return l.pick("at most ", "no máximo ") + l.Money(c.Max) + " " + l.span(c.span)
}
