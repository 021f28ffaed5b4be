package sim

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"

	_ "modernc.org/sqlite"
)

// length is how many steps a simulation has.
const length = 60

// outcome is what one simulation did.
type outcome struct {
	trace  string // digest of every byte written and of every step
	counts map[string]int
}

// simulate runs one seed.
func simulate(t *testing.T, seed uint64) (o outcome) {
	t.Helper()
	inBubbleOf(t, seed, func(s *simulation) {
		s.run()
		o = outcome{digest(s.m.Trace(), strings.Join(s.steps, "\n")), s.counts}
		if os.Getenv("SIM_STEPS") != "" {
			s.t.Log("\n" + strings.Join(s.steps, "\n"))
		}
	})
	return o
}

// inBubble runs a story that leaves nothing to chance.
func inBubble(t *testing.T, story func(*simulation)) { inBubbleOf(t, 0, story) }

func inBubbleOf(t *testing.T, seed uint64, story func(*simulation)) {
	t.Helper()
	t.Chdir(t.TempDir()) // the journal makes its file there, beside the disk that it uses
	if err := os.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(t, seed)
		defer s.close()
		story(s)
	})
}

func (s *simulation) run() {
	s.faults = true
	s.strike()
	if err := s.boot(); err != nil {
		s.restart(s.chance(2))
	}
	s.found()
	for s.number = 1; s.number <= length; s.number++ {
		s.strike()
		s.step()
		s.settle()
	}
	s.faults = false
	s.finish()
}

// found enrols the roster and the first mandate.
func (s *simulation) found() {
	roster := s.Roster()
	s.believe(roster)
	s.enrol(func() *call {
		return s.draft("roster", roster, func(person string) spec.Document { return s.ApproveRoster(person, roster) })
	})
	s.enrol(s.draftMandate)
}

// enrol proposes a content and has it approved, however often that fails.
func (s *simulation) enrol(propose func() *call) {
	attempt := func(c *call) {
		s.strike()
		s.together(c)
		s.settle()
	}
	for len(s.clients.drafts) == 0 {
		attempt(propose())
	}
	for len(s.clients.drafts) > 0 {
		attempt(s.approve())
	}
}

// step is one thing that happens.
func (s *simulation) step() {
	switch n := s.luck.IntN(20); {
	case n < 13:
		var calls []*call
		for range 1 + s.luck.IntN(5) {
			if c := s.next(); c != nil {
				calls = append(calls, c)
			}
		}
		if len(calls) > 0 {
			s.together(calls...)
		}
	case n < 15:
		s.Advance(pauses[s.luck.IntN(len(pauses))])
	case n < 17:
		s.publish()
	case n < 18:
		s.checkpoint()
	case n < 19:
		s.export()
	default:
		s.restart(s.chance(2))
	}
}

// publish logs the heads and publishes up to them.
func (s *simulation) publish() {
	var signed []byte
	size, err := s.journal.LogHeads(context.Background())
	if err == nil {
		signed, err = s.log.PublishAt(context.Background(), size)
	}
	if err == nil {
		s.seen.published(s, signed)
	}
	s.note("publish: %v", err)
}

// checkpoint copies the write-ahead log of SQLite into the database, as the journal does now and then.
func (s *simulation) checkpoint() {
	db, err := sql.Open("sqlite", "file:data%2Fjournal.db")
	s.must(err)
	defer db.Close()
	var busy, frames, copied int
	err = db.QueryRow("PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &copied)
	s.note("checkpoint: %d of %d frames, %v", copied, frames, err)
}

// export writes the bundle of a decision and checks it, as a stranger would.
func (s *simulation) export() {
	e := s.execution(func(*execution) bool { return true })
	if _, dead := s.m.Struck(); e == nil || dead || s.log.CommitCheckpoint() == nil {
		return
	}
	ctx := context.Background()
	receipt, at, err := verifier.Receipt(ctx, s.journal, org, e.decision.Digest)
	if err == nil {
		receipt = s.SignDecision(receipt, at.Truncate(time.Second))
	}
	bundle, err := verifier.Export(ctx, s.journal, nil, org, e.decision.Digest, receipt, s.log.Proof)
	s.must(err)
	checked := verifier.CheckBundle(bundle, s.trust, verifier.CheckOptions{})
	s.note("export %s: %v", short(e.decision.Digest), checked.Holds)
	s.counts["bundle"]++
	if !checked.Holds {
		s.fatal("the bundle of %s does not hold: %+v", short(e.decision.Digest), checked.Verdicts)
	}
}

// finish asks again for everything, publishes, checks, and starts once more after a power cut.
func (s *simulation) finish() {
	s.restart(true)
	for _, r := range s.clients.requests {
		s.together(s.again(r.promise))
	}
	s.publish()
	for range 3 {
		s.export()
	}
	s.restart(true)
}

// seeds are those of testdata/seeds.txt, which once failed, and as many more from 1 on.
func seeds(t *testing.T, more int) []uint64 {
	data, err := os.ReadFile(filepath.Join("testdata", "seeds.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []uint64
	for line := range strings.Lines(string(data)) {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	for n := range more {
		all = append(all, uint64(n+1))
	}
	return all
}

// more is how many seeds are run beside those that failed once. The race detector makes each ten times as long (race_test.go), and races
// are what the simulation does not have.
var more = 24

// TestSimulation runs the seeds that failed once and some more.
func TestSimulation(t *testing.T) {
	total := map[string]int{}
	for _, seed := range seeds(t, more) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { merge(total, simulate(t, seed).counts) })
	}
	t.Log(summary(total))
}

// TestMany runs as many seeds as SIM_RUNS says, from SIM_SEED on, or until SIM_MINUTES are over (make sim). It prints the summary and, at
// once, the seeds that fail: without -v there is no line for each seed.
func TestMany(t *testing.T) {
	first, runs, minutes := number("SIM_SEED", 1), number("SIM_RUNS", 0), number("SIM_MINUTES", 0)
	began, total, done := time.Now(), map[string]int{}, uint64(0)
	over := func() bool { return done >= runs && time.Since(began) >= time.Duration(minutes)*time.Minute }
	for ; !over(); done++ {
		seed := first + done
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { merge(total, simulate(t, seed).counts) }) {
			fmt.Printf("seed %d failed; again, with every step: make sim SEED=%d RUNS=1 STEPS=all\n", seed, seed)
		}
	}
	if took := time.Since(began); done > 0 {
		fmt.Printf("%d seeds from %d on, %.0f a minute:%s\n", done, first, float64(done)/took.Minutes(), summary(total))
	}
}

func number(name string, otherwise uint64) uint64 {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

func merge(total, counts map[string]int) {
	for what, n := range counts {
		total[what] += n
	}
}

func summary(counts map[string]int) string {
	var out strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&out, "\n%7d %s", counts[what], what)
	}
	return out.String()
}

// TestSameSeedSameTrace runs seeds twice: every byte written and every step must be the same.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := range uint64(max(1, more/6)) {
		var first, second outcome
		t.Run("first", func(t *testing.T) { first = simulate(t, seed) })
		t.Run("second", func(t *testing.T) { second = simulate(t, seed) })
		if first.trace != second.trace {
			t.Errorf("seed %d: %s and %s", seed, first.trace, second.trace)
		}
	}
}

func digest(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\n"))))[:16]
}
