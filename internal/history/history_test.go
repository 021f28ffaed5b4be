package history

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// ledger is a right one, in a few lines, with clients that overlap: what the checks are tried on.
type ledger struct {
	History
	luck            *rand.Rand
	now             int64 // microseconds; the ledger's clock has the milliseconds of it
	held, committed int64
	open            []*Document
}

const budgetMax = 40_000

// newLedger lives through so many calls.
func newLedger(calls int) *ledger {
	l := &ledger{luck: rand.New(rand.NewPCG(5, 6))}
	l.Starts = []Start{{Mandate: "mandate", Chain: "chain", Seq: 3}}
	for range calls {
		l.now += 1 + l.luck.Int64N(2000)
		l.lapse()
		if len(l.open) > 0 && l.luck.IntN(2) == 0 {
			l.execute()
		} else {
			l.decide()
		}
	}
	l.Ends = []End{{Chain: "chain", Seq: 3 + int64(len(l.Documents))}}
	return l
}

// log adds a document that somebody asked for a little earlier, and got a little later.
func (l *ledger) log(d Document) *Document {
	n := int64(len(l.Documents))
	d.Digest, d.Index, d.At = fmt.Sprintf("%s-%d", d.Kind, n), 7+n, l.now/1000
	d.Links = []Link{{Chain: "chain", Seq: 4 + n}}
	if d.Request == "" {
		d.Request = d.Digest
	}
	l.Documents = append(l.Documents, d)
	c := Call{Op: d.Kind, Request: d.Request, Invoke: max(0, l.now-l.luck.Int64N(9000)), Return: l.now + l.luck.Int64N(9000), Answer: d.Digest, Index: d.Index}
	l.Calls = append(l.Calls, c)
	if l.luck.IntN(4) == 0 {
		c.Invoke, c.Return = c.Return+1, c.Return+2
		l.Calls = append(l.Calls, c)
	}
	return &d
}

func (l *ledger) decide() {
	amount := 1 + l.luck.Int64N(3000)
	fits := l.held+l.committed+amount <= budgetMax
	d := l.log(Document{Kind: Decision, Request: fmt.Sprintf("key-%d", len(l.Documents)), Authorized: fits, ExecuteBefore: l.now/1000 + 20,
		Usage: []Usage{{Mandate: "mandate", Constraint: "daily", Unit: "EUR", From: "today", Max: budgetMax, Held: l.held, Committed: l.committed, Amount: amount}}})
	if fits {
		l.held += amount
		l.open = append(l.open, d)
	}
}

// execute begins one and reports it at once.
func (l *ledger) execute() {
	d := l.open[0]
	amount := d.Usage[0].Amount
	l.open = l.open[1:]
	l.log(Document{Kind: Begin, Decision: d.Digest})
	r := Document{Kind: Report, Decision: d.Digest}
	if l.luck.IntN(6) == 0 {
		r.Executed, r.Amount = true, amount-amount/3
	}
	l.log(r)
	l.held -= amount
	l.committed += r.Amount
}

func (l *ledger) lapse() {
	for len(l.open) > 0 && l.open[0].ExecuteBefore <= l.now/1000 {
		l.held -= l.open[0].Usage[0].Amount
		l.open = l.open[1:]
	}
}

func TestRight(t *testing.T) {
	l := newLedger(2000)
	r := CheckWindows(&l.History, time.Minute)
	if len(r.Problems) > 0 || r.Events < 2000 || r.Accounts < 900 || r.Windows < 50 || r.Unknown > 0 {
		t.Errorf("%v\n%s", r, strings.Join(r.Problems, "\n"))
	}
	t.Log(r)
}

// authorized returns the nth authorised decision.
func (l *ledger) authorized(n int) *Document {
	for i := range l.Documents {
		if d := &l.Documents[i]; d.Authorized {
			if n--; n < 0 {
				return d
			}
		}
	}
	return nil
}

// callOf returns the first call that a document answered.
func (l *ledger) callOf(d *Document) *Call {
	return &l.Calls[slices.IndexFunc(l.Calls, func(c Call) bool { return c.Answer == d.Digest })]
}

