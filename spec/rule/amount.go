package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["amount"] = kind{parseAmountLimit, amountSchema, append(amountReasons, ReasonAmountBelowMin, ReasonAmountAboveMax)}
}

// Reason codes of violations of amount; the first three are given by every limit on money.
const (
	ReasonAmountAbsent      = "amount-absent"
	ReasonCurrencyOther     = "currency-other"
	ReasonAmountNotPositive = "amount-not-positive"
	ReasonAmountBelowMin    = "amount-below-min"
	ReasonAmountAboveMax    = "amount-above-max"
)

const amountSchema = `"min":{"$ref":"#/$defs/money"},"max":{"$ref":"#/$defs/money"}},
"required":["id","type"],"anyOf":[{"required":["min"]},{"required":["max"]}],"additionalProperties":false}`

// amount limits what one action moves: min ≤ amount ≤ max, both in one currency.
type amount struct {
	head
	Min *Money `json:"min,omitempty"`
	Max *Money `json:"max,omitempty"`
	noDraw
}

func parseAmountLimit(v jcs.Value) (Constraint, error) {
	c := &amount{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if c.Min == nil && c.Max == nil {
		return nil, refuse(ReasonConstraintInvalid, "", "an amount needs min or max")
	}
	if c.Min != nil && c.Max != nil {
		if order, err := c.Min.Cmp(*c.Max); err != nil || order > 0 {
			return nil, refuse(ReasonConstraintInvalid, "/max", "max is below min or in another currency")
		}
	}
	return c, nil
}

func (c *amount) Targets() []string { return []string{amountPointer} }

func (c *amount) currency() string {
	if c.Max != nil {
		return c.Max.Currency
	}
	return c.Min.Currency
}

func (c *amount) Check(a Action, _ time.Time) *Violation {
	if v := c.checkAmount(a.Amount, c.currency()); v != nil {
		return v
	}
	switch {
	case c.Min != nil && a.Amount.Minor < c.Min.Minor:
		return c.broken(ReasonAmountBelowMin, amountPointer, "the amount is below "+c.Min.Value())
	case c.Max != nil && a.Amount.Minor > c.Max.Minor:
		v := c.broken(ReasonAmountAboveMax, amountPointer, "the amount is above "+c.Max.Value())
		v.Over, v.Unit = a.Amount.Minor-c.Max.Minor, c.Max.Currency // cannot overflow: both are above zero
		return v
	}
	return nil
}

const amountPointer = "/amount"

var amountReasons = []string{ReasonAmountAbsent, ReasonCurrencyOther, ReasonAmountNotPositive}

// checkAmount is what every limit on money asks first: an amount, above zero, in its currency.
func (h head) checkAmount(m *Money, currency string) *Violation {
	switch {
	case m == nil:
		return h.broken(ReasonAmountAbsent, amountPointer, "the action has no amount")
	case m.Currency != currency:
		return h.broken(ReasonCurrencyOther, amountPointer+"/currency", "the limit is in "+currency+" and nothing is converted")
	case m.Minor <= 0:
		return h.broken(ReasonAmountNotPositive, amountPointer+"/value", "the amount is not above zero")
	}
	return nil
}

func (c *amount) Reach() (each, window int64, currency string, bounded bool) {
	if c.Max == nil {
		return 0, 0, "", false
	}
	return c.Max.Minor, maxUnits, c.Max.Currency, true
}

func (c *amount) Sentence(l Locale) string {
	switch {
	case c.Min == nil:
		return l.pick("each action at most ", "cada ação no máximo ") + l.Money(*c.Max)
	case c.Max == nil:
		return l.pick("each action at least ", "cada ação no mínimo ") + l.Money(*c.Min)
	}
	return l.pick("each action from ", "cada ação de ") + l.Money(*c.Min) + l.pick(" to ", " a ") + l.Money(*c.Max)
}
