package main

import (
	"os"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// bundleForChain is a bundle of the conformance suite, and the mandate in it.
func bundleForChain(t *testing.T) (verifier.Bundle, jcs.Value) {
	t.Helper()
	data, err := os.ReadFile("../../conformance/bundles/recovered.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jcs.ParseBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	var b verifier.Bundle
	if err := v.Decode(&b); err != nil {
		t.Fatal(err)
	}
	doc, err := spec.FromValue(b.Presentation)
	if err != nil {
		t.Fatal(err)
	}
	return b, doc.Body.(*spec.Presentation).Credential[0]
}

// TestChainOfAMandate: a mandate has one chain in one log. Another salt, or another origin, is another chain: what stands on one is
// never taken for the other.
func TestChainOfAMandate(t *testing.T) {
	b, mandate := bundleForChain(t)
	chain, origin, err := chainOf(mandate)
	if err != nil {
		t.Fatal(err)
	}
	on := 0
	for _, l := range b.Logged {
		for _, o := range l.Opened {
			if o.Chain == chain {
				on++
			}
		}
	}
	if on == 0 || origin == "" {
		t.Fatalf("%d entries of the bundle are on the chain %s of %q", on, chain, origin)
	}
	text := string(mandate.Canonical())
	salt := text[strings.Index(text, `"salt":"u`)+8:]
	salt = salt[:strings.Index(salt, `"`)]
	for name, other := range map[string]string{
		"two salts":   strings.ReplaceAll(text, salt, "u"+strings.Repeat("A", 43)),
		"two origins": strings.ReplaceAll(text, origin, origin+"2"),
	} {
		v, err := jcs.ParseDocument([]byte(other))
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := chainOf(v); err != nil || got == chain || other == text {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// TestBundleAgainstTheLog: an entry that a bundle opens is the log's, under its number, behind the one before.
func TestBundleAgainstTheLog(t *testing.T) {
	b, mandate := bundleForChain(t)
	chain, _, err := chainOf(mandate)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() *chainAudit {
		a := &chainAudit{chainShown: &chainShown{Chain: chain}, known: map[int64]bool{}}
		for _, l := range b.Logged {
			for _, o := range l.Opened {
				if o.Chain != chain {
					continue
				}
				for int64(len(a.Entries)) < o.Seq { // those of other requests are not in the bundle, but for their leaf hashes
					a.Entries = append(a.Entries, chainEntry{Seq: int64(len(a.Entries)) + 1})
				}
				a.Entries[o.Seq-1].leaf = log.RecordHash(l.Entry.Canonical())
				if previous, err := jcs.ParseDigest(o.Previous); err == nil {
					a.Entries[o.Seq-2].leaf = log.Hash(previous)
				}
			}
		}
		return a
	}
	for _, row := range []struct {
		name, want string
		change     func(a *chainAudit)
	}{
		{"the same", "", func(*chainAudit) {}},
		{"an entry left out of the log", "is not in the log", func(a *chainAudit) { a.Entries = a.Entries[:len(a.Entries)-1] }},
		{"another entry in the log", "another entry than the log's", func(a *chainAudit) { a.Entries[1].leaf[0]++ }},
		{"another entry before", "as the entry before", func(a *chainAudit) { a.Entries[0].leaf[0]++ }},
	} {
		a := shown()
		row.change(a)
		for _, l := range b.Logged {
			a.logged("bundle", l)
		}
		if got := strings.Join(a.Wrong, "; "); row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestUsageAddsUp holds what a later action found against what an earlier one left.
func TestUsageAddsUp(t *testing.T) {
	row := func(held, committed, excess, amount string) spec.Usage {
		return spec.Usage{Before: spec.Totals{Held: held, Committed: committed, Excess: excess}, Amount: amount}
	}
	for _, c := range []struct {
		name           string
		earlier, later spec.Usage
		want           bool
	}{
		{"nothing in between", row("0.00", "10.00", "0.00", "5.00"), row("5.00", "10.00", "0.00", "1.00"), true},
		{"the hold committed", row("0.00", "10.00", "0.00", "5.00"), row("0.00", "15.00", "0.00", "1.00"), true},
		{"the hold released", row("0.00", "10.00", "0.00", "5.00"), row("0.00", "10.00", "0.00", "1.00"), true},
		{"more reported than held", row("0.00", "10.00", "0.00", "5.00"), row("0.00", "17.00", "2.00", "1.00"), true},
		{"more than was charged", row("0.00", "10.00", "0.00", "5.00"), row("6.00", "10.00", "0.00", "1.00"), false},
		{"a commitment is gone", row("0.00", "10.00", "0.00", "5.00"), row("5.00", "9.00", "0.00", "1.00"), false},
		{"excess is no excuse for twice as much", row("0.00", "10.00", "2.00", "5.00"), row("0.00", "17.00", "2.00", "1.00"), false},
	} {
		if got, err := follows(c.earlier, c.later); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	if _, err := follows(row("x", "0", "0", "0"), row("0", "0", "0", "0")); err == nil {
		t.Error("an amount that is no number is taken")
	}
}