// TestPlanted plants one mistake a row; each must be found, and by its name.
func TestPlanted(t *testing.T) {
	rows := []struct {
		name, want string
		porcupine  bool // finds it too
		plant      func(*ledger)
	}{
		{"lost update", "and there was", true, func(l *ledger) { // a decision does not see what the one before it took
			first := l.authorized(40)
			for _, d := range l.Documents {
				if d.Index > first.Index && d.Kind == Decision {
					d.Usage[0].Held -= first.Usage[0].Amount
				}
			}
		}},
		{"double hold", "and there was", true, func(l *ledger) { // two decisions take the same room
			first := l.authorized(40)
			next := l.authorized(41)
			next.Usage[0].Held, next.Usage[0].Committed = first.Usage[0].Held, first.Usage[0].Committed
		}},
		{"hold freed twice", "and there was", true, func(l *ledger) {
			for _, d := range l.Documents {
				if d.Index > 200 && d.Kind == Decision {
					d.Usage[0].Held -= 77
				}
			}
		}},
		{"too much", "above", false, func(l *ledger) { l.authorized(40).Usage[0].Max = 10 }},
		{"two on one place", "is that of", false, func(l *ledger) { l.authorized(9).Links[0].Seq = l.authorized(8).Links[0].Seq }},
		{"an index twice", "after entry", false, func(l *ledger) { l.authorized(9).Index, l.callOf(l.authorized(9)).Index = 8, 8 }},
		{"a gap", "unknown: nothing was recorded", true, func(l *ledger) { l.authorized(9).Links = nil }},
		{"the end is missing", "not its end", false, func(l *ledger) { l.Ends[0].Seq++ }},
		{"another answer", "was answered", false, func(l *ledger) {
			c := *l.callOf(l.authorized(9))
			other := l.authorized(10)
			c.Answer, c.Index, c.Return = other.Digest, other.Index, c.Return+1
			l.Calls = append(l.Calls, c)
		}},
		{"final, then not", "and then not", false, func(l *ledger) {
			c := *l.callOf(l.authorized(9))
			c.Invoke, c.Return, c.Interim = c.Return+1, c.Return+2, true
			l.Calls = append(l.Calls, c)
		}},
		{"refused, then answered", "was answered", false, func(l *ledger) {
			c := *l.callOf(l.authorized(9))
			c.Answer, c.Refused, c.Return = "", "hold-lapsed", c.Invoke
			l.Calls = append(l.Calls, c)
		}},
		{"no answer", "has no final answer", false, func(l *ledger) {
			l.Calls = append(l.Calls, Call{Op: "verify", Request: "forgotten", Invoke: 5})
		}},
		{"two places", "is at entry", false, func(l *ledger) {
			d := *l.authorized(9)
			d.Index++
			l.Documents = append(l.Documents, d)
		}},
		{"shown elsewhere", "and is at", false, func(l *ledger) { l.callOf(l.authorized(9)).Index++ }},
		{"against real time", "was asked for after", true, func(l *ledger) {
			early, late := l.callOf(l.authorized(9)), l.callOf(l.authorized(10))
			late.Invoke, late.Return = early.Invoke-20, early.Invoke-10
		}},
		{"back in time", "back in time", false, func(l *ledger) { l.authorized(9).At -= 10_000 }},
		{"entered twice", "enters a hold again", true, func(l *ledger) {
			i := slices.IndexFunc(l.Documents, func(d Document) bool { return d.Kind == Report })
			l.Documents[i].Kind = Begin
		}},
		{"a lift", "unknown: seq", false, func(l *ledger) { l.authorized(9).Usage[0].Foreign = "a lift" }},
		{"nothing", "is empty", false, func(l *ledger) { l.History = History{} }},
	}
	for _, row := range rows {
		l := newLedger(400)
		row.plant(l)
		found := strings.Join(Check(&l.History).Problems, "\n")
		if !strings.Contains(found, row.want) {
			t.Errorf("%s: found %q, want %q", row.name, found, row.want)
		}
		all := strings.Join(CheckWindows(&l.History, time.Minute).Problems, "\n")
		if row.porcupine != strings.Contains(all, "porcupine") {
			t.Errorf("%s: porcupine found it: %v", row.name, !row.porcupine)
		}
	}
}

func TestFile(t *testing.T) {
	l := newLedger(100)
	var file bytes.Buffer
	w := NewWriter(&file)
	w.Write(Line{Start: &l.Starts[0]})
	for i := range l.Documents {
		w.Write(Line{Document: &l.Documents[i]})
		w.Write(Line{Document: &l.Documents[i]}) // written once
	}
	for i := range l.Calls {
		w.Write(Line{Call: &l.Calls[i]})
	}
	w.Write(Line{End: &l.Ends[0]})
	got, err := Read(&file)
	if err != nil || w.Err() != nil || !reflect.DeepEqual(*got, l.History) {
		t.Errorf("came back as another history: %v, %v", err, w.Err())
	}
	for _, bad := range []string{"{}\n", "{\"call\":\n", "[]\n"} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
