package journal

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// checkCache compares every cached state with what the tables say, and returns how many there are.
func (b *bench) checkCache() int {
	b.t.Helper()
	ctx := context.Background()
	cached := map[string]*spec.State{}
	var named []string
	for content, e := range b.j.states.chains {
		s := e.Value.(*cachedState).state
		cached[content] = s
		for _, h := range s.Holds {
			named = append(named, h.Decision)
		}
	}
	err := b.j.snapshot(ctx, func(q querier) error {
		at, _, err := tip(ctx, q)
		if err != nil || at.Size != b.j.states.size {
			return fmt.Errorf("the states are of size %d, the tables of %d: %v", b.j.states.size, at.Size, err)
		}
		fresh, err := loadStates(ctx, q, &parsedCache{}, slices.Collect(maps.Keys(cached)), scope{now: b.Now, decisions: named})
		if err != nil || len(fresh) != len(cached) {
			return fmt.Errorf("%d of %d chains are in the tables: %v", len(fresh), len(cached), err)
		}
		for content, s := range cached {
			got, want := describe(trimmed(s, b.Now)), describe(trimmed(fresh[content].state, b.Now))
			if got != want {
				b.t.Errorf("cached:\n%s\nin the tables:\n%s", got, want)
			}
		}
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
	return len(cached)
}

// TestCacheEqualsTables plays histories in which operations of the database fail now and then, before they are done or after, and
// compares the cache with the tables after each step.
func TestCacheEqualsTables(t *testing.T) {
	s := newScene(t)
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			planted := &seam{after: seed%2 == 1}
			h := history{bench: s.from(t, func(o *Options) { o.wrap = planted.wrap }), scene: s, rand: rand.New(rand.NewPCG(seed, 17)), seam: planted}
			for step := range 30 {
				h.step(step)
				if h.j.usable() != nil {
					h.restart()
				} else if n := h.checkCache(); n == 0 && step > 10 && planted.at.Load() == 0 {
					t.Fatal("nothing is cached")
				}
				if t.Failed() {
					t.Fatalf("at step %d", step)
				}
			}
			h.checkRebuild()
		})
	}
}

// history is a random one: decisions, begins and reports, in time that passes, with failures between.
type history struct {
	*bench
	scene
	*seam
	rand    *rand.Rand
	decided []spec.Document
	begun   []spec.Document
}

func (h *history) step(n int) {
	if h.rand.IntN(4) == 0 {
		h.at.Store(h.count.Load() + 1 + h.rand.Int64N(30))
	} else {
		h.at.Store(0)
	}
	h.Advance([]time.Duration{0, time.Second, time.Minute, 20 * time.Minute, 26 * time.Hour}[h.rand.IntN(5)])
	switch k := h.rand.IntN(4); {
	case k == 0 && len(h.decided) > 0:
		d := h.decided[h.rand.IntN(len(h.decided))]
		begin := h.Begin(d, h.Now)
		if _, err := h.run(about(d, begin), begin); err == nil {
			h.begun = append(h.begun, d)
		}
	case k == 1 && len(h.begun) > 0:
		d := h.begun[h.rand.IntN(len(h.begun))]
		report := h.Report(d, []string{spec.OutcomeExecuted, spec.OutcomeFailed}[h.rand.IntN(2)], "", h.rand.IntN(2) == 0, h.Now)
		h.run(about(d, report), report)
	default:
		r := h.request(fmt.Sprintf("invoice-%02d", n), fmt.Sprintf("%d.00", 1+h.rand.IntN(3000)), h.roster, h.mandate)
		if l, err := h.decide(r); err == nil {
			h.decided = append(h.decided, l.Last().Document)
		}
	}
}

// TestForeignWriter: where another process has moved the journal on, nothing that was cached before counts.
func TestForeignWriter(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	b.verify("invoice-1", "1.00", roster, mandate)
	b.j.states.size--
	if h, ok := b.j.states.get(spec.ContentDigest(mandate.Value), nil); !ok || h.state.Seq == 0 {
		t.Fatal("the mandate is not cached")
	}
	b.verify("invoice-2", "1.00", roster, mandate)
	b.checkCache()
}

// TestCacheIsBounded: the least recently used goes first, and what the states take stays below the bound.
func TestCacheIsBounded(t *testing.T) {
	c := &stateCache{}
	c.reset(1)
	one := func(content string) map[string]*held {
		return map[string]*held{content: {org: org, state: &spec.State{Content: content, Kind: spec.KindMandate}}}
	}
	const many = maxCached/(16<<10) + 100
	for i := range many {
		c.committed(one(fmt.Sprint(i)), writtest.Start, 1)
		c.get("0", nil)
	}
	_, first := c.get("0", nil)
	_, second := c.get("1", nil)
	_, last := c.get(fmt.Sprint(many-1), nil)
	if !first || second || !last || c.bytes > maxCached || len(c.chains) != c.recent.Len() {
		t.Errorf("first %v, second %v, last %v; %d bytes of %d states", first, second, last, c.bytes, len(c.chains))
	}
}

// TestLateReadIsNotCached: what was read before a commit does not come in after it.
func TestLateReadIsNotCached(t *testing.T) {
	c := &stateCache{}
	c.reset(7)
	old := map[string]*held{"m": {state: &spec.State{Content: "m", Seq: 1}}}
	c.committed(map[string]*held{"other": {state: &spec.State{Content: "other"}}}, writtest.Start, 8)
	c.read(old, writtest.Start, 7)
	if _, ok := c.get("m", nil); ok {
		t.Error("a state of before the commit is cached")
	}
	keys := &keyCache{}
	_, _, changes := keys.get([32]byte{})
	keys.changed()
	keys.put(APIKey{ID: "revoked meanwhile"}, changes)
	if _, ok, _ := keys.get([32]byte{}); ok {
		t.Error("a key of before its change is cached")
	}
}
