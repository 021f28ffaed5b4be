package rule_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// expressions are the examples that schemas, sentences and fuzzing share with the other types.
var expressions = []string{
	limit("true"),
	limit(`action.type == 'payments.transfer'`),
	limit(`action.amount <= money("100.00","EUR")`),
	limit(`action.amount.currency == 'EUR' && action.amount <= money('100.00', 'EUR') || action.amount.currency == 'USD' && action.amount < money('120.00', 'USD')`),
	limit(`action.resource.startsWith('iban:PT') && !(action.counterparty.id in ['lei:ZXTILKJKG63JELOEG630', "at most €1"])`),
	limit(`action.parameters.urgent || action.parameters.days >= 3 && size(action.parameters.memo) <= 140`),
	limit(`action.parameters.from != action.parameters.to && action.parameters.from != ''`),
	limit(`action.parameters.costCentre in [4711, 4712, -1] && (action.parameters.fee == money("0.00","EUR")) == false`),
	limit(`!action.parameters.dry && !!true && (action.parameters.days > 0 || action.parameters.days < -5)`),
}

// limit is the constraint with this expression.
func limit(expression string) string {
	text, err := jcs.ValueOf(expression)
	if err != nil {
		panic(err)
	}
	return `{"id":"x","type":"expression","expression":` + string(text.Canonical()) + `}`
}

const order = `{"type":"payments.transfer","resource":"iban:PT50","amount":{"value":"100.00","currency":"EUR"},` +
	`"counterparty":{"id":"lei:ZX","name":"AWS"},"parameters":{"n":5,"big":9007199254740991,"s":"Straße","t":"Straße","yes":true,"no":false,` +
	`"fee":{"value":"1.50","currency":"EUR"},"free":{"value":"0.00","currency":"USD"},"list":["a"],"odd":{"value":"1.5","currency":"EUR"}}}`

