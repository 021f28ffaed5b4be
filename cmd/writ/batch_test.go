package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

var update = flag.Bool("update", false, "write testdata/batch anew")

// This file makes the thousand payments of testdata/batch and what is expected of each, by sums in cents and times of a wall
// clock: it asks nothing of the rules that it is there to test. testdata/batch/README.md says the rules in words.

// The limits, in cents and payments; the mandate says the same in its constraints.
const (
	eachMax   = 2_500_00
	dayMax    = 60_000_00
	dayCount  = 98
	opens     = 8 * 3600  // second of the day
	closes    = 19 * 3600 // the first second that is too late
	otherBank = "iban:PT50000201239999999990154"
	payments  = 1000
)

var batchPayees = []string{"lei:ZXTILKJKG63JELOEG630", "lei:5493006MHB84DD0ZWV18", "lei:529900V9Z1MNLNMTS121"}

// A batchDay is one day in Lisbon: its date, how far its wall clock is ahead of UTC, and how many payments fall on it. Clocks go
// back on Sunday 25 October.
type batchDay struct {
	date   time.Time
	ahead  time.Duration
	office bool
	n      int
}

func batchDays() []batchDay {
	var days []batchDay
	for i, n := range []int{118, 124, 107, 20, 12, 131, 122, 119, 126, 121} {
		d := batchDay{date: time.Date(2026, 10, 21+i, 0, 0, 0, 0, time.UTC), n: n}
		d.office = d.date.Weekday() != time.Saturday && d.date.Weekday() != time.Sunday
		if d.date.Before(time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)) {
			d.ahead = time.Hour
		}
		days = append(days, d)
	}
	return days
}

// A payment is one line as the model sees it.
type payment struct {
	second   int // of the wall clock's day
	cents    int64
	payee    string
	resource string
}

// drawPayment is one of a day's payments: most are ordinary, some break one of the rules.
func drawPayment(r *rand.Rand, second int) payment {
	p := payment{second: second, cents: 20_00 + r.Int64N(1_100_00), payee: batchPayees[r.IntN(len(batchPayees))], resource: writtest.Account}
	switch r.IntN(40) {
	case 0:
		p.payee = "lei:96950033Y5GTE2S3OC37" // on no list
	case 1:
		p.cents = eachMax + 1 + r.Int64N(2_000_00)
	case 2:
		p.cents = eachMax
	case 3:
		p.resource = otherBank
	}
	return p
}

// seconds of the day at which n payments are made: about one in fifteen outside office hours, and two right at their edges.
func seconds(r *rand.Rand, n int) []int {
	at := []int{opens - 1, opens, closes - 1, closes}
	for len(at) < n {
		s := opens + r.IntN(closes-opens)
		if r.IntN(15) == 0 {
			s = 4*3600 + r.IntN(19*3600)
		}
		at = append(at, s)
	}
	counted := make([]int, 24*3600) // sorted by counting
	for _, s := range at[:n] {
		counted[s]++
	}
	var sorted []int
	for s, k := range counted {
		for range k {
			sorted = append(sorted, s)
		}
	}
	return sorted
}

// A day's account, and the answer to one payment: the rules in the order in which a ledger asks them.
type dayAccount struct{ cents, count int64 }

