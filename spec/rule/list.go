package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Reason codes of violations of both lists.
const (
	ReasonValueAbsent    = "value-absent"
	ReasonValueOtherKind = "value-other-kind"
)

var listReasons = []string{ReasonValueAbsent, ReasonValueOtherKind}

// maxValues limits the values of one list.
const maxValues = 1024

// list is what oneOf and noneOf share: a place in the action and values of one JSON type (texts, integers or
// booleans), compared by canonical bytes.
type list struct {
	head
	Pointer string      `json:"pointer"`
	Values  []jcs.Value `json:"values"`
	noDraw
	noReach
}

const listSchema = `"pointer":{"type":"string","pattern":"^(/([^~/]|~[01])+)+$","maxLength":256},
"values":{"type":"array","minItems":1,"maxItems":1024,"uniqueItems":true,"items":{"type":["string","integer","boolean"]}}},
"required":["id","type","pointer","values"],"additionalProperties":false}`

func parseList(v jcs.Value) (list, error) {
	var l list
	if err := v.Decode(&l); err != nil {
		return list{}, err
	}
	if err := checkPointer(l.Pointer); err != nil {
		return list{}, err
	}
	return l, checkValues(l.Values)
}

var (
	pointerForm  = regexp.MustCompile(`^(/([^~/]|~[01])+)+$`)
	arrayIndices = regexp.MustCompile(`/([0-9]+|-)(/|$)`)
)

// checkPointer refuses array indices, and names people choose for show: of a counterparty only the id may be listed
// (documents.md section 3).
func checkPointer(p string) error {
	if len(p) > 256 || !pointerForm.MatchString(p) || arrayIndices.MatchString(p) {
		return refuse(ReasonPointerInvalid, "/pointer", "a pointer is RFC 6901, at most 256 bytes, without array indices")
	}
	if p != payeePointer && strings.HasPrefix(p+"/", "/counterparty/") {
		return refuse(ReasonPointerName, "/pointer", "of a counterparty only "+payeePointer+" may be listed")
	}
	return nil
}

const payeePointer = "/counterparty/id"

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

func (l *list) Targets() []string { return []string{l.Pointer} }

// find says whether the target is listed; a target that is absent or of another JSON type is a violation of either
// list, since noneOf must not be passed by leaving the member out or writing 1 as "1".
func (l *list) find(a Action) (listed bool, broken *Violation) {
	v, ok := a.Value.Lookup(l.Pointer)
	if !ok {
		return false, l.broken(ReasonValueAbsent, l.Pointer, "the action does not have this member")
	}
	if v.Kind() != l.Values[0].Kind() {
		return false, l.broken(ReasonValueOtherKind, l.Pointer, "the member is of another JSON type than the listed values")
	}
	return slices.ContainsFunc(l.Values, v.Equal), nil
}

// words lists the values for people.
func (l *list) words() string {
	var words []string
	for _, v := range l.Values {
		words = append(words, plain(v))
	}
	return strings.Join(words, ", ")
}

// bareForm is what needs no quotes: identifiers with a scheme, which no reader takes for words of the sentence.
var bareForm = regexp.MustCompile(`^[a-z]+:[A-Za-z0-9:._/-]+$`)

// plain shows a value: identifiers bare, everything else as canonical JSON, so quoted where it is a text.
func plain(v jcs.Value) string {
	if text, ok := v.Text(); ok && bareForm.MatchString(text) {
		return text
	}
	return string(v.Canonical())
}
