package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Result is what a check found.
type Result struct {
	Problems []string
	Calls    int
	Events   int // entries of chains
	Accounts int // usage rows that were held against the account
	Windows  int // given to porcupine
	Unknown  int // windows that porcupine did not decide in time; the linear pass has decided them
}

func (r *Result) problem(format string, args ...any) {
	if len(r.Problems) < 100 { // one mistake at the start of a chain shows at each entry after it
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Check is the linear pass.
func Check(h *History) *Result {
	r, _ := check(h)
	return r
}

// check also returns the steps of each account, for porcupine.
func check(h *History) (*Result, map[account][]step) {
	r := &Result{Calls: len(h.Calls)}
	spans := r.spans(h)
	documents := r.documents(h)
	r.answers(h, documents)
	steps := map[account][]step{}
	if len(h.Starts) == 0 || len(h.Documents) == 0 {
		r.problem("the history is empty")
	}
	for _, s := range h.Starts {
		events := r.chain(h, s, documents)
		r.realTime(s, events, spans)
		replay := &replay{Result: r, chain: s, spans: spans, holds: map[string]*hold{}, accounts: map[account]*totals{}, steps: steps}
		for _, e := range events {
			replay.event(e)
		}
	}
	return r, steps
}

// span is the time in which an entry must have been made: from the first time that anybody asked for it to the first answer.
type span struct{ invoke, back int64 }

// spans are those of requests (invoke) and of answers (back), by name: no request is called like an answer.
func (r *Result) spans(h *History) map[string]span {
	all := map[string]span{}
	for _, c := range h.Calls {
		if c.Op != "read" {
			s, asked := all["request "+c.Request]
			if !asked || c.Invoke < s.invoke {
				all["request "+c.Request] = span{invoke: c.Invoke}
			}
		}
		if c.Return == 0 || c.Answer == "" {
			continue
		}
		if c.Return < c.Invoke {
			r.problem("%s was answered before it was asked", c.Request)
		}
		if s, answered := all["answer "+c.Answer]; !answered || c.Return < s.back {
			all["answer "+c.Answer] = span{back: c.Return}
		}
	}
	return all
}

func spanOf(spans map[string]span, d *Document) span {
	s := span{invoke: spans["request "+d.Request].invoke, back: math.MaxInt64}
	if a, answered := spans["answer "+d.Digest]; answered {
		s.back = a.back
	}
	return s
}

// documents are those of the history by digest: each has one place.
func (r *Result) documents(h *History) map[string]*Document {
	all := map[string]*Document{}
	for i := range h.Documents {
		d := &h.Documents[i]
		if before, known := all[d.Digest]; known && (before.Index != d.Index || !slices.Equal(before.Links, d.Links)) {
			r.problem("%s is at entry %d and at entry %d", d.Digest, before.Index, d.Index)
		}
		all[d.Digest] = d
	}
	return all
}

// answers: the first final answer of a request is the only one, at one place, and nothing interim follows it.
func (r *Result) answers(h *History, documents map[string]*Document) {
	calls := slices.Clone(h.Calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return cmp.Compare(a.Return, b.Return) })
	final := map[string]Call{}
	for _, c := range calls {
		if c.Answer == "" && c.Refused == "" || c.Op == "read" {
			continue
		}
		d, known := documents[c.Answer]
		switch first, answered := final[c.Request]; {
		case !known && c.Refused == "":
			r.problem("unknown: the answer %s to %s was not recorded", c.Answer, c.Request)
		case known && d.Index != c.Index:
			r.problem("%s was shown at entry %d, and is at %d", c.Answer, c.Index, d.Index)
		case answered && !c.Interim && c.Answer != first.Answer:
			r.problem("%s was answered %q and then %q", c.Request, first.Answer+first.Refused, c.Answer+c.Refused)
		case answered && c.Interim && c.Invoke > first.Return:
			r.problem("%s was answered finally, and then not", c.Request)
		case !answered && !c.Interim:
			final[c.Request] = c
		}
	}
	for _, c := range calls {
		if _, answered := final[c.Request]; !answered && c.Op != "read" {
			r.problem("unknown: %s has no final answer", c.Request)
			final[c.Request] = c
		}
	}
}

// event is an entry of one chain.
type event struct {
	*Document
	seq int64
}

// chain returns the entries of a chain in the order of seq, which must be all of them.
func (r *Result) chain(h *History, s Start, documents map[string]*Document) []event {
	var events []event
	for _, d := range documents {
		for _, l := range d.Links {
			if l.Chain == s.Chain {
				events = append(events, event{d, l.Seq})
			}
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.Index, b.Index)) })
	before := event{&Document{Index: -1}, s.Seq}
	for _, e := range events {
		switch {
		case e.seq == before.seq:
			r.problem("seq %d of %s is that of %s and of %s", e.seq, s.Chain, before.Digest, e.Digest)
		case e.seq != before.seq+1:
			r.problem("unknown: nothing was recorded between seq %d and %d of %s", before.seq, e.seq, s.Chain)
		case e.Index <= before.Index:
			r.problem("seq %d of %s is entry %d, after entry %d", e.seq, s.Chain, e.Index, before.Index)
		case e.At < before.At:
			r.problem("seq %d of %s goes back in time", e.seq, s.Chain)
		}
		before = e
	}
	r.Events += len(events)
	end := slices.IndexFunc(h.Ends, func(e End) bool { return e.Chain == s.Chain })
	if end < 0 || h.Ends[end].Seq != before.seq {
		r.problem("unknown: %s was recorded up to seq %d, and that is not its end", s.Chain, before.seq)
	}
	return events
}

// realTime: what was answered before another thing was asked for comes before it. From the newest entry back, it is enough to know the
// earliest answer of all that follow.
func (r *Result) realTime(s Start, events []event, spans map[string]span) {
	earliest, of := int64(math.MaxInt64), int64(0)
	for _, e := range slices.Backward(events) {
		span := spanOf(spans, e.Document)
		if earliest < span.invoke {
			r.problem("seq %d of %s was asked for after seq %d was answered", e.seq, s.Chain, of)
		}
		if span.back < earliest {
			earliest, of = span.back, e.seq
		}
	}
}

// String is the result in one line, without the problems.
func (r *Result) String() string {
	return fmt.Sprintf("%d calls, %d entries, %d rows of usage, %d windows, %d problems; the linear pass decided all, porcupine all windows but %d", r.Calls, r.Events, r.Accounts,
		r.Windows, len(r.Problems), r.Unknown)
}
