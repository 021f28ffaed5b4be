package rule

import (
	"strconv"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Reason codes of what stands, or does not, at the place that a constraint names.
const (
	ReasonValueAbsent    = "value-absent"
	ReasonValueOtherKind = "value-other-kind"
	ReasonItemsMany      = "items-many"
)

var targetReasons = []string{ReasonValueAbsent, ReasonValueOtherKind, ReasonItemsMany}

// maxItems limits the items of an array of which each is judged.
const maxItems = 64

// target is a place in the action: one value or, with each, an array of at most MaxItems values that must all hold.
type target struct {
	Pointer  string `json:"pointer"`
	Each     bool   `json:"each,omitempty"`
	MaxItems int64  `json:"maxItems,omitempty"` // 1 to 64; there if and only if Each is
}

const (
	targetSchema = `"pointer":{"type":"string","pattern":"^(/([^~/]|~[01])+)+$","maxLength":256},
"each":{"const":true},"maxItems":{"type":"integer","minimum":1,"maximum":64}`
	targetRules = `"dependentRequired":{"each":["maxItems"],"maxItems":["each"]}`
)

// check refuses every combination but the two; v is the constraint that t was read from.
func (t *target) check(v jcs.Value) error {
	if err := checkPointer("/pointer", t.Pointer); err != nil {
		return err
	}
	_, each := v.Member("each")
	_, limited := v.Member("maxItems")
	switch {
	case each && !t.Each:
		return refuse(ReasonConstraintInvalid, "/each", "a member that says nothing must be absent")
	case each != limited:
		return refuse(ReasonConstraintInvalid, "/maxItems", "each and maxItems stand together")
	case limited && (t.MaxItems < 1 || t.MaxItems > maxItems):
		return refuse(ReasonConstraintInvalid, "/maxItems", "a list has 1 to "+strconv.Itoa(maxItems)+" items")
	}
	return nil
}

// checkPointer refuses array indices, and names people choose for show: of a counterparty only the id may be limited
// (protocol.md 5). place is where the pointer stands in the constraint.
func checkPointer(place, p string) error {
	if len(p) > 256 || !isPointer(p) {
		return refuse(ReasonPointerInvalid, place, "a pointer is RFC 6901, at most 256 bytes, without array indices")
	}
	if p != payeePointer && strings.HasPrefix(p+"/", "/counterparty/") {
		return refuse(ReasonPointerName, place, "of a counterparty only "+payeePointer+" may be listed")
	}
	return nil
}

const payeePointer = "/counterparty/id"

func (t *target) Targets() []string { return []string{t.Pointer} }

// A judge is a constraint on single values: it gives the reason code and the detail of a value that does not hold.
type judge interface {
	broken(reason, pointer, detail string) *Violation
	judge(v jcs.Value) (reason, detail string)
}

// judged asks the judge about the value, or each of them. What is absent, is no array where each is asked for, or has
// too many items is a violation whatever the judge would say.
func (t *target) judged(by judge, a Action) *Violation {
	v, ok := a.Value.Lookup(t.Pointer)
	items := v.Elements()
	switch {
	case !ok, t.Each && v.Kind() == jcs.Array && len(items) == 0:
		return by.broken(ReasonValueAbsent, t.Pointer, "the action does not have this member")
	case !t.Each:
		if reason, detail := by.judge(v); reason != "" {
			return by.broken(reason, t.Pointer, detail)
		}
		return nil
	case v.Kind() != jcs.Array:
		return by.broken(ReasonValueOtherKind, t.Pointer, "the member is not an array")
	case int64(len(items)) > t.MaxItems:
		return by.broken(ReasonItemsMany, t.Pointer, "the array has more than "+strconv.FormatInt(t.MaxItems, 10)+" items")
	}
	for i, item := range items {
		if reason, detail := by.judge(item); reason != "" {
			return by.broken(reason, t.Pointer+"/"+strconv.Itoa(i), detail)
		}
	}
	return nil
}

// target names the place for people, as the subject of a sentence.
func (l Locale) target(t target) string {
	if !t.Each {
		return l.member(t.Pointer)
	}
	return l.pick("each value of ", "cada valor de ") + l.member(t.Pointer) + l.pick(", at most ", ", no máximo ") +
		strconv.FormatInt(t.MaxItems, 10) + ","
}
