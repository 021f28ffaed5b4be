package rule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

const (
	eur     = `{"value":"10000.00","currency":"EUR"}`
	daily   = `{"id":"daily","type":"budget","max":` + eur + `,"per":"P1D","zone":"Europe/Lisbon"}`
	rolling = `{"id":"rolling","type":"budget","max":` + eur + `,"per":"P1W","rolling":true}`
	payee   = `{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["lei:ZXTILKJKG63JELOEG630"]}`
	office  = `{"id":"office","type":"hours","days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"18:00","zone":"Europe/Lisbon"}`
)

// valid is every shape that a constraint may have.
var valid = slices.Concat(shapes, intervals, patterns, expressions, credentials)

var shapes = []string{
	`{"id":"each","type":"amount","max":` + eur + `}`,
	`{"id":"each","type":"amount","min":{"value":"1.00","currency":"EUR"}}`,
	`{"id":"each","type":"amount","min":{"value":"1.00","currency":"EUR"},"max":` + eur + `}`,
	`{"id":"each","type":"amount","min":` + eur + `,"max":` + eur + `}`,
	daily, rolling,
	`{"id":"total","type":"budget","max":{"value":"5000","currency":"JPY"}}`,
	`{"id":"week","type":"budget","max":{"value":"1234567.89","currency":"CHF"},"per":"P1W","zone":"Europe/Zurich"}`,
	`{"id":"month","type":"budget","max":{"value":"999.99","currency":"GBP"},"per":"P1M","zone":"UTC"}`,
	`{"id":"year","type":"budget","max":{"value":"1.000","currency":"KWD"},"per":"P1Y","zone":"America/New_York"}`,
	`{"id":"often","type":"count","max":5,"per":"P1D","zone":"America/Argentina/Ushuaia"}`,
	`{"id":"often","type":"count","max":1,"per":"P1D","rolling":true}`,
	`{"id":"often","type":"count","max":20,"per":"P1M","rolling":true}`,
	`{"id":"often","type":"count","max":300,"per":"P1Y","rolling":true}`,
	`{"id":"once","type":"count","max":1}`,
	payee,
	`{"id":"cost-centre","type":"oneOf","pointer":"/parameters/costCentre","values":[4711,4712]}`,
	`{"id":"kind","type":"oneOf","pointer":"/type","values":["payments.transfer","at most €1, or more"]}`,
	`{"id":"odd","type":"noneOf","pointer":"/parameters/a~1b c","values":[true]}`,
	`{"id":"not-there","type":"noneOf","pointer":"/resource","values":["iban:PT50000201231234567890154","iban:DE89370400440532013000"]}`,
	office,
	`{"id":"night","type":"hours","from":"22:00","to":"06:00","zone":"UTC"}`,
	`{"id":"weekend","type":"hours","days":["tue","sat","sun"],"from":"00:00","to":"24:00","zone":"Europe/Lisbon"}`,
	`{"id":"all","type":"oneOf","pointer":"/parameters/ids","each":true,"maxItems":64,"values":["a","b"]}`,
	`{"id":"all","type":"noneOf","pointer":"/parameters/ids","each":true,"maxItems":1,"values":[7]}`,
	`{"id":"four-eyes","type":"approval"}`,
	`{"id":"four-eyes","type":"approval","above":` + eur + `}`,
	`{"id":"four-eyes","type":"approval","above":` + eur + `,"per":"P1D","zone":"Europe/Lisbon"}`,
	`{"id":"four-eyes","type":"approval","above":` + eur + `,"per":"P1W","rolling":true}`,
}

