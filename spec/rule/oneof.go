package rule

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["oneOf"] = kind{parseOneOf, listSchema, append(targetReasons, ReasonValueNotListed)}
}

// ReasonValueNotListed is the reason of a value outside a oneOf.
const ReasonValueNotListed = "value-not-listed"

// oneOf holds when the target equals one of the values.
type oneOf struct{ list }

func parseOneOf(v jcs.Value) (Constraint, error) {
	l, err := parseList(v)
	return &oneOf{l}, err
}

func (c *oneOf) Check(a Action, _ time.Time) *Violation { return c.judged(c, a) }

func (c *oneOf) judge(v jcs.Value) (reason, detail string) {
	switch listed, comparable := c.find(v); {
	case !comparable:
		return ReasonValueOtherKind, otherKind
	case !listed:
		return ReasonValueNotListed, "the value is not one of those listed"
	}
	return "", ""
}

func (c *oneOf) Sentence(l Locale) string {
	if len(c.Values) == 1 {
		return l.target(c.target) + l.pick(" must be ", " tem de ser ") + c.words()
	}
	return l.target(c.target) + l.pick(" must be one of: ", " tem de ser um de: ") + c.words()
}
