package spec_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

var updateLines = flag.Bool("update-lines", false, "write the golden sentences of a roster anew")

// TestRosterLines shows the sentences of a roster that has every member, in every language, as they are promised.
func TestRosterLines(t *testing.T) {
	r := completeRoster(writtest.Acme("roster lines"))
	var out strings.Builder
	for _, l := range rule.Locales() {
		fmt.Fprintf(&out, "%s\n", l)
		for _, line := range r.Lines(l) {
			fmt.Fprintf(&out, "  %s\n", line)
		}
	}
	const name = "testdata/roster-lines.txt"
	if *updateLines {
		if err := os.WriteFile(name, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if golden, err := os.ReadFile(name); err != nil || string(golden) != out.String() {
		t.Errorf("the sentences are not those of %s (%v):\n%s", name, err, out.String())
	}
}

func completeRoster(w *writtest.World) *spec.Roster {
	r := *w.Roster(fullRoster, w.RecoverableBy(1, "safe")).Body.(*spec.Roster)
	r.Terms().Version, r.Terms().Previous = 2, "uEiA6n2iDLz1l8hRmlqqFSYtiOZTEFkeNcrcP2Kc_G1bGYA"
	r.Terms().Persons[2].Keys[0].CompromisedSince = spec.At(w.Now)
	return &r
}

// unsaid are members that give and take no power: the salt makes the chain's name, and nothing else.
var unsaid = []string{"Salt"}

// TestEveryMemberIsSaid changes each member of a roster in turn: a sentence changes in every language, or people sign what they were not
// told.
func TestEveryMemberIsSaid(t *testing.T) {
	members := 0
	for _, l := range rule.Locales() {
		r := completeRoster(writtest.Acme("every member"))
		before := r.Lines(l)
		eachMember(reflect.ValueOf(r.Terms()).Elem(), "", func(place string, v reflect.Value) {
			members++
			old := reflect.New(v.Type()).Elem()
			old.Set(v)
			alter(v)
			if slices.Equal(r.Lines(l), before) != slices.Contains(unsaid, place) {
				t.Errorf("%s: %s changed, and no sentence says so", l, place)
			}
			v.Set(old)
		})
	}
	if members < 2*30 {
		t.Errorf("only %d members were changed", members)
	}
}

// eachMember visits each scalar below a struct. Of lists it takes every element.
func eachMember(v reflect.Value, place string, visit func(string, reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[spec.Time]() || v.Type() == reflect.TypeFor[rule.Money]():
		visit(place, v)
	case v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct:
		if v.Type() != reflect.TypeFor[*rule.Money]() {
			eachMember(v.Elem(), place, visit)
			return
		}
		visit(place, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if place != "" {
				name = place + "." + name
			}
			eachMember(v.Field(i), name, visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachMember(v.Index(i), place, visit)
		}
	default:
		visit(place, v)
	}
}

// alter makes a value another of its kind.
func alter(v reflect.Value) {
	switch x := v.Interface().(type) {
	case spec.Time:
		if x.Time.IsZero() {
			x.Time = writtest.Start
		}
		v.Set(reflect.ValueOf(spec.At(x.Add(time.Hour))))
	case rule.Money:
		x.Minor += 100
		v.Set(reflect.ValueOf(x))
	case *rule.Money:
		if x == nil {
			x = &rule.Money{Currency: "EUR"}
		}
		v.Set(reflect.ValueOf(&rule.Money{Minor: x.Minor + 100, Currency: x.Currency}))
	case *spec.UpTo:
		v.Set(reflect.ValueOf(&spec.UpTo{Each: rule.Money{Minor: 100, Currency: "EUR"}}))
	case *bool:
		v.Set(reflect.ValueOf(new(bool)))
	default:
		if v.CanInt() {
			v.SetInt(v.Int() + 1)
			return
		}
		if v.String() == "P1D" {
			v.SetString("P2D")
			return
		}
		v.SetString(v.String() + "x")
	}
}
