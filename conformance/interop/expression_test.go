package interop

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

const (
	wanted  = 10_000 // expressions that both read
	actions = 4      // that each is judged over
)

// The answers that an expression can have; none is Writ's violation for want of a value, and an error of CEL.
const (
	yes  = "true"
	no   = "false"
	none = "none"
)

// TestExpressionsAgainstCEL judges 10,000 drawn expressions, each over several actions, and then what is left of each when a
// token is lost, doubled or swapped: what Writ reads, CEL reads, with the same value over every action.
func TestExpressionsAgainstCEL(t *testing.T) {
	env, err := celEnv()
	if err != nil {
		t.Fatal(err)
	}
	d := &drawing{rand.New(rand.NewPCG(4, 2026))}
	met, drawn, read, spoiledRead := map[string]int{}, 0, 0, 0
	for ; read < wanted && drawn < 2*wanted; drawn++ {
		expression := d.condition(3)
		if !compare(t, d, env, expression, byName, met) {
			continue // it compares two parameters whose type nothing tells, or is too large
		}
		read++
		if spoiled := d.spoil(expression); compare(t, d, env, spoiled, byUse(spoiled), met) {
			spoiledRead++
		}
	}
	t.Logf("%d expressions of %d drawn, and %d spoiled ones that read still; answers: %v", read, drawn, spoiledRead, met)
	if read != wanted || spoiledRead < wanted/50 {
		t.Errorf("%d expressions and %d spoiled ones were compared", read, spoiledRead)
	}
	for _, answer := range []string{yes, no, none} {
		if met[answer] < wanted*actions/20 {
			t.Errorf("only %d of the answers are %s", met[answer], answer)
		}
	}
}

// compare reports whether Writ reads the expression; if so CEL must, and agree.
func compare(t *testing.T, d *drawing, env *cel.Env, expression string, kinds kinds, met map[string]int) bool {
	t.Helper()
	limit, err := constraint(expression)
	if err != nil {
		return false
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		t.Errorf("CEL does not read %s: %v", expression, issues.Err())
		return true
	}
	program, err := env.Program(ast, cel.CustomDecoratorV2(strictNotEquals))
	if err != nil {
		t.Fatal(err)
	}
	for range actions {
		ours, theirs := d.action(t, kinds)
		got, want := answer(limit.Check(ours, time.Time{})), celAnswer(program, theirs)
		met[want]++
		if got != want {
			t.Errorf("%s over %s: Writ says %s, CEL %s", expression, ours.Value.Canonical(), got, want)
		}
	}
	return true
}

func constraint(expression string) (rule.Constraint, error) {
	v, err := jcs.ValueOf(map[string]string{"id": "x", "type": "expression", "expression": expression})
	if err != nil {
		return nil, err
	}
	return rule.Parse(v)
}

func answer(v *rule.Violation) string {
	switch {
	case v == nil:
		return yes
	case v.Reason == rule.ReasonExpressionFalse:
		return no
	}
	return none
}

func celAnswer(program cel.Program, action map[string]any) string {
	value, _, err := program.Eval(map[string]any{"action": action})
	switch {
	case err != nil:
		return none
	case value == types.True:
		return yes
	case value == types.False:
		return no
	}
	return "neither: " + value.Type().TypeName()
}

// drawing draws expressions and actions from a seed.
type drawing struct{ *rand.Rand }

func pick[T any](d *drawing, of ...T) T { return of[d.IntN(len(of))] }

// condition draws something that is true or false, at most so many levels deep.
func (d *drawing) condition(depth int) string {
	if depth == 0 {
		return d.comparison(0)
	}
	switch d.IntN(10) {
	case 0, 1, 2:
		return d.join(" && ", depth)
	case 3, 4, 5:
		return d.join(" || ", depth)
	case 6:
		return "!(" + d.condition(depth-1) + ")"
	case 7:
		return "(" + d.condition(depth-1) + ")"
	}
	return d.comparison(depth)
}

// join leaves brackets out as often as not, so that both sides must know which sign binds closer.
func (d *drawing) join(sign string, depth int) string {
	var terms []string
	for range 2 + d.IntN(2) {
		terms = append(terms, d.condition(depth-1))
	}
	return strings.Join(terms, pick(d, sign, strings.TrimSpace(sign)))
}

func (d *drawing) comparison(depth int) string {
	equal := pick(d, " == ", " != ", "==", "!=")
	order := pick(d, " == ", " != ", " < ", " <= ", " > ", " >= ", "<", ">=")
	switch d.IntN(9) {
	case 0:
		return pick(d, "", "!", "!!") + d.truth(depth)
	case 1:
		return d.truth(depth) + equal + pick(d, "", "!") + d.truth(depth)
	case 2:
		return d.integer() + order + d.integer()
	case 3:
		return d.money() + order + d.money()
	case 4:
		return d.text() + equal + d.text()
	case 5:
		return pick(d, "", "!") + d.text() + ".startsWith(" + d.text() + ")"
	case 6:
		return d.integer() + " in [" + d.integerLiteral() + ", " + d.integerLiteral() + "]"
	case 7:
		return d.text() + " in [" + d.textLiteral() + "," + d.textLiteral() + "," + d.textLiteral() + "]"
	}
	return "size(" + d.text() + ")" + order + pick(d, "0", "1", "2", "3", "6")
}

func (d *drawing) truth(depth int) string {
	if depth > 0 && d.IntN(2) == 0 {
		return "(" + d.condition(depth-1) + ")"
	}
	return pick(d, "true", "false", "action.parameters.b1", "action.parameters.b2")
}

func (d *drawing) integer() string {
	return pick(d, "action.parameters.n1", "action.parameters.n2", d.integerLiteral())
}

