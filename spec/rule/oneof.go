package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() { kinds["oneOf"] = kind{parseOneOf, listSchema, append(listReasons, ReasonValueNotListed)} }

// ReasonValueNotListed is the reason of a value outside a oneOf.
const ReasonValueNotListed = "value-not-listed"

// oneOf holds when the target equals one of the values.
type oneOf struct{ list }

func parseOneOf(v jcs.Value) (Constraint, error) {
	l, err := parseList(v)
	return &oneOf{l}, err
}

func (c *oneOf) Check(a Action, _ time.Time) *Violation {
	listed, broken := c.find(a)
	if broken == nil && !listed {
		broken = c.broken(ReasonValueNotListed, c.Pointer, "the value is not one of those listed")
	}
	return broken
}

func (c *oneOf) Sentence(l Locale) string {
	if len(c.Values) == 1 {
		return l.member(c.Pointer) + l.pick(" must be ", " tem de ser ") + c.words()
	}
	return l.member(c.Pointer) + l.pick(" must be one of: ", " tem de ser um de: ") + c.words()
}
