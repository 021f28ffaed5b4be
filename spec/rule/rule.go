// Package rule is the language of limits: what a constraint of a mandate says, whether one action keeps it, and
// how it reads to a person (protocol.md 5). It is pure: the moment is handed in, the time zone data and
// the currency table are compiled in, so every machine gives the same answer.
//
// It knows neither mandates nor state: a constraint checks an action (Check) and says how much it would draw from
// which window (Draw); what that window holds already is the caller's knowledge. Start with Parse.
//
// Each constraint type is one file that registers itself. An unknown type or field is refused.
package rule

import (
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

// Version names the rules of this package in a decision's env.rule; it changes with the meaning of any constraint.
const Version = "1"

// A Constraint is one limit of a mandate. Constraints are immutable.
type Constraint interface {
	// ID is the constraint's name within its document.
	ID() string
	// Type is the constraint's type, as in the document.
	Type() string
	// Check judges what needs no state; nil means that it holds at the instant at. An absent target never holds.
	Check(a Action, at time.Time) *Violation
	// Draw says what a takes from which window; false means that this constraint has none.
	// It may be asked only where Check returned nil.
	Draw(a Action, at time.Time) (Draw, bool)
	// Targets lists the JSON Pointers into the action that the constraint covers.
	Targets() []string
	// Sentence says the limit to a person.
	Sentence(l Locale) string
	// Reach is the most that the constraint lets through in minor units of currency: each bounds one action, window
	// all actions of one window (math.MaxInt64: not bounded by it). bounded is false where it bounds neither.
	Reach() (each, window int64, currency string, bounded bool)
}

// An Action is what constraints look at.
type Action struct {
	Type, Resource string
	Amount         *Money       // nil: the action moves no money
	Value          jcs.Value    // the whole action object, for pointers
	Agent          string       // the DID of whoever presents
	Credentials    []Credential // those presented beside the mandates
}

// A Draw is what an action takes from a window.
type Draw struct {
	Unit   string // UnitCount or a currency code
	Max    int64  // the limit, in units
	Amount int64  // what this action takes, in units; > 0
	Bucket Window // where it is charged
	Sum    Window // what is summed against Max; equals Bucket except for rolling windows
	// Until is the first instant at which nothing charged to Bucket counts in any Sum; zero means never.
	Until time.Time
	// Own says that the window is the action's own, so that a lift of it names none.
	Own bool

	reason string // where it is not the one of the unit
	max    string // Max as text, where its constraint has it
}

// MaxText is the limit in digits, as FormatUnits writes it.
func (d *Draw) MaxText() string {
	if d.max != "" {
		return d.max
	}
	return FormatUnits(d.Max, d.Unit)
}

// Over returns the smallest lift that would admit the draw where used units are charged to Sum already, max is the
// limit and lifts are granted on top; 0 means that it fits. What does not fit in 64 bits, or is negative where it
// must not be, is answered with math.MaxInt64: no lift admits it.
func (d Draw) Over(used, max, lifts int64) int64 {
	if used < 0 || max < 0 || lifts < 0 || d.Amount <= 0 {
		return maxUnits
	}
	need, err := add(used, d.Amount)
	if err != nil {
		return maxUnits
	}
	room, err := add(max, lifts)
	if err != nil {
		room = maxUnits
	}
	if need <= room {
		return 0
	}
	return need - room
}

// Fixed says whether the window is the same one at a later instant of it: neither rolling nor the action's own.
func (d Draw) Fixed() bool { return !d.Own && d.Bucket == d.Sum }

// Reason is the reason code of a draw that does not fit.
func (d Draw) Reason() string {
	if d.reason != "" {
		return d.reason
	}
	if d.Unit == UnitCount {
		return ReasonCountExceeded
	}
	return ReasonBudgetExceeded
}

// A Violation says which constraint an action breaks and why.
type Violation struct {
	Reason     string // stable code, one of Reasons
	Constraint string // the constraint's id
	Pointer    string // the place in the action; empty where it is no single member
	Detail     string // for developers, in English; never quotes the action
	// Over is the smallest lift that would admit the action, in units of Unit; 0 means that no lift of an amount can.
	Over int64
	Unit string
}

// Reason codes of what does not parse. Those of violations, and of what one type alone has, stand beside their types.
const (
	ReasonConstraintUnknown = "constraint-unknown"
	ReasonConstraintInvalid = "constraint-invalid"
	ReasonConstraintID      = "constraint-id"
	ReasonPointerInvalid    = "pointer-invalid"
	ReasonPointerName       = "pointer-name"
	ReasonZoneUnknown       = "zone-unknown"
	ReasonPeriodUnknown     = "period-unknown"
	ReasonTimeForm          = "time-form"
	ReasonMoneyForm         = "money-form"
	ReasonMoneyZero         = "money-zero"
	ReasonMoneyRange        = "money-range"
	ReasonCurrencyUnknown   = "currency-unknown"
	ReasonUnitsForm         = "units-form"
)

var parseReasons = []string{ReasonConstraintUnknown, ReasonConstraintInvalid, ReasonConstraintID, ReasonPointerInvalid,
	ReasonPointerName, ReasonZoneUnknown, ReasonPeriodUnknown, ReasonTimeForm, ReasonMoneyForm, ReasonMoneyZero,
	ReasonMoneyRange, ReasonCurrencyUnknown, ReasonUnitsForm, ReasonDurationForm, ReasonPatternInvalid,
	ReasonExpressionSize, ReasonExpressionSyntax, ReasonExpressionName, ReasonExpressionType}

// Reasons lists every reason code that this package gives, sorted.
func Reasons() []string {
	reasons := slices.Clone(parseReasons)
	for _, k := range kinds {
		reasons = append(reasons, k.reasons...)
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// kind is what a constraint type registers.
type kind struct {
	parse   func(v jcs.Value) (Constraint, error)
	schema  string   // JSON Schema of its objects, from the members that follow id and type to the end
	reasons []string // codes of its violations and draws
}

// kinds is filled by the init function of each type's file and never changes afterwards.
var kinds = map[string]kind{}

// Types lists the constraint types, sorted.
func Types() []string {
	var types []string
	for t := range kinds {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// Schema returns the JSON Schema (2020-12) of a constraint type's objects; empty for an unknown type.
// It refers to "#/$defs/money", which the document that holds it defines.
func Schema(constraintType string) string {
	k, ok := kinds[constraintType]
	if !ok {
		return ""
	}
	return `{"type":"object","properties":{"id":{"type":"string","pattern":"` + idText + `"},` +
		`"type":{"const":"` + constraintType + `"},` + k.schema
}

// Parse reads one constraint object. It refuses unknown types and fields (constraint-unknown, member-unknown) and
// whatever its type does not allow. Errors are *jcs.Error with the pointer below the constraint.
func Parse(v jcs.Value) (Constraint, error) {
	t, ok := v.Member("type")
	if !ok {
		return nil, refuse(ReasonConstraintUnknown, "/type", "a constraint needs a type")
	}
	name, _ := t.Text()
	k, ok := kinds[name]
	if !ok {
		return nil, refuse(ReasonConstraintUnknown, "/type", "the constraint type is not one of "+strings.Join(Types(), ", "))
	}
	c, err := k.parse(v)
	if err != nil {
		return nil, err
	}
	if !isID(c.ID()) {
		return nil, refuse(ReasonConstraintID, "/id", "a constraint id is "+idText)
	}
	return c, nil
}

// refuse makes the error of this package's parsers.
func refuse(reason, pointer, detail string) error {
	return &jcs.Error{Reason: reason, Pointer: pointer, Detail: detail}
}

// head is what every constraint begins with.
type head struct {
	Name string `json:"id"`
	Kind string `json:"type"`
}

func (h head) ID() string   { return h.Name }
func (h head) Type() string { return h.Kind }

// broken makes the violation of a constraint that no lift of an amount can admit.
func (h head) broken(reason, pointer, detail string) *Violation {
	return &Violation{Reason: reason, Constraint: h.Name, Pointer: pointer, Detail: detail}
}

// noDraw and noReach are embedded by types that take nothing from a window and bound no amount.
type noDraw struct{}

func (noDraw) Draw(Action, time.Time) (Draw, bool) { return Draw{}, false }
func (noDraw) drawsNothing()                       {}

// Draws says whether a constraint may take something from a window: of any other, Draw need not be asked.
func Draws(c Constraint) bool {
	_, nothing := c.(interface{ drawsNothing() })
	return !nothing
}

type noReach struct{}

func (noReach) Reach() (each, window int64, currency string, bounded bool) { return 0, 0, "", false }
