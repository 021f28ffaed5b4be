package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// maxValues limits the values of one list.
const maxValues = 1024

// list is what oneOf and noneOf share: a place in the action and values of one JSON type (texts, integers or
// booleans), compared by canonical bytes.
type list struct {
	head
	target
	Values []jcs.Value `json:"values"`
	noDraw
	noReach
}

const listSchema = targetSchema + `,
"values":{"type":"array","minItems":1,"maxItems":1024,"uniqueItems":true,"items":{"type":["string","integer","boolean"]}}},
"required":["id","type","pointer","values"],` + targetRules + `,"additionalProperties":false}`

func parseList(v jcs.Value) (list, error) {
	var l list
	if err := v.Decode(&l); err != nil {
		return list{}, err
	}
	if err := l.target.check(v); err != nil {
		return list{}, err
	}
	return l, checkValues(l.Values)
}

func checkValues(values []jcs.Value) error {
	if len(values) == 0 || len(values) > maxValues {
		return refuse(ReasonConstraintInvalid, "/values", fmt.Sprintf("a list has 1 to %d values", maxValues))
	}
	seen := map[string]bool{}
	for i, v := range values {
		place := fmt.Sprintf("/values/%d", i)
		if !scalar(v) || v.Kind() != values[0].Kind() {
			return refuse(ReasonConstraintInvalid, place, "values are all texts, all integers or all booleans")
		}
		if seen[string(v.Canonical())] {
			return refuse(ReasonConstraintInvalid, place, "a value is listed twice")
		}
		seen[string(v.Canonical())] = true
	}
	return nil
}

func scalar(v jcs.Value) bool {
	if v.Kind() == jcs.Number {
		_, integer := v.Int()
		return integer
	}
	return v.Kind() == jcs.String || v.Kind() == jcs.Bool
}

// find says whether the value is listed; one of another JSON type is a violation of either list, since noneOf must not
// be passed by writing 1 as "1".
func (l *list) find(v jcs.Value) (listed, comparable bool) {
	if v.Kind() != l.Values[0].Kind() {
		return false, false
	}
	return slices.ContainsFunc(l.Values, v.Equal), true
}

const otherKind = "the member is of another JSON type than the listed values"

// words lists the values for people.
func (l *list) words() string {
	var words []string
	for _, v := range l.Values {
		words = append(words, plain(v))
	}
	return strings.Join(words, ", ")
}

// plain shows a value: identifiers bare, everything else as canonical JSON, so quoted where it is a text.
func plain(v jcs.Value) string {
	if text, ok := v.Text(); ok && isBare(text) {
		return text
	}
	return string(v.Canonical())
}