func (a *dayAccount) answer(p payment, office bool) decided {
	rejected := func(reason string) decided { return decided{Result: "REJECTED", Reason: reason} }
	switch {
	case p.resource != writtest.Account:
		return rejected("resource-not-covered")
	case !office || p.second < opens || p.second >= closes:
		return rejected("outside-hours")
	case p.cents > eachMax:
		return rejected("amount-above-max")
	case p.payee != batchPayees[0] && p.payee != batchPayees[1] && p.payee != batchPayees[2]:
		return rejected("value-not-listed")
	case a.count >= dayCount:
		return rejected("count-exceeded")
	case a.cents+p.cents > dayMax:
		over := a.cents + p.cents - dayMax
		return decided{Result: "COLLECT_MISSING", Reason: "budget-exceeded", Over: euros(over) + " EUR"}
	}
	a.cents, a.count = a.cents+p.cents, a.count+1
	return decided{Result: "AUTHORIZED"}
}

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// batchFiles are the files of testdata/batch.
func batchFiles() map[string][]byte {
	var actions, expected bytes.Buffer
	r := rand.New(rand.NewPCG(2026, 10))
	line := 0
	for _, day := range batchDays() {
		var a dayAccount
		for _, second := range seconds(r, day.n) {
			line++
			p := drawPayment(r, second)
			at := day.date.Add(time.Duration(second)*time.Second - day.ahead)
			fmt.Fprintf(&actions, `{"at":"%s","action":{"type":"payments.transfer","resource":"%s","amount":{"value":"%s","currency":"EUR"},`+
				`"counterparty":{"id":"%s"},"payload":{"mapping":"pain.001/1","digest":"%s"},"nonce":"payment-%04d"}}`+"\n",
				at.Format(time.RFC3339), p.resource, euros(p.cents), p.payee, jcs.Digest("payment\n", fmt.Append(nil, line)), line)
			d := a.answer(p, day.office)
			d.Line = line
			printLine(&expected, d)
		}
	}
	w := writtest.Acme("batch")
	roster := w.Roster()
	return map[string][]byte{"actions.jsonl": actions.Bytes(), "expected.jsonl": expected.Bytes(),
		"roster.json": roster.Bytes(), "mandate.json": batchMandate(w).Bytes(), "trust.json": batchTrust(w, roster)}
}

// batchMandate says the limits above.
func batchMandate(w *writtest.World) spec.Document {
	return w.Mandate(func(m *spec.Mandate) {
		m.ValidFrom, m.ValidUntil = spec.At(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)), spec.At(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC))
		m.Terms().Constraints = []jcs.Value{
			writtest.JSON(`{"id":"office","type":"hours","days":["mon","tue","wed","thu","fri"],"from":"08:00","to":"19:00","zone":"Europe/Lisbon"}`),
			writtest.JSON(`{"id":"each","type":"amount","max":{"value":"2500.00","currency":"EUR"}}`),
			writtest.OneOf("payee", "/counterparty/id", batchPayees...),
			writtest.JSON(fmt.Sprintf(`{"id":"times","type":"count","max":%d,"per":"P1D","zone":"Europe/Lisbon"}`, dayCount)),
			writtest.Budget("daily", "60000.00", "P1D"),
		}
	})
}

func batchTrust(w *writtest.World, roster spec.Document) []byte {
	t := verifier.Trust{Version: spec.Version, Rosters: []verifier.PinnedRoster{{Grantor: writtest.Grantor, Content: spec.ContentDigest(roster.Value)}},
		Policy:    "log " + w.LogSigner().Verifier.String() + "\nquorum none\n",
		Resources: map[string]string{writtest.Account: writtest.Grantor, otherBank: writtest.Grantor}}
	data, err := t.Bytes()
	if err != nil {
		panic(err)
	}
	return data
}

// TestBatchFiles holds the files against the model, and the model against its own purpose: every answer occurs.
func TestBatchFiles(t *testing.T) {
	files := batchFiles()
	for name, want := range files {
		path := filepath.Join("testdata", "batch", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the model writes (%v): go test ./cmd/writ -run TestBatchFiles -update", path, err)
		}
	}
	if n := bytes.Count(files["actions.jsonl"], []byte("\n")); n != payments {
		t.Errorf("%d payments, want %d", n, payments)
	}
	for _, answer := range []string{"AUTHORIZED", "budget-exceeded", "count-exceeded", "value-not-listed", "amount-above-max", "outside-hours", "resource-not-covered"} {
		if n := bytes.Count(files["expected.jsonl"], []byte(`"`+answer+`"`)); n < 5 {
			t.Errorf("%s is expected %d times only", answer, n)
		}
	}
}