func TestExpressionValue(t *testing.T) {
	const absent, kind, currency, untrue = rule.ReasonExpressionAbsent, rule.ReasonExpressionKind, rule.ReasonExpressionCurrency, rule.ReasonExpressionFalse
	for _, c := range []struct{ expression, reason, pointer string }{
		{`true`, "", ""},
		{`false`, untrue, ""},
		{`!false`, "", ""},
		{`!!false`, untrue, ""},
		{`action.type == "payments.transfer"`, "", ""},
		{`action.type != "payments.transfer"`, untrue, ""},
		{`action.type == "Payments.transfer"`, untrue, ""},
		{`"iban:PT50" == action.resource`, "", ""},
		{`action.counterparty.id.startsWith("lei:")`, "", ""},
		{`action.counterparty.id.startsWith("")`, "", ""},
		{`action.counterparty.id.startsWith("did:")`, untrue, ""},
		{`"lei:ZX:1".startsWith(action.counterparty.id)`, "", ""},
		{`action.amount == money("100.00","EUR")`, "", ""},
		{`action.amount != money("100.00","EUR")`, untrue, ""},
		{`action.amount < money("100.00","EUR")`, untrue, ""},
		{`action.amount <= money("100.00","EUR")`, "", ""},
		{`action.amount > money("99.99","EUR")`, "", ""},
		{`action.amount >= money("100.01","EUR")`, untrue, ""},
		{`money("100.00","EUR") < action.amount`, untrue, ""},
		{`action.amount <= money("100.00","USD")`, currency, ""},
		{`action.amount == money("100.00","USD")`, currency, ""},
		{`action.amount != money("100.00","USD")`, currency, ""},
		{`!(action.amount == money("100.00","USD"))`, currency, ""},
		{`action.amount > money("0","JPY")`, currency, ""},
		{`action.amount.currency == "EUR"`, "", ""},
		{`action.amount.currency == "USD" && action.amount > money("1.00","USD")`, untrue, ""},
		{`action.amount > money("1.00","USD") && action.amount.currency == "USD"`, untrue, ""},
		{`action.amount > money("1.00","USD") || action.amount.currency == "EUR"`, "", ""},
		{`action.parameters.fee < action.amount`, "", ""},
		{`action.parameters.free < money("0.01","USD")`, "", ""},
		{`action.parameters.odd < money("2.00","EUR")`, kind, "/parameters/odd"},
		{`action.parameters.n == 5`, "", ""},
		{`action.parameters.n > -5`, "", ""},
		{`action.parameters.big == 9007199254740991`, "", ""},
		{`action.parameters.n in [1,5]`, "", ""},
		{`action.parameters.n in [-5]`, untrue, ""},
		{`action.parameters.n in ["5"]`, kind, "/parameters/n"},
		{`action.parameters.n == "5"`, kind, "/parameters/n"},
		{`action.parameters.n != "5"`, kind, "/parameters/n"},
		{`5 in [5]`, "", ""},
		{`action.parameters.s in ['a', 'Straße']`, "", ""},
		{`size(action.parameters.s) == 6`, "", ""}, // code points
		{`size("") == 0`, "", ""},
		{`size('it\'s "it" \\') == 11`, "", ""},
		{`action.parameters.s == action.parameters.t && action.parameters.t == 'Straße'`, "", ""},
		{`action.parameters.s != action.parameters.t && action.parameters.t == 'Straße'`, untrue, ""},
		{`action.parameters.yes`, "", ""},
		{`action.parameters.no`, untrue, ""},
		{`action.parameters.yes == !action.parameters.no`, "", ""},
		{`(action.parameters.n > 1) != true`, untrue, ""},
		{`action.parameters.s`, kind, "/parameters/s"},
		{`size(action.parameters.list) == 1`, kind, "/parameters/list"},
		{`action.parameters.none == 1`, absent, "/parameters/none"},
		{`action.parameters.none != 1`, absent, "/parameters/none"},
		{`!(action.parameters.none == 1)`, absent, "/parameters/none"},
		{`action.parameters.none in [1]`, absent, "/parameters/none"},
		{`size(action.parameters.none) == 0`, absent, "/parameters/none"},
		{`"a".startsWith(action.parameters.none)`, absent, "/parameters/none"},
		{`action.parameters.none || true`, "", ""},
		{`true || action.parameters.none`, "", ""},
		{`action.parameters.none && false`, untrue, ""},
		{`false && action.parameters.none`, untrue, ""},
		{`action.parameters.none || false`, absent, "/parameters/none"},
		{`true && action.parameters.none`, absent, "/parameters/none"},
		{`action.parameters.none || action.parameters.gone`, absent, "/parameters/none"},
		{`action.parameters.gone || false || action.parameters.none`, absent, "/parameters/gone"},
		{`!(action.parameters.none && false)`, "", ""},
		{`true || false && false`, "", ""}, // && binds closer
		{`(true || false) && false`, untrue, ""},
		{`!true == false`, "", ""}, // and ! closer than ==
	} {
		a := action(t, order)
		v := parse(t, limit(c.expression)).Check(a, time.Time{})
		switch {
		case c.reason == "" && v != nil:
			t.Errorf("%s: %+v", c.expression, *v)
		case c.reason != "" && (v == nil || v.Reason != c.reason || v.Pointer != c.pointer || v.Constraint != "x" || v.Over != 0):
			t.Errorf("%s: %+v, want %s at %q", c.expression, v, c.reason, c.pointer)
		case v != nil && !slices.Contains(rule.Reasons(), v.Reason):
			t.Errorf("%s is not among Reasons", v.Reason)
		}
	}
}

// TestExpressionAmount: an expression sees the amount as other limits do, and nothing where there is none.
func TestExpressionAmount(t *testing.T) {
	c := parse(t, limit(`action.amount <= money("100.00","EUR")`))
	if v := c.Check(action(t, `{"type":"a"}`), time.Time{}); v == nil || v.Reason != rule.ReasonExpressionAbsent || v.Pointer != "/amount" {
		t.Errorf("%+v", v)
	}
	for _, minor := range []int64{0, -1} {
		a := rule.Action{Amount: &rule.Money{Minor: minor, Currency: "EUR"}}
		if v := c.Check(a, time.Time{}); v == nil || v.Reason != rule.ReasonAmountNotPositive {
			t.Errorf("%d: %+v", minor, v)
		}
	}
	v := c.Check(action(t, `{"type":"a"}`), time.Time{})
	v.Reason = "changed"
	if c.Check(action(t, `{"type":"a"}`), time.Time{}).Reason == "changed" {
		t.Error("a caller can change the constraint's violations")
	}
}

