package rule

import "github.com/writ-trust/writ/internal/jcs"

func init() {
	kinds["noneOf"] = kind{parseNoneOf, listSchema, append(targetReasons, ReasonValueListed)}
}

// ReasonValueListed is the reason of a value that a noneOf excludes.
const ReasonValueListed = "value-listed"

// noneOf holds when the target is present and equals none of the values.
type noneOf struct{ list }

func parseNoneOf(v jcs.Value) (Constraint, error) {
	l, err := parseList(v)
	return &noneOf{l}, err
}

func (c *noneOf) judge(v jcs.Value) (reason, detail string) {
	switch listed, comparable := c.find(v); {
	case !comparable:
		return ReasonValueOtherKind, otherKind
	case listed:
		return ReasonValueListed, "the value is one of those excluded"
	}
	return "", ""
}

func (c *noneOf) Sentence(l Locale) string {
	if len(c.Values) == 1 {
		return l.target(c.target) + l.pick(" must not be ", " não pode ser ") + c.words()
	}
	return l.target(c.target) + l.pick(" must be none of: ", " não pode ser nenhum de: ") + c.words()
}
