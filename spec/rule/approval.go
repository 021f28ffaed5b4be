package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["approval"] = kind{parseApproval, approvalSchema, append(amountReasons, ReasonApprovalNeeded, ReasonTimeRange)}
}

// ReasonApprovalNeeded is the reason of an action that people must approve first.
const ReasonApprovalNeeded = "approval-needed"

const approvalSchema = `"above":{"$ref":"#/$defs/money"},` + spanSchema + `},
"required":["id","type"],"dependentRequired":{"per":["above"]},` + spanRules + `,"additionalProperties":false}`

// approval asks people before an action: always, above a sum, or above a sum of all actions of a window. Who, how many and
// how soon is said by the recovery clause of the same document that names it.
//
// It is an account like the others, whose limit is what needs nobody: a lift of it is the people's approval, and stands for
// one action. So an action that its executor never entered gives its approval back with its hold.
type approval struct {
	head
	Above *Money `json:"above,omitempty"`
	span
	noReach
}

func parseApproval(v jcs.Value) (Constraint, error) {
	c := &approval{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if c.Above == nil && c.Per != "" {
		return nil, refuse(ReasonConstraintInvalid, "/per", "only a sum is counted over a window")
	}
	return c, c.check(v)
}

// IsApproval says whether a limit asks for people's approval: a lift of it is of the action as a whole, and has no amount.
func IsApproval(c Constraint) bool {
	_, ok := c.(*approval)
	return ok
}

func (c *approval) Targets() []string {
	if c.Above == nil {
		return nil
	}
	return []string{amountPointer}
}

func (c *approval) Check(a Action, at time.Time) *Violation {
	if c.Above != nil {
		if v := c.checkAmount(a.Amount, c.Above.Currency); v != nil {
			return v
		}
	}
	return c.checkInstant(at)
}

// Draw charges a window of the action's own where no period is named, cut to the millisecond.
func (c *approval) Draw(a Action, at time.Time) (Draw, bool) {
	d := Draw{Unit: UnitCount, Max: 0, Amount: 1, reason: ReasonApprovalNeeded}
	if c.Above != nil {
		d.Unit, d.Max, d.Amount = c.Above.Currency, c.Above.Minor, a.Amount.Minor
	}
	if c.Per != "" {
		return c.draw(d, at), true
	}
	from := at.UTC().Truncate(time.Millisecond)
	d.Bucket = Window{From: from, To: from.Add(time.Millisecond)}
	d.Sum, d.Until, d.Own = d.Bucket, d.Bucket.To, true
	return d, true
}

func (c *approval) Sentence(l Locale) string {
	s := l.pick("people must approve each action", "cada ação tem de ser aprovada por pessoas")
	if c.Above != nil {
		s += l.pick(" above ", " acima de ") + l.Money(*c.Above)
	}
	if c.Per != "" {
		s += " " + l.span(c.span)
	}
	return s
}