func (d *drawing) integerLiteral() string {
	return pick(d, "0", "1", "2", "-1", "9007199254740991", "-9007199254740991")
}

func (d *drawing) text() string {
	return pick(d, "action.type", "action.resource", "action.counterparty.id", "action.amount.currency",
		"action.parameters.s1", "action.parameters.s2", d.textLiteral())
}

var texts = []string{"", "a", "ab", "EUR", "iban:PT50", "lei:A", "Straße", "漢字", "😀", `it's "so" \`}

func (d *drawing) textLiteral() string {
	quote := pick(d, `"`, `'`)
	text := strings.ReplaceAll(pick(d, texts...), `\`, `\\`)
	return quote + strings.NewReplacer(quote, `\`+quote).Replace(text) + quote
}

func (d *drawing) money() string {
	return pick(d, "action.amount", "action.amount", "action.parameters.m1", `money("1.00", "EUR")`, `money('1.01','EUR')`,
		`money("0.00","EUR")`, `money("1.00","USD")`, `money("100","JPY")`)
}

// tokens are what an expression is spoiled with.
var tokens = []string{"!", "(", ")", "true", "&&", "||", "==", "in", "[1]", ".", "action", "action.parameters.n1", "1", "-1", `"a"`, " ", ",", "<", "size"}

// spoil loses, doubles or swaps a part of an expression.
func (d *drawing) spoil(expression string) string {
	parts := strings.FieldsFunc(expression, func(c rune) bool { return c == ' ' })
	i := d.IntN(len(parts))
	switch d.IntN(4) {
	case 0:
		parts[i] = ""
	case 1:
		parts[i] += " " + parts[i]
	case 2:
		parts[i] = pick(d, tokens...)
	case 3:
		parts[i] = pick(d, tokens...) + parts[i]
	}
	return strings.Join(parts, " ")
}

// parameterNames are those that are drawn. In a drawn expression each is used as the type that it begins with.
var parameterNames = []string{"b1", "b2", "n1", "n2", "s1", "s2", "m1"}

// kinds gives the type with which an expression uses a parameter: b(oolean), n(umber), s(tring) or m(oney).
type kinds func(parameter string) byte

func byName(parameter string) byte { return parameter[0] }

// byUse finds out how a spoiled expression uses parameters: it reads with another use of the same type, and no other.
func byUse(expression string) kinds {
	uses := map[byte]string{'b': "%s", 'n': "%s == 1", 's': "%s == ''", 'm': "%s == money('1.00','EUR')"}
	return func(parameter string) byte {
		for kind, use := range uses {
			use = fmt.Sprintf(use, "action.parameters."+parameter)
			if _, err := constraint("(" + expression + ")&&" + use); err == nil {
				return kind
			}
		}
		return byName(parameter)
	}
}

// action draws one as Writ sees it and as CEL does. What Writ takes for absent, a member of another type than the
// expression's, CEL does not get: there it would be compared and be different.
func (d *drawing) action(t *testing.T, kinds kinds) (rule.Action, map[string]any) {
	t.Helper()
	members := map[string]any{"type": pick(d, "a", "ab"), "resource": pick(d, "iban:PT50", "lei:A")}
	theirs := map[string]any{"type": members["type"], "resource": members["resource"]}
	ours := rule.Action{}
	if d.IntN(4) > 0 {
		m := rule.Money{Minor: pick[int64](d, 1, 100, 101), Currency: pick(d, "EUR", "EUR", "USD")}
		ours.Amount, members["amount"], theirs["amount"] = &m, m, money{m}
	}
	if d.IntN(4) > 0 {
		payee := map[string]any{"id": pick(d, "lei:A", "ab")}
		members["counterparty"], theirs["counterparty"] = payee, payee
	}
	parameters, known := d.parameters(kinds)
	theirs["parameters"] = known
	if len(parameters) > 0 {
		members["parameters"] = parameters
	}
	ours.Value = document(t, members)
	return ours, theirs
}

// parameters draws them, some absent and some of another type than expressions use them with; known are those that are
// neither.
func (d *drawing) parameters(kinds kinds) (all, known map[string]any) {
	all, known = map[string]any{}, map[string]any{}
	for _, name := range parameterNames {
		kind := name[0]
		if d.IntN(8) == 0 {
			kind = pick[byte](d, 'b', 'n', 's', 'm')
		}
		if d.IntN(6) == 0 {
			continue
		}
		ours, theirs := d.value(kind)
		all[name] = ours
		if kind == kinds(name) {
			known[name] = theirs
		}
	}
	return all, known
}

func (d *drawing) value(kind byte) (ours, theirs any) {
	switch kind {
	case 'b':
		ours = pick(d, true, false)
	case 'n':
		ours = pick[int64](d, 0, 1, 2, -1, 9007199254740991)
	case 's':
		ours = pick(d, texts...)
	default:
		m := rule.Money{Minor: pick[int64](d, 0, 100, 101), Currency: pick(d, "EUR", "USD")}
		return map[string]any{"value": m.Value(), "currency": m.Currency}, money{m}
	}
	return ours, ours
}

// document writes the members as canonical JSON and reads them as a document.
func document(t *testing.T, members map[string]any) jcs.Value {
	t.Helper()
	v := jcs.Value{}
	for name, member := range members {
		v = v.With(name, jsonValue(t, member))
	}
	read, err := jcs.ParseDocument(v.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func jsonValue(t *testing.T, member any) jcs.Value {
	t.Helper()
	if object, ok := member.(map[string]any); ok {
		v := jcs.Value{}
		for name, inner := range object {
			v = v.With(name, jsonValue(t, inner))
		}
		return v
	}
	v, err := jcs.ValueOf(member)
	if err != nil {
		t.Fatal(fmt.Errorf("%v: %w", member, err))
	}
	return v
}
