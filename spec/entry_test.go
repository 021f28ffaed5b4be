package spec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

func TestEntriesReadAsWritten(t *testing.T) {
	for _, e := range entries() {
		leaf := e.Bytes()
		if len(leaf) > spec.MaxEntry {
			t.Errorf("%s with %d links has %d bytes", e.Kind, len(e.Links), len(leaf))
		}
		read, err := spec.ParseEntry(leaf)
		if err != nil || string(read.Bytes()) != string(leaf) {
			t.Errorf("%s: %v", leaf, err)
		}
		for _, l := range e.Links {
			if got, ok := read.Link(l.Chain); !ok || got != l {
				t.Errorf("the link of %s is %+v, %v", l.Chain, got, ok)
			}
		}
		if _, ok := read.Link(emptyDigest); ok {
			t.Error("a chain that is not linked was found")
		}
	}
}

func TestEntryRefuses(t *testing.T) {
	all := entries()
	roster, event, heads, successor := string(all[0].Bytes()), string(all[3].Bytes()), string(all[4].Bytes()), string(all[5].Bytes())
	link := `{"chain":"` + emptyDigest + `","seq":1,"state":"` + emptyDigest + `"}`
	for _, row := range []struct{ name, entry, old, new, reason string }{
		{"not canonical", roster, `"v":1`, `"v": 1`, "entry-canonical"},
		{"newline behind", roster, `"v":1}`, `"v":1}` + "\n", "entry-canonical"},
		{"other version", roster, `"v":1`, `"v":2`, "version-unknown"},
		{"unknown kind", roster, `"roster"`, `"receipt"`, "entry-kind"},
		{"foreign member", roster, `"v":1`, `"v":1,"x":1`, "member-unknown"},
		{"empty member", roster, `"did:web:acme.example"`, `""`, "member-empty"},
		{"root of heads", roster, `"v":1`, `"root":"` + emptyDigest + `","v":1`, "entry-shape"},
		{"event with grantor", event, `"kind"`, `"grantor":"did:web:acme.example","kind"`, "entry-shape"},
		{"nine links", event, `"links":[`, `"links":[` + link + `,`, "too-many-chains"},
		{"no links", heads, `"heads"`, `"event"`, "entry-shape"},
		{"no commitment", `{"kind":"event","links":[` + link + `],"v":1}`, "x", "x", "digest-syntax"},
		{"seq from 0", roster, `"seq":9007199254740991`, `"seq":0`, "entry-links"},
		{"one chain twice", `{"commitment":"` + emptyDigest + `","kind":"event","links":[` + link + `,` + link + `],"v":1}`, "x", "x", "entry-links"},
		{"commitment in heads", heads, `"kind"`, `"commitment":"` + emptyDigest + `","kind"`, "entry-shape"},
		{"successor of nothing", successor, `,"size":1`, ``, "entry-shape"},
		{"null", roster, `"v":1`, `"v":null`, "json-null"},
		{"too large", roster, `"did:web:acme.example"`, `"did:web:` + strings.Repeat("a", spec.MaxEntry) + `"`, "entry-size"},
	} {
		text := strings.Replace(row.entry, row.old, row.new, 1)
		_, err := spec.ParseEntry([]byte(text))
		var e *spec.Error
		if !errors.As(err, &e) || e.Reason != row.reason {
			t.Errorf("%s: got %v, want %s", row.name, err, row.reason)
		}
	}
}

// TestLongestEntry logs what fills an entry most: a decision on a chain of eight mandates.
func TestLongestEntry(t *testing.T) {
	w := writtest.Acme("eight")
	ss, _ := w.Found(nil)
	ss, m := w.Grant(ss, func(m *spec.Mandate) { m.Terms().Delegation.MaxDepth = spec.MaxChain - 1 })
	mandates := []spec.Document{m}
	for depth := int64(spec.MaxChain - 2); depth >= 0; depth-- {
		agent, from := "subagent", mandates[len(mandates)-1]
		if from.Body.(*spec.Mandate).Subject.ID == w.DID("subagent") {
			agent = "agent"
		}
		ss, m = w.Delegate(ss, from, func(m *spec.Mandate) {
			m.Subject.ID = w.DID(agent)
			if depth > 0 {
				m.Terms().Delegation = &spec.Delegation{MaxDepth: depth}
			}
		})
		mandates = append(mandates, m)
	}
	p := w.Present(mandates, w.Action("10.00"), w.Request("request-0001"), w.Now)
	_, r, err := ss.Record(w.SignDecision(w.Decision(p, ss), w.Now), spec.At(w.Now), w.Salts)
	if err != nil {
		t.Fatal(err)
	}
	e := r.Entry
	if n := len(e.Bytes()); len(e.Links) != spec.MaxChain || n > spec.MaxEntry {
		t.Errorf("%d links in %d bytes", len(e.Links), n)
	}
	if _, err := spec.ParseEntry(e.Bytes()); err != nil {
		t.Error(err)
	}
}

// TestCommitmentsNeedTheirSalt: neither a digest nor totals can be guessed from what is public.
func TestCommitmentsNeedTheirSalt(t *testing.T) {
	var a, b [32]byte
	b[31] = 1
	if spec.Commitment(a, emptyDigest) == spec.Commitment(b, emptyDigest) || spec.Commitment(a, contentDigest) == spec.Commitment(a, emptyDigest) {
		t.Error("a commitment does not depend on salt and digest")
	}
	if got := spec.Commitment(a, "uEi"); got != "" {
		t.Errorf("what is no digest was committed to: %s", got)
	}
	first := spec.WindowTotals{Constraint: "a", Unit: "EUR", Max: "1.00", Lifted: "0.00", Held: "0.00", Committed: "0.00", Excess: "0.00"}
	second := first
	second.Constraint = "b"
	seed := spec.Seed(b)
	if seed.State() == seed.Window(first) || seed.Window(first) == seed.Window(second) || seed.State() == spec.Seed(a).State() {
		t.Error("two openings share a salt")
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, e := range entries() {
		f.Add(e.Bytes())
	}
	f.Add([]byte(`{"grantor":"","kind":"event","v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := spec.ParseEntry(data)
		if err != nil {
			return
		}
		if got := e.Bytes(); string(got) != string(data) {
			t.Errorf("%q came back as %q", data, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, docs := range examples(f) {
		for _, d := range docs {
			f.Add(d.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := spec.Parse(data)
		if err != nil {
			return
		}
		again, err := spec.Parse(d.Bytes())
		if err != nil || again.Digest != d.Digest || string(again.Bytes()) != string(d.Bytes()) {
			t.Errorf("%q came back as %q: %v", data, again.Bytes(), err)
		}
		written, err := jcs.ValueOf(d.Body)
		if err != nil || !written.Equal(d.Value.Without("proof")) {
			t.Errorf("%q is written as %q: %v", data, written.Canonical(), err)
		}
	})
}