func parse(t *testing.T, s string) rule.Constraint {
	t.Helper()
	c, err := rule.Parse(value(t, s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return c
}

func value(t *testing.T, s string) jcs.Value {
	t.Helper()
	v, err := jcs.ParseDocument([]byte(s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func TestParseKeepsBytes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range valid {
		c := parse(t, s)
		seen[c.Type()] = true
		if out, err := jcs.Marshal(c); err != nil || string(out) != string(value(t, s).Canonical()) {
			t.Errorf("%s came back as %s, %v", s, out, err)
		}
	}
	if len(seen) != len(rule.Types()) {
		t.Errorf("only %v of %v have an example", seen, rule.Types())
	}
}

// invalid holds one mistake a line, with its reason and place.
var invalid = []struct{ in, reason, pointer string }{
	{`{"id":"x"}`, rule.ReasonConstraintUnknown, "/type"},
	{`{"id":"x","type":"script","expression":"true"}`, rule.ReasonConstraintUnknown, "/type"},
	{`{"id":"x","type":"expression","source":"true"}`, "member-missing", "/expression"},
	{`{"id":"x","type":"expression","expression":""}`, rule.ReasonExpressionSize, "/expression"},
	{`{"id":"x","type":"expression","expression":"true","pointer":"/type"}`, "member-unknown", "/pointer"},
	{`{"id":"x","type":"approval","per":"P1D","zone":"Europe/Lisbon"}`, rule.ReasonConstraintInvalid, "/per"},
	{`{"id":"x","type":"approval","persons":["cfo"]}`, "member-unknown", "/persons"},
	{`{"id":"x","type":"interval","atLeast":"PT60S"}`, rule.ReasonDurationForm, "/atLeast"},
	{`{"id":"x","type":"interval","atLeast":5}`, "member-type", "/atLeast"},
	{`{"id":"x","type":"pattern","pointer":"/type"}`, "member-missing", "/matches"},
	{`{"id":"x","type":"pattern","pointer":"/type","matches":"é"}`, rule.ReasonPatternInvalid, "/matches"},
	{`{"id":"x","type":"pattern","pointer":"/counterparty/name","matches":"a"}`, rule.ReasonPointerName, "/pointer"},
	{`{"id":"x","type":"pattern","pointer":"/parameters/a","matches":"a","each":true}`, rule.ReasonConstraintInvalid, "/maxItems"},
	{`{"id":"x","type":"oneOf","pointer":"/parameters/a","values":["a"],"maxItems":3}`, rule.ReasonConstraintInvalid, "/maxItems"},
	{`{"id":"x","type":"oneOf","pointer":"/parameters/a","values":["a"],"each":true,"maxItems":65}`, rule.ReasonConstraintInvalid, "/maxItems"},
	{`{"id":"x","type":"oneOf","pointer":"/parameters/a","values":["a"],"each":true,"maxItems":0}`, rule.ReasonConstraintInvalid, "/maxItems"},
	{`{"id":"x","type":"noneOf","pointer":"/parameters/a","values":["a"],"each":false,"maxItems":3}`, rule.ReasonConstraintInvalid, "/each"},
	{`{"id":"x","type":"noneOf","pointer":"/parameters/a","values":["a"],"each":false}`, rule.ReasonConstraintInvalid, "/each"},
	{`{"id":"x","type":"Amount","max":` + eur + `}`, rule.ReasonConstraintUnknown, "/type"},
	{`{"id":"x","type":5}`, rule.ReasonConstraintUnknown, "/type"},
	{`{"type":"amount","max":` + eur + `}`, "member-missing", "/id"},
	{`{"id":"X","type":"amount","max":` + eur + `}`, rule.ReasonConstraintID, "/id"},
	{`{"id":"a_b","type":"amount","max":` + eur + `}`, rule.ReasonConstraintID, "/id"},
	{`{"id":"a12345678901234567890123456789012","type":"amount","max":` + eur + `}`, rule.ReasonConstraintID, "/id"},
	{`{"id":"x","type":"amount"}`, rule.ReasonConstraintInvalid, ""},
	{`{"id":"x","type":"amount","max":` + eur + `,"per":"P1D"}`, "member-unknown", "/per"},
	{`{"id":"x","type":"amount","max":{"value":"10000.0","currency":"EUR"}}`, rule.ReasonMoneyForm, "/max/value"},
	{`{"id":"x","type":"amount","min":{"value":"0.00","currency":"EUR"}}`, rule.ReasonMoneyZero, "/min/value"},
	{`{"id":"x","type":"amount","max":{"value":"1","currency":"XAU"}}`, rule.ReasonCurrencyUnknown, "/max/currency"},
	{`{"id":"x","type":"amount","min":` + eur + `,"max":{"value":"9.00","currency":"EUR"}}`, rule.ReasonConstraintInvalid, "/max"},
	{`{"id":"x","type":"amount","min":{"value":"1.00","currency":"USD"},"max":` + eur + `}`, rule.ReasonConstraintInvalid, "/max"},
	{`{"id":"x","type":"budget","per":"P1D","zone":"UTC"}`, "member-missing", "/max"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P1D"}`, rule.ReasonConstraintInvalid, "/zone"},
	{`{"id":"x","type":"budget","max":` + eur + `,"zone":"UTC"}`, rule.ReasonConstraintInvalid, "/per"},
	{`{"id":"x","type":"budget","max":` + eur + `,"rolling":true}`, rule.ReasonConstraintInvalid, "/per"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P1D","zone":"UTC","rolling":true}`, rule.ReasonConstraintInvalid, "/zone"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P1D","zone":"UTC","rolling":false}`, rule.ReasonConstraintInvalid, "/rolling"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"","zone":""}`, rule.ReasonConstraintInvalid, "/per"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P7D","zone":"UTC"}`, rule.ReasonPeriodUnknown, "/per"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P1D","zone":"Europe/Lisboa"}`, rule.ReasonZoneUnknown, "/zone"},
	{`{"id":"x","type":"budget","max":` + eur + `,"per":"P1D","zone":"Local"}`, rule.ReasonZoneUnknown, "/zone"},
	{`{"id":"x","type":"count","max":0}`, rule.ReasonConstraintInvalid, "/max"},
	{`{"id":"x","type":"count","max":-1}`, rule.ReasonConstraintInvalid, "/max"},
	{`{"id":"x","type":"count","max":"5"}`, "member-type", "/max"},
	{`{"id":"x","type":"oneOf","pointer":"/counterparty/name","values":["Amazon"]}`, rule.ReasonPointerName, "/pointer"},
	{`{"id":"x","type":"noneOf","pointer":"/counterparty","values":["Amazon"]}`, rule.ReasonPointerName, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"type","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/a/","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/a~2","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/parameters/items/0","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/parameters/items/-/a","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/` + strings.Repeat("a", 256) + `","values":["a"]}`, rule.ReasonPointerInvalid, "/pointer"},
	{`{"id":"x","type":"oneOf","pointer":"/type"}`, "member-missing", "/values"},
	{`{"id":"x","type":"oneOf","pointer":"/type","values":["a","b","a"]}`, rule.ReasonConstraintInvalid, "/values/2"},
	{`{"id":"x","type":"noneOf","pointer":"/type","values":["1",1]}`, rule.ReasonConstraintInvalid, "/values/1"},
	{`{"id":"x","type":"noneOf","pointer":"/type","values":[["a"]]}`, rule.ReasonConstraintInvalid, "/values/0"},
	{`{"id":"x","type":"noneOf","pointer":"/type","values":[{"a":1}]}`, rule.ReasonConstraintInvalid, "/values/0"},
	{`{"id":"x","type":"hours","from":"09:00","to":"09:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/to"},
	{`{"id":"x","type":"hours","from":"9:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/from"},
	{`{"id":"x","type":"hours","from":"24:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/from"},
	{`{"id":"x","type":"hours","from":"09:00","to":"24:01","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/to"},
	{`{"id":"x","type":"hours","from":"09:00","to":"18:60","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/to"},
	{`{"id":"x","type":"hours","from":"09:00","to":"18:00"}`, "member-missing", "/zone"},
	{`{"id":"x","type":"hours","from":"09:00","to":"18:00","zone":"EST"}`, rule.ReasonZoneUnknown, "/zone"},
	{`{"id":"x","type":"hours","days":["tue","mon"],"from":"09:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/days"},
	{`{"id":"x","type":"hours","days":["mon","mon"],"from":"09:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/days"},
	{`{"id":"x","type":"hours","days":["Mon"],"from":"09:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/days"},
	{`{"id":"x","type":"hours","days":["mon","tue","wed","thu","fri","sat","sun"],"from":"09:00","to":"18:00","zone":"UTC"}`, rule.ReasonConstraintInvalid, "/days"},
}

func TestParseRefuses(t *testing.T) {
	for _, c := range slices.Concat(invalid, invalidCredentials) {
		got, err := rule.Parse(value(t, c.in))
		var e *jcs.Error
		if got != nil || !errors.As(err, &e) {
			t.Errorf("%s was accepted", c.in)
			continue
		}
		if e.Reason != c.reason || e.Pointer != c.pointer {
			t.Errorf("%s: got %v, want %s at %q", c.in, err, c.reason, c.pointer)
		}
		if !strings.HasPrefix(e.Reason, "member-") && !slices.Contains(rule.Reasons(), e.Reason) {
			t.Errorf("%s is not among Reasons", e.Reason)
		}
	}
	if _, err := rule.Parse(jcs.Value{}); err == nil {
		t.Error("an absent constraint was accepted")
	}
	for _, empty := range []string{`{"id":"x","type":"hours","days":[],"from":"09:00","to":"18:00","zone":"UTC"}`,
		`{"id":"x","type":"oneOf","pointer":"/type","values":[]}`, `["amount"]`, `null`} {
		v, err := jcs.Parse([]byte(empty)) // what no document of Writ can hold
		if err != nil {
			t.Fatal(err)
		}
		if c, err := rule.Parse(v); err == nil {
			t.Errorf("%s was read as %v", empty, c)
		}
	}
}

// TestSchemas: each type's schema accepts what Parse accepts, and refuses whatever is wrong in form alone.
func TestSchemas(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range rule.Types() {
		schemas[name] = compile(t, name)
	}
	valueOnly := []string{"/zone", "/max/currency", "/max", "/pointer", "/days", "/values/1", "/to", "/subject"} // a schema cannot compare or look up
	for _, s := range valid {
		if err := schemas[parse(t, s).Type()].Validate(plainJSON(t, s)); err != nil {
			t.Errorf("schema refuses %s: %v", s, err)
		}
	}
	for _, c := range slices.Concat(invalid, invalidCredentials) {
		name, _ := value(t, c.in).Member("type")
		text, _ := name.Text()
		if schema := schemas[text]; schema != nil && schema.Validate(plainJSON(t, c.in)) == nil && !slices.Contains(valueOnly, c.pointer) &&
			!strings.HasPrefix(c.reason, "money") {
			t.Errorf("schema accepts %s", c.in)
		}
	}
	if rule.Schema("script") != "" {
		t.Error("an unknown type has a schema")
	}
}

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	money := `{"type":"object","properties":{"value":{"type":"string"},"currency":{"type":"string"}},"required":["value","currency"],"additionalProperties":false}`
	doc := `{"$defs":{"money":` + money + `,"constraint":` + rule.Schema(name) + `},"$ref":"#/$defs/constraint"}`
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("test.json", plainJSON(t, doc)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("test.json")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return schema
}

func plainJSON(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// action makes what a constraint looks at from an action object.
func action(t *testing.T, s string) rule.Action {
	t.Helper()
	a := rule.Action{Value: value(t, s)}
	if v, ok := a.Value.Member("amount"); ok {
		m, err := rule.ParseMoney(v)
		if err != nil {
			t.Fatal(err)
		}
		a.Amount = &m
	}
	return a
}

const (
	pay     = `{"type":"payments.transfer","resource":"iban:PT50","amount":{"value":"4200.00","currency":"EUR"},"counterparty":{"id":"lei:ZXTILKJKG63JELOEG630","name":"AWS"},"parameters":{"n":4711,"s":"4711","b":false}}`
	payUSD  = `{"type":"payments.transfer","amount":{"value":"4200.00","currency":"USD"}}`
	payNone = `{"type":"payments.transfer","parameters":{"amount":{"value":"1.00","currency":"EUR"}}}`
)

const tags = `{"parameters":{"tags":["a","b","c"]}}`

// each is a list over the tags.
func each(constraintType string, maxItems int) string {
	return fmt.Sprintf(`{"id":"x","type":"%s","pointer":"/parameters/tags","each":true,"maxItems":%d,"values":["a","b","c"]}`, constraintType, maxItems)
}

func TestCheck(t *testing.T) {
	noon := "2026-12-01T12:00:00Z" // a Tuesday
	for _, c := range []struct{ constraint, action, at, reason, pointer string }{
		{`{"id":"x","type":"amount","max":{"value":"4200.00","currency":"EUR"}}`, pay, noon, "", ""},
		{`{"id":"x","type":"amount","max":{"value":"4199.99","currency":"EUR"}}`, pay, noon, rule.ReasonAmountAboveMax, "/amount"},
		{`{"id":"x","type":"amount","min":{"value":"4200.00","currency":"EUR"}}`, pay, noon, "", ""},
		{`{"id":"x","type":"amount","min":{"value":"4200.01","currency":"EUR"}}`, pay, noon, rule.ReasonAmountBelowMin, "/amount"},
		{`{"id":"x","type":"amount","max":` + eur + `}`, payUSD, noon, rule.ReasonCurrencyOther, "/amount/currency"},
		{`{"id":"x","type":"amount","max":` + eur + `}`, payNone, noon, rule.ReasonAmountAbsent, "/amount"},
		{daily, pay, noon, "", ""},
		{daily, payUSD, noon, rule.ReasonCurrencyOther, "/amount/currency"},
		{daily, payNone, noon, rule.ReasonAmountAbsent, "/amount"},
		{daily, pay, "9999-01-01T00:00:00Z", rule.ReasonTimeRange, ""},
		{`{"id":"x","type":"count","max":1}`, payNone, noon, "", ""},
		{`{"id":"x","type":"count","max":1}`, payNone, "9999-01-01T00:00:00Z", rule.ReasonTimeRange, ""},
		{payee, pay, noon, "", ""},
		{payee, payNone, noon, rule.ReasonValueAbsent, "/counterparty/id"},
		{`{"id":"x","type":"oneOf","pointer":"/counterparty/id","values":["lei:zxtilkjkg63jeloeg630"]}`, pay, noon, rule.ReasonValueNotListed, "/counterparty/id"},
		{`{"id":"x","type":"oneOf","pointer":"/parameters/n","values":[4711,5]}`, pay, noon, "", ""},
		{`{"id":"x","type":"oneOf","pointer":"/parameters/n","values":["4711"]}`, pay, noon, rule.ReasonValueOtherKind, "/parameters/n"},
		{`{"id":"x","type":"oneOf","pointer":"/parameters/b","values":[true]}`, pay, noon, rule.ReasonValueNotListed, "/parameters/b"},
		{`{"id":"x","type":"oneOf","pointer":"/Resource","values":["iban:PT50"]}`, pay, noon, rule.ReasonValueAbsent, "/Resource"},
		{`{"id":"x","type":"noneOf","pointer":"/parameters/s","values":["4711"]}`, pay, noon, rule.ReasonValueListed, "/parameters/s"},
		{`{"id":"x","type":"noneOf","pointer":"/parameters/s","values":["4712"]}`, pay, noon, "", ""},
		{`{"id":"x","type":"noneOf","pointer":"/parameters/s","values":[4711]}`, pay, noon, rule.ReasonValueOtherKind, "/parameters/s"},
		{`{"id":"x","type":"noneOf","pointer":"/parameters","values":["4711"]}`, pay, noon, rule.ReasonValueOtherKind, "/parameters"},
		{`{"id":"x","type":"noneOf","pointer":"/parameters/none","values":["4711"]}`, pay, noon, rule.ReasonValueAbsent, "/parameters/none"},
		{each("oneOf", 3), tags, noon, "", ""},
		{each("oneOf", 2), tags, noon, rule.ReasonItemsMany, "/parameters/tags"},
		{each("noneOf", 3), tags, noon, rule.ReasonValueListed, "/parameters/tags/0"},
		{each("oneOf", 3), `{"parameters":{"tags":["a","b","d"]}}`, noon, rule.ReasonValueNotListed, "/parameters/tags/2"},
		{each("oneOf", 3), `{"parameters":{"tags":["a",1]}}`, noon, rule.ReasonValueOtherKind, "/parameters/tags/1"},
		{each("noneOf", 3), `{"parameters":{"tags":["z",["a"]]}}`, noon, rule.ReasonValueOtherKind, "/parameters/tags/1"},
		{each("noneOf", 3), `{"parameters":{"tags":"z"}}`, noon, rule.ReasonValueOtherKind, "/parameters/tags"},
		{each("noneOf", 3), `{"parameters":{"tags":{"0":"z"}}}`, noon, rule.ReasonValueOtherKind, "/parameters/tags"},
		{each("noneOf", 3), payNone, noon, rule.ReasonValueAbsent, "/parameters/tags"},
		{patterns[3], tags, noon, "", ""},
		{patterns[3], `{"parameters":{"tags":["a","B"]}}`, noon, rule.ReasonPatternMismatch, "/parameters/tags/1"},
		{patterns[0], pay, noon, rule.ReasonPatternMismatch, "/parameters/s"},
		{patterns[0], payNone, noon, rule.ReasonValueAbsent, "/parameters/s"},
		{`{"id":"x","type":"pattern","pointer":"/parameters/n","matches":"[0-9]{4}"}`, pay, noon, rule.ReasonValueOtherKind, "/parameters/n"},
		{`{"id":"x","type":"pattern","pointer":"/parameters/s","matches":"[0-9]{4}"}`, pay, noon, "", ""},
		{office, pay, noon, "", ""},
		{office, pay, "2026-12-01T09:00:00Z", "", ""},
		{office, pay, "2026-12-01T08:59:59.999Z", rule.ReasonOutsideHours, ""},
		{office, pay, "2026-12-01T17:59:59.999Z", "", ""},
		{office, pay, "2026-12-01T18:00:00Z", rule.ReasonOutsideHours, ""},
		{office, pay, "2026-07-01T08:00:00Z", "", ""}, // summer: nine in Lisbon
		{office, pay, "2026-07-01T17:00:00Z", rule.ReasonOutsideHours, ""},
		{office, pay, "2026-12-05T12:00:00Z", rule.ReasonOutsideHours, ""}, // Saturday
	} {
		v := parse(t, c.constraint).Check(action(t, c.action), at(t, c.at))
		switch {
		case c.reason == "" && v != nil:
			t.Errorf("%s at %s: %+v", c.constraint, c.at, *v)
		case c.reason != "" && v == nil:
			t.Errorf("%s at %s: holds, want %s", c.constraint, c.at, c.reason)
		case v != nil && (v.Reason != c.reason || v.Pointer != c.pointer || v.Constraint != parse(t, c.constraint).ID() || v.Detail == ""):
			t.Errorf("%s at %s: %+v, want %s at %q", c.constraint, c.at, *v, c.reason, c.pointer)
		case v != nil && !slices.Contains(rule.Reasons(), v.Reason):
			t.Errorf("%s is not among Reasons", v.Reason)
		}
	}
}

// TestHoursAcrossMidnight also covers the hour that clocks repeat and the one that they skip.
func TestHoursAcrossMidnight(t *testing.T) {
	hours := func(days, from, to string) string {
		return `{"id":"x","type":"hours",` + days + `"from":"` + from + `","to":"` + to + `","zone":"Europe/Lisbon"}`
	}
	friday := hours(`"days":["fri"],`, "22:00", "06:00")
	sunday := hours(`"days":["sun"],`, "22:00", "02:00")
	for _, c := range []struct {
		constraint, at string
		open           bool
	}{
		{friday, "2026-12-04T21:59:59Z", false},
		{friday, "2026-12-04T22:00:00Z", true},
		{friday, "2026-12-05T05:59:59Z", true}, // Saturday morning
		{friday, "2026-12-05T06:00:00Z", false},
		{friday, "2026-12-04T05:00:00Z", false}, // Friday morning belongs to Thursday
		{friday, "2026-12-05T23:00:00Z", false},
		{sunday, "2026-12-07T01:00:00Z", true}, // Monday belongs to the Sunday before, across the week's end
		{hours("", "22:00", "06:00"), "2026-12-07T05:00:00Z", true},
		{hours("", "22:00", "06:00"), "2026-12-07T12:00:00Z", false},
		{hours("", "12:00", "24:00"), "2026-12-07T23:59:59.999Z", true},
		{hours("", "12:00", "24:00"), "2026-12-08T00:00:00Z", false},
		{hours("", "01:00", "02:00"), "2026-10-25T00:30:00Z", true},  // 01:30, summer time
		{hours("", "01:00", "02:00"), "2026-10-25T01:30:00Z", true},  // 01:30 again, winter time
		{hours("", "01:00", "02:00"), "2026-10-25T02:00:00Z", false}, // 02:00
		{hours("", "01:00", "02:00"), "2026-03-29T00:59:59Z", false}, // 00:59:59, then
		{hours("", "01:00", "02:00"), "2026-03-29T01:00:00Z", false}, // 02:00: the hour does not occur
	} {
		if v := parse(t, c.constraint).Check(rule.Action{}, at(t, c.at)); (v == nil) != c.open {
			t.Errorf("%s at %s: %+v", c.constraint, c.at, v)
		}
	}
}

func TestAmountMustBePositive(t *testing.T) {
	for _, s := range []string{daily, `{"id":"x","type":"amount","max":` + eur + `}`} {
		for _, minor := range []int64{0, -1, math.MinInt64} {
			a := rule.Action{Amount: &rule.Money{Minor: minor, Currency: "EUR"}}
			if v := parse(t, s).Check(a, at(t, "2026-12-01T12:00:00Z")); v == nil || v.Reason != rule.ReasonAmountNotPositive {
				t.Errorf("%s with %d: %+v", s, minor, v)
			}
		}
	}
}

func TestDraw(t *testing.T) {
	now := at(t, "2026-07-01T12:34:56Z")
	a := action(t, pay)
	draw := func(s string) rule.Draw {
		t.Helper()
		d, ok := parse(t, s).Draw(a, now)
		if !ok {
			t.Fatalf("%s draws nothing", s)
		}
		return d
	}
	d := draw(daily)
	if d.Unit != "EUR" || d.Max != 1000000 || d.Amount != 420000 || d.Bucket != d.Sum || d.Until != d.Bucket.To ||
		!d.Bucket.From.Equal(at(t, "2026-06-30T23:00:00Z")) || d.Reason() != rule.ReasonBudgetExceeded {
		t.Errorf("daily: %+v", d)
	}
	d = draw(rolling)
	if !d.Bucket.From.Equal(at(t, "2026-07-01T12:00:00Z")) || !d.Bucket.To.Equal(at(t, "2026-07-01T18:00:00Z")) ||
		!d.Sum.From.Equal(at(t, "2026-06-24T12:00:00Z")) || d.Sum.To != d.Bucket.To || !d.Until.Equal(at(t, "2026-07-08T18:00:00Z")) {
		t.Errorf("rolling: %+v", d)
	}
	d = draw(`{"id":"x","type":"count","max":3}`)
	if d.Unit != rule.UnitCount || d.Max != 3 || d.Amount != 1 || d.Bucket != (rule.Window{}) || d.Sum != d.Bucket ||
		!d.Until.IsZero() || !d.Bucket.Contains(now) || d.Reason() != rule.ReasonCountExceeded {
		t.Errorf("total: %+v", d)
	}
	for _, s := range []string{payee, office, `{"id":"x","type":"amount","max":` + eur + `}`} {
		if d, ok := parse(t, s).Draw(a, now); ok {
			t.Errorf("%s draws %+v", s, d)
		}
	}
}

func TestAmountLift(t *testing.T) {
	v := parse(t, `{"id":"x","type":"amount","max":{"value":"4000.00","currency":"EUR"}}`).Check(action(t, pay), time.Time{})
	if v == nil || v.Over != 20000 || v.Unit != "EUR" {
		t.Errorf("%+v", v)
	}
}

func TestReach(t *testing.T) {
	for s, want := range map[string]struct {
		each, window int64
		currency     string
		bounded      bool
	}{
		`{"id":"x","type":"amount","max":` + eur + `}`: {1000000, math.MaxInt64, "EUR", true},
		`{"id":"x","type":"amount","min":` + eur + `}`: {0, 0, "", false},
		daily:                               {1000000, 1000000, "EUR", true},
		payee:                               {0, 0, "", false},
		office:                              {0, 0, "", false},
		`{"id":"x","type":"count","max":1}`: {0, 0, "", false},
	} {
		each, window, currency, bounded := parse(t, s).Reach()
		if each != want.each || window != want.window || currency != want.currency || bounded != want.bounded {
			t.Errorf("%s: %d %d %s %v", s, each, window, currency, bounded)
		}
	}
}

func TestTargets(t *testing.T) {
	for s, want := range map[string][]string{daily: {"/amount"}, payee: {"/counterparty/id"}, office: nil} {
		if got := parse(t, s).Targets(); !slices.Equal(got, want) {
			t.Errorf("%s covers %v", s, got)
		}
	}
}

func TestMatchAction(t *testing.T) {
	for _, c := range []struct {
		pattern, action string
		match           bool
	}{
		{"payments.transfer", "payments.transfer", true},
		{"payments.*", "payments.transfer", true},
		{"payments.*", "payments.transfer.sepa", true},
		{"payments.*", "payments", false},
		{"payments.*", "paymentsx.transfer", false},
		{"payments.transfer", "payments.transferAll", false},
		{"payments.transfer", "payments.transfer.all", false},
		{"payments.transfer", "payments.transfer_all", false},
		{"payments.transfer", "pаyments.transfer", false}, // Cyrillic а
		{"pаyments.*", "pаyments.transfer", false},
		{"payments.*", "payments.", false},
		{"payments.*", "payments.*", false},
		{"*", "payments", false},
		{"payments.tr*", "payments.transfer", false},
		{"payments.*.sepa", "payments.x.sepa", false},
		{".*", "payments", false},
		{"", "", false},
		{"Payments.*", "Payments.transfer", false},
	} {
		if got := rule.MatchAction(c.pattern, c.action); got != c.match {
			t.Errorf("%q against %q: %v", c.pattern, c.action, got)
		}
	}
	if long := strings.Repeat("a", 129); rule.ValidType(long) || rule.ValidPattern(long) {
		t.Error("a type of 129 bytes was accepted")
	}
}

// TestMatchBySegment compares with the rule said in segments, over a small alphabet that collides often.
func TestMatchBySegment(t *testing.T) {
	name := rapid.StringMatching(`[ab]{1,2}(\.[ab]{1,2}){0,2}`)
	pattern := rapid.StringMatching(`[ab]{1,2}(\.[ab]{1,2}){0,1}(\.\*)?`)
	matches := func(pattern, action string) bool {
		p, a := strings.Split(pattern, "."), strings.Split(action, ".")
		if last := len(p) - 1; p[last] == "*" {
			return len(a) > last && slices.Equal(p[:last], a[:last])
		}
		return slices.Equal(p, a)
	}
	rapid.Check(t, func(t *rapid.T) {
		outer, inner, action := pattern.Draw(t, "outer"), pattern.Draw(t, "inner"), name.Draw(t, "action")
		if got := rule.MatchAction(outer, action); got != matches(outer, action) {
			t.Fatalf("%q against %q: %v", outer, action, got)
		}
		if rule.CoversPattern(outer, inner) && rule.MatchAction(inner, action) && !rule.MatchAction(outer, action) {
			t.Fatalf("%q covers %q but not %q", outer, inner, action)
		}
		if !rule.CoversPattern(outer, inner) {
			for _, more := range []string{inner, strings.Replace(inner, "*", "zz", 1)} {
				if rule.MatchAction(inner, more) && rule.MatchAction(outer, more) {
					t.Fatalf("%q does not cover %q although it matches %q", outer, inner, more)
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range valid {
		f.Add([]byte(s))
	}
	for _, c := range invalid {
		f.Add([]byte(c.in))
	}
	now := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := jcs.ParseDocument(data)
		if err != nil {
			return
		}
		c, err := rule.Parse(v)
		if err != nil {
			return
		}
		if out, err := jcs.Marshal(c); err != nil || string(out) != string(v.Canonical()) {
			t.Errorf("%s came back as %s, %v", v.Canonical(), out, err)
		}
		a := rule.Action{Value: v, Amount: &rule.Money{Minor: 5, Currency: "EUR"}}
		if c.Check(a, now) == nil {
			d, draws := c.Draw(a, now)
			if draws && (!d.Bucket.Contains(now) || !d.Sum.Contains(now) || d.Max < 0 || d.Amount <= 0) {
				t.Errorf("%s draws %+v", v.Canonical(), d)
			}
		}
		for _, l := range rule.Locales() {
			if c.Sentence(l) == "" {
				t.Errorf("%s has no sentence in %s", v.Canonical(), l)
			}
		}
	})
}
