package conformance

import (
	"fmt"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

const refusalsClause = "protocol.md 7.10: refusals"

func refusalTraces(b *book) {
	storm := func(l *life, m spec.Document, from, to int, want StepEnd) {
		for i := from; i <= to; i++ {
			l.ask(fmt.Sprintf("refused-%02d", i), "10000.01", want, m)
		}
	}
	alone := func(name, title string, play func(l *life, m spec.Document)) {
		l := newLife(b, name)
		play(l, l.enrol("mandate", l.Mandate(terms(func(t *spec.MandateTerms) { t.Recovery = nil }))))
		l.finish("refusals/"+name, refusalsClause, title)
	}
	over := rejected("budget", "budget-exceeded")
	counted := over
	counted.Entries = 2
	alone("storm-by-the-agent", "Ten refusals a minute have an entry each; the others are counted, and one entry says so before the next refusal.", func(l *life, m spec.Document) {
		storm(l, m, 1, 10, over)
		storm(l, m, 11, 13, refused("refusals-many", ""))
		l.ask("allowed-1", "1.00", authorized, m)
		l.Advance(time.Minute - time.Millisecond)
		storm(l, m, 14, 14, refused("refusals-many", ""))
		l.Advance(time.Millisecond)
		storm(l, m, 15, 15, counted)
		storm(l, m, 16, 24, over)
		storm(l, m, 25, 25, refused("refusals-many", ""))
	})
	alone("key-of-a-counted-one", "A request that was only counted leaves no claim on its key.", func(l *life, m spec.Document) {
		storm(l, m, 1, 10, over)
		storm(l, m, 11, 11, refused("refusals-many", ""))
		l.step("present", "refused-11 for less", l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("refused-11"), l.Now), authorized)
	})
	alone("ten-and-no-more", "Where nothing was beyond ten there is nothing to count.", func(l *life, m spec.Document) {
		storm(l, m, 1, 10, over)
		l.Advance(time.Minute)
		storm(l, m, 11, 11, over)
	})
	countDocuments(b)
}

func countDocuments(b *book) {
	w := world("refusal count")
	over := spec.At(w.Now.Add(time.Minute))
	count, err := spec.New(&spec.RefusalCount{Type: "RefusalCount", Version: spec.Version, Mandate: spec.ContentDigest(w.Mandate().Value),
		From: spec.At(w.Now), To: over, Count: 3, Verifier: writtest.Verifier, At: over})
	b.must(err)
	count = w.Sign(count, "ledger", did.AssertionMethod, over.Time)
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("refusals/"+name, refusalsClause, title, count.Type, b.changed(count, edits...), want)
	}
	row("count", "A minute that is over, counted.", good(count))
	row("count-of-none", "A count says at least one.", no("member-range", "/count"), set("/count", -1))
	row("count-of-an-hour", "A count is of one minute.", no("refusals-minute", "/to"), set("/to", spec.At(w.Now.Add(time.Hour)).String()))
	row("count-before-the-end", "A count is logged when the minute is over.", no("refusals-minute", "/to"), set("/at", spec.At(w.Now).String()))
}