// wrongExpressions hold one mistake a line.
var wrongExpressions = []struct{ expression, reason string }{
	{strings.Repeat(" ", 1021) + "true", rule.ReasonExpressionSize},
	{strings.Repeat("!", 17) + "true", rule.ReasonExpressionSize},
	{strings.Repeat("(", 17) + "true" + strings.Repeat(")", 17), rule.ReasonExpressionSize},
	{strings.Repeat("size(", 17) + `"a"` + strings.Repeat(")", 17), rule.ReasonExpressionSize},
	{"1 in [1" + strings.Repeat(",1", 254) + "]", rule.ReasonExpressionSize},
	{"true||!true" + strings.Repeat("||!true", 127), rule.ReasonExpressionSize},
	{" ", rule.ReasonExpressionSyntax},
	{"true true", rule.ReasonExpressionSyntax},
	{"true ||", rule.ReasonExpressionSyntax},
	{"|| true", rule.ReasonExpressionSyntax},
	{"true | false", rule.ReasonExpressionSyntax},
	{"true & false", rule.ReasonExpressionSyntax},
	{"(true", rule.ReasonExpressionSyntax},
	{"true)", rule.ReasonExpressionSyntax},
	{"()", rule.ReasonExpressionSyntax},
	{"true\n", rule.ReasonExpressionSyntax},
	{"true\t", rule.ReasonExpressionSyntax},
	{"true // always", rule.ReasonExpressionSyntax},
	{"true ? true : false", rule.ReasonExpressionSyntax},
	{"1 == 1 == true", rule.ReasonExpressionSyntax},
	{"1 < 2 < 3", rule.ReasonExpressionSyntax},
	{"1 = 1", rule.ReasonExpressionSyntax},
	{"1 + 1 == 2", rule.ReasonExpressionSyntax},
	{"2 -1 == 1", rule.ReasonExpressionSyntax},
	{"- 1 == -1", rule.ReasonExpressionSyntax},
	{"--1 == 1", rule.ReasonExpressionSyntax},
	{"-0 == 0", rule.ReasonExpressionSyntax},
	{"01 == 1", rule.ReasonExpressionSyntax},
	{"0x1 == 1", rule.ReasonExpressionSyntax},
	{"1u == 1", rule.ReasonExpressionSyntax},
	{"1.0 == 1.0", rule.ReasonExpressionSyntax},
	{"1e3 == 1000", rule.ReasonExpressionSyntax},
	{"9007199254740992 == 1", rule.ReasonExpressionSyntax},
	{"99999999999999999999 == 1", rule.ReasonExpressionSyntax},
	{`"a == "a"`, rule.ReasonExpressionSyntax},
	{`"a`, rule.ReasonExpressionSyntax},
	{`"a\`, rule.ReasonExpressionSyntax},
	{`"a\n" == "a"`, rule.ReasonExpressionSyntax},
	{`"a\u0041" == "a"`, rule.ReasonExpressionSyntax},
	{`"""a""" == "a"`, rule.ReasonExpressionSyntax},
	{"\"a\u202eb\" == \"a\"", rule.ReasonExpressionSyntax},
	{"\"a\u200bb\" == \"a\"", rule.ReasonExpressionSyntax},
	{"\"a\nb\" == \"a\"", rule.ReasonExpressionSyntax},
	{`r"a" == "a"`, rule.ReasonExpressionName},
	{`b"a" == b"a"`, rule.ReasonExpressionName},
	{`1 in []`, rule.ReasonExpressionSyntax},
	{`1 in [1,]`, rule.ReasonExpressionSyntax},
	{`1 in [true]`, rule.ReasonExpressionSyntax},
	{`1 in 1`, rule.ReasonExpressionSyntax},
	{`action.type in [action.resource]`, rule.ReasonExpressionSyntax},
	{`1 in [1] == true`, rule.ReasonExpressionSyntax},
	{`{"a":1} == {"a":1}`, rule.ReasonExpressionSyntax},
	{`action["type"] == "a"`, rule.ReasonExpressionSyntax},
	{`action == action`, rule.ReasonExpressionSyntax},
	{`.action.type == "a"`, rule.ReasonExpressionSyntax},
	{`action.parameters == 1`, rule.ReasonExpressionSyntax},
	{`action.counterparty == 1`, rule.ReasonExpressionSyntax},
	{`action.parameters.true`, rule.ReasonExpressionName},
	{`action.parameters.in == 1`, rule.ReasonExpressionName},
	{`action.parameters.a.b == 1`, rule.ReasonExpressionName},
	{`action.counterparty.name == "AWS"`, rule.ReasonExpressionName},
	{`action.amount.value == "1.00"`, rule.ReasonExpressionName},
	{`action.nonce == "a"`, rule.ReasonExpressionName},
	{`Action.type == "a"`, rule.ReasonExpressionName},
	{`mandate.type == "a"`, rule.ReasonExpressionName},
	{`null == null`, rule.ReasonExpressionName},
	{`has(action.amount)`, rule.ReasonExpressionName},
	{`action.type.matches("a+")`, rule.ReasonExpressionName},
	{`action.type.endsWith("a")`, rule.ReasonExpressionName},
	{`action.type.size() == 1`, rule.ReasonExpressionName},
	{`timestamp("2026-12-01T00:00:00Z") == 1`, rule.ReasonExpressionName},
	{`1`, rule.ReasonExpressionType},
	{`"true"`, rule.ReasonExpressionType},
	{`action.type`, rule.ReasonExpressionType},
	{`action.amount`, rule.ReasonExpressionType},
	{`!1`, rule.ReasonExpressionType},
	{`true && 1`, rule.ReasonExpressionType},
	{`"a" || true`, rule.ReasonExpressionType},
	{`1 == "1"`, rule.ReasonExpressionType},
	{`action.type == 1`, rule.ReasonExpressionType},
	{`action.amount > 100`, rule.ReasonExpressionType},
	{`action.amount == "100.00"`, rule.ReasonExpressionType},
	{`action.amount in [100]`, rule.ReasonExpressionType},
	{`true < false`, rule.ReasonExpressionType},
	{`"a" < "b"`, rule.ReasonExpressionType},
	{`1 in [1, "a"]`, rule.ReasonExpressionType},
	{`size(1) == 1`, rule.ReasonExpressionType},
	{`size(action.amount) == 1`, rule.ReasonExpressionType},
	{`"a".startsWith(1)`, rule.ReasonExpressionType},
	{`1 .startsWith("a")`, rule.ReasonExpressionType},
	{`action.parameters.a == 1 && action.parameters.a == "1"`, rule.ReasonExpressionType},
	{`action.parameters.a == 1 && action.parameters.a`, rule.ReasonExpressionType},
	{`action.parameters.a == action.parameters.b`, rule.ReasonExpressionType},
	{`action.parameters.a == action.parameters.b && action.parameters.a == 1 && action.parameters.b == "1"`, rule.ReasonExpressionType},
	{`action.parameters.a < action.parameters.b && action.parameters.a == "1"`, rule.ReasonExpressionType},
	{`money(100, "EUR") == money("100.00","EUR")`, rule.ReasonExpressionSyntax},
	{`money("100", "EUR") == money("100.00","EUR")`, rule.ReasonExpressionSyntax},
	{`action.amount < money("1", "XAU")`, rule.ReasonExpressionSyntax},
	{`action.amount < money("1.00")`, rule.ReasonExpressionSyntax},
	{`action.amount < money(action.type, "EUR")`, rule.ReasonExpressionSyntax},
}

func TestExpressionRefuses(t *testing.T) {
	for _, c := range wrongExpressions {
		got, err := rule.Parse(value(t, `{"id":"x","type":"expression","expression":"true"}`).With("expression", text(t, c.expression)))
		var e *jcs.Error
		if got != nil || !errors.As(err, &e) || e.Reason != c.reason || e.Pointer != "/expression" || !strings.HasPrefix(e.Detail, "at byte ") {
			t.Errorf("%.60s: %v, want %s", c.expression, err, c.reason)
		}
		if !slices.Contains(rule.Reasons(), c.reason) {
			t.Errorf("%s is not among Reasons", c.reason)
		}
	}
}

func text(t *testing.T, s string) jcs.Value {
	t.Helper()
	v, err := jcs.ValueOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExpressionBounds: what is exactly as large as allowed is read.
func TestExpressionBounds(t *testing.T) {
	for _, s := range []string{
		strings.Repeat(" ", 1020) + "true",
		strings.Repeat("!", 16) + "true",
		strings.Repeat("(", 16) + "true" + strings.Repeat(")", 16),
		"1 in [1" + strings.Repeat(",1", 253) + "]",
		"true" + strings.Repeat("&&true", 170),
		"action.parameters.in_ == 1 && action.parameters._1 == 1 && action.parameters.package == 1",
	} {
		if _, err := rule.Parse(value(t, limit(s))); err != nil {
			t.Errorf("%.40s: %v", s, err)
		}
	}
}

func TestExpressionTargets(t *testing.T) {
	c := parse(t, limit(`action.amount > money("1.00","EUR") && action.parameters.b || action.amount.currency == "EUR" && action.parameters.a == action.counterparty.id && action.amount < money("5.00","EUR")`))
	want := []string{"/amount", "/parameters/b", "/amount/currency", "/parameters/a", "/counterparty/id"}
	if got := c.Targets(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestExpressionAllocates: judging an action that holds allocates nothing.
func TestExpressionAllocates(t *testing.T) {
	c := parse(t, limit(benchExpression))
	a := action(t, order)
	if v := c.Check(a, time.Time{}); v != nil {
		t.Fatalf("%+v", *v)
	}
	if n := testing.AllocsPerRun(100, func() { c.Check(a, time.Time{}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

const benchExpression = `action.amount <= money("500.00","EUR") && action.resource.startsWith("iban:PT") && ` +
	`(action.parameters.n in [1,2,3,4,5] || action.parameters.yes) && size(action.parameters.s) < 140`

func BenchmarkExpression(b *testing.B) {
	v, err := jcs.ParseDocument([]byte(limit(benchExpression)))
	if err != nil {
		b.Fatal(err)
	}
	c, err := rule.Parse(v)
	if err != nil {
		b.Fatal(err)
	}
	act, err := jcs.ParseDocument([]byte(order))
	if err != nil {
		b.Fatal(err)
	}
	a := rule.Action{Value: act, Amount: &rule.Money{Minor: 10000, Currency: "EUR"}}
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if c.Check(a, time.Time{}) != nil {
				b.Fatal("does not hold")
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rule.Parse(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzExpression: whatever is read is judged, said and bracketed without harm, and brackets change nothing.
func FuzzExpression(f *testing.F) {
	for _, s := range expressions {
		f.Add(s[len(`{"id":"x","type":"expression","expression":"`) : len(s)-2])
	}
	for _, c := range wrongExpressions {
		f.Add(c.expression)
	}
	act, err := jcs.ParseDocument([]byte(order))
	if err != nil {
		f.Fatal(err)
	}
	actions := []rule.Action{{Value: act, Amount: &rule.Money{Minor: 10000, Currency: "EUR"}}, {}}
	f.Fuzz(func(t *testing.T, expression string) {
		c, ok := readExpression(expression)
		if !ok {
			return
		}
		for _, l := range rule.Locales() {
			if s := c.Sentence(l); s == "" || strings.ContainsAny(s, "\n\r\u2028") {
				t.Errorf("%q is said as %q", expression, s)
			}
		}
		bracketed, ok := readExpression("(" + expression + ")")
		negated, negatable := readExpression("!(" + expression + ")")
		for _, a := range actions {
			v := c.Check(a, time.Time{})
			if w := bracketed; ok && !sameViolation(w.Check(a, time.Time{}), v) {
				t.Errorf("%q: %v, in brackets %v", expression, v, w.Check(a, time.Time{}))
			}
			if negatable {
				w := negated.Check(a, time.Time{})
				opposite := v == nil && w != nil && w.Reason == rule.ReasonExpressionFalse || v != nil && v.Reason == rule.ReasonExpressionFalse && w == nil
				if !opposite && (v == nil || !sameViolation(v, w)) {
					t.Errorf("%q: %v, negated %v", expression, v, w)
				}
			}
		}
	})
}

func readExpression(expression string) (rule.Constraint, bool) {
	text, err := jcs.ValueOf(expression)
	if err != nil {
		return nil, false
	}
	id, _ := jcs.ValueOf("x")
	kind, _ := jcs.ValueOf("expression")
	c, err := rule.Parse(jcs.Value{}.With("id", id).With("type", kind).With("expression", text))
	return c, err == nil
}

func sameViolation(a, b *rule.Violation) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
