package rule

import (
	"strconv"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["pattern"] = kind{parsePattern, patternSchema, append(targetReasons, ReasonPatternMismatch)}
}

// Reason codes of pattern: of its violation, and of a pattern that does not parse.
const (
	ReasonPatternMismatch = "pattern-mismatch"
	ReasonPatternInvalid  = "pattern-invalid"
)

const patternSchema = targetSchema + `,"matches":{"type":"string","minLength":1,"maxLength":128,"pattern":"^[ -~]+$"}},
"required":["id","type","pointer","matches"],` + targetRules + `,"additionalProperties":false}`

// pattern holds when the whole text at the target has the form that matches says. The form is a language of its own,
// a part of what every regular expression means alike, so that no two engines differ on it:
//
//	pattern = item { item }                                 at most 128 bytes, of printable ASCII
//	item    = atom [ "?" | "{" n "}" | "{" n "," m "}" ]    0 ≤ n < m ≤ 64; {n} alone: 1 ≤ n
//	atom    = literal | escape | class
//	literal = any printable ASCII character but \ [ ] { } ( ) | ? * + . ^ $
//	escape  = "\" and one of \ [ ] { } ( ) | ? * + . ^ $ -
//	class   = "[" part { part } "]"
//	part    = a character but \ [ ] ^ - | escape | range
//	range   = c "-" d                                       c < d, both in A–Z, both in a–z or both in 0–9
//
// There is neither alternation nor grouping, nothing unbounded, no class of everything: so a text beyond ASCII never
// has the form, and one longer than the sum of the largest counts (at most 511) neither.
type pattern struct {
	head
	target
	Matches string `json:"matches"`
	noDraw
	noReach
	program program
}

func parsePattern(v jcs.Value) (Constraint, error) {
	c := &pattern{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if err := c.target.check(v); err != nil {
		return nil, err
	}
	items, err := parseItems(c.Matches)
	if err != nil {
		return nil, err
	}
	if c.program, err = compile(items); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *pattern) Check(a Action, _ time.Time) *Violation { return c.judged(c, a) }

func (c *pattern) judge(v jcs.Value) (reason, detail string) {
	text, ok := v.Text()
	switch {
	case !ok:
		return ReasonValueOtherKind, "the member is not a text"
	case !c.program.match(text):
		return ReasonPatternMismatch, "the text does not have the form"
	}
	return "", ""
}

// Sentence spells the form out: literal text in quotes, classes by what is between their brackets.
func (c *pattern) Sentence(l Locale) string {
	items, _ := parseItems(c.Matches) // parsed before
	var parts []string
	for len(items) > 0 {
		n := literals(items)
		if n > 0 {
			text := ""
			for _, it := range items[:n] {
				text += it.source
			}
			parts = append(parts, quoted(text))
		} else {
			n = 1
			parts = append(parts, l.item(items[0]))
		}
		items = items[n:]
	}
	return l.target(c.target) + l.pick(" must be exactly ", " tem de ser exatamente ") + strings.Join(parts, l.pick(", then ", ", depois "))
}

// literals counts the items at the start that are single characters, once each.
func literals(items []item) int {
	for i, it := range items {
		if it.class || it.least != 1 || it.most != 1 {
			return i
		}
	}
	return len(items)
}

func (l Locale) item(it item) string {
	what := quoted(it.source)
	if it.class {
		what = it.source
	}
	return l.times(it.least, it.most) + what
}

func (l Locale) times(least, most int) string {
	n := strconv.Itoa(most)
	switch {
	case least == most && most == 1:
		return l.pick("one of ", "um de ")
	case least == most:
		return n + l.pick(" of ", " de ")
	case least == 0:
		return l.pick("at most ", "no máximo ") + n + l.pick(" of ", " de ")
	}
	return strconv.Itoa(least) + l.pick(" to ", " a ") + n + l.pick(" of ", " de ")
}
