package journal

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// refuse is a request that is refused: with a decision, or beyond those.
func (b *bench) refuse(key string, roster, mandate spec.Document) request {
	r := b.request(key, "1.00", roster, mandate)
	p, id := r.presentation, b.ID()
	r.f = func(ss spec.States, now time.Time) ([]spec.Document, error) {
		leaf := ss.ByContent(spec.ContentDigest(mandate.Value))
		if until, full := leaf.Refusals.Full(now); full {
			return nil, &spec.BeyondError{Mandate: leaf.Content, Until: until}
		}
		return []spec.Document{b.Decision(p, ss, writtest.Reject("count-exceeded"), func(d *spec.Decision) { d.ID = id })}, nil
	}
	return r
}

// TestRefusalsAreCounted: what gets no entry is counted durably, in batches and alone, over a restart, until an entry says it; the keys
// are free, and the documents alone give the same state.
func TestRefusalsAreCounted(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	var all []request
	for i := range 13 {
		all = append(all, b.refuse(fmt.Sprintf("refused-%d", i), roster, mandate))
	}
	_, errs := b.together(all...)
	last := b.refuse("refused-last", roster, mandate)
	_, err := b.decide(last)
	beyond := int64(0)
	for _, err := range append(errs, err) {
		var refused *spec.BeyondError
		if errors.As(err, &refused) {
			beyond++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if s := b.state(mandate); beyond != 4 || s.Refusals.Beyond != 4 || s.Refusals.Logged != spec.MaxRefusals {
		t.Fatalf("%d beyond, the state says %+v", beyond, s.Refusals)
	}
	b.checkRebuild()
	b.restart()
	b.unclaimed(last.op)
	waits := func() []Uncounted {
		all, err := b.j.Uncounted(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := waits(); len(all) != 0 {
		t.Errorf("before the minute is over %v wait", all)
	}
	b.Advance(time.Minute)
	if all := waits(); len(all) != 1 || all[0].Org != org || all[0].Content != spec.ContentDigest(mandate.Value) {
		t.Errorf("%v wait", all)
	}
	_, err = b.j.Run(context.Background(), spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(mandate)}},
		func(ss spec.States, now time.Time) ([]spec.Document, error) {
			count, err := spec.NewRefusalCount(ss.ByContent(spec.ContentDigest(mandate.Value)), writtest.Verifier, "", now)
			return []spec.Document{count}, err
		})
	if err != nil {
		t.Fatal(err)
	}
	if s := b.state(mandate); s.Refusals != (spec.Refusals{}) || len(waits()) != 0 {
		t.Errorf("counted, and the state says %+v", s.Refusals)
	}
	b.checkRebuild()
}
