package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/powercut"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

const org = "acme"

// simulation is Acme, its ledger on a machine, and everybody who calls it, in the time of the world. All of it runs in one bubble of
// testing/synctest: a step begins when everything that the last one began waits.
type simulation struct {
	*writtest.World
	t    *testing.T
	luck *rand.Rand
	m    *Machine

	random   *rand.ChaCha8 // of the server; the world draws its own
	log      *log.Log
	journal  *journal.Journal
	issuer   *issuer.Issuer
	verifier *verifier.Verifier
	trust    *verifier.Trust
	policy   *log.Policy

	faults  bool
	number  int // of the step
	steps   []string
	counts  map[string]int
	clients clients
	seen    seen
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{World: writtest.Acme(fmt.Sprint("sim ", seed)), t: t, luck: rand.New(rand.NewPCG(seed, 1)), m: New(),
		random: rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), 1}), counts: map[string]int{}}
	s.seen.init()
	s.clients.refs = map[string]spec.ChainRef{}
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), 2})
	s.must(Install(s.m, source, func() time.Time { return s.Now }))
	s.must(errors.Join(s.m.MkdirAll("data"), s.m.SyncDir(".")))
	return s
}

func (s *simulation) must(err error) {
	s.t.Helper()
	if err != nil {
		s.fatal("%v", err)
	}
}

// fatal ends the simulation: it says how it came to this.
func (s *simulation) fatal(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("the last operations of the disk:\n%s", strings.Join(s.m.Recent(), "\n"))
	s.t.Logf("the last steps:\n%s", strings.Join(s.steps[max(0, len(s.steps)-40):], "\n"))
	s.t.Fatalf("step %d: %s", s.number, fmt.Sprintf(format, args...))
}

func (s *simulation) note(format string, args ...any) {
	s.steps = append(s.steps, fmt.Sprintf("%4d %s ", s.number, s.Now.Format("02 15:04:05.000"))+fmt.Sprintf(format, args...))
}

// chance is true once in n times.
func (s *simulation) chance(n int) bool { return s.luck.IntN(n) == 0 }

// boot starts the ledger, as a process that just began.
func (s *simulation) boot() (err error) {
	s.log, s.journal = nil, nil
	if s.log, err = log.Open(log.Options{Dir: "data/log", Guard: "guard/checkpoint", Signer: s.WatchedLogSigner(func(text []byte) { s.seen.signed(s, string(text)) }), FS: s.m}); err != nil {
		return err
	}
	s.seen.published(s, s.log.Published())
	if s.journal, err = journal.Open(context.Background(), journal.Options{Path: "data/journal.db", Log: s.log, Now: s.now,
		Random: s.random, Sign: s.sign, FS: s.m, RunTwice: true}); err != nil {
		return err
	}
	synctest.Wait() // for the heads: they take the journal's lock, at which a bubble does not see anybody wait
	j := gated{s.journal}
	if s.issuer, err = issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin}, Seal: writtest.Grantor,
		SealKey: spec.SealKey{ID: s.KeyID("seal"), Key: s.multikey("seal")}, DecisionKey: s.multikey("ledger"), Journal: j, Drafts: s.journal,
		Random: s.random, Now: s.now}); err != nil {
		return err
	}
	s.verifier, err = verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.multikey("ledger"), Log: writtest.Origin, Epoch: 1, Journal: j,
		Trust: func() *verifier.Trust { return s.trust }, Random: s.random, Now: s.now})
	return err
}

func (s *simulation) now() time.Time { return s.Now }

func (s *simulation) multikey(party string) string { return s.Key(party).Public().Multikey() }

func (s *simulation) sign(ctx context.Context, d spec.Document, at time.Time) (spec.Document, error) {
	return s.SignUnsigned(ctx, d, at.Truncate(time.Second))
}

// believe pins the first roster.
func (s *simulation) believe(roster spec.Document) {
	policy := "log " + s.LogSigner().Verifier.String() + "\nquorum none\n"
	data, err := json.Marshal(map[string]any{"version": "1", "policy": policy,
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
	s.must(err)
	s.trust, err = verifier.ParseTrust(data)
	s.must(err)
	s.policy, err = log.ParsePolicy([]byte(policy))
	s.must(err)
}

// gated holds the answers of the journal back until it is the caller's turn, so that callers that share a batch go on one by one.
type gated struct{ *journal.Journal }

type turn struct{}

// Run implements the Journal of verifier and issuer.
func (g gated) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	logged, err := g.Journal.Run(ctx, op, f)
	<-ctx.Value(turn{}).(chan struct{})
	return logged, err
}

// call is what a client asks of the ledger.
type call struct {
	name  string
	ask   func(context.Context) (spec.Logged, error)
	done  func(spec.Logged, error) // told once there is an answer
	lost  bool                     // the answer never arrives
	alone bool                     // it writes beside the batches, and would wait for the one that is held up

	logged spec.Logged
	err    error
}

// together runs calls in one batch, in their order, and those that come alone one after the other before it.
func (s *simulation) together(calls ...*call) {
	var batch []*call
	for _, c := range calls {
		if c.alone {
			s.batch(c)
		} else {
			batch = append(batch, c)
		}
	}
	if len(batch) > 0 {
		s.batch(batch...)
	}
}

// batch holds the journal up until all of the calls wait for it.
func (s *simulation) batch(calls ...*call) {
	release, turns := make(chan struct{}), make([]chan struct{}, len(calls))
	if len(calls) > 1 {
		go s.journal.Run(context.Background(), spec.Op{Org: org, Write: []spec.ChainRef{{Content: "none", Salt: blankSalt, Log: "none"}}},
			func(spec.States, time.Time) ([]spec.Document, error) {
				<-release
				return nil, nil
			})
		synctest.Wait()
	}
	for i, c := range calls {
		turns[i] = make(chan struct{})
		go func() { c.logged, c.err = c.ask(context.WithValue(context.Background(), turn{}, turns[i])) }()
		synctest.Wait()
	}
	close(release)
	synctest.Wait()
	for i := range calls {
		close(turns[i])
		synctest.Wait()
	}
	for _, c := range calls {
		s.answered(c)
	}
}

const blankSalt = "uAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func (s *simulation) answered(c *call) {
	result := fmt.Sprint("refused: ", reasonOf(c.err))
	if c.err == nil {
		result = "logged"
		if d, ok := verifier.Decision(c.logged); ok {
			result = d.Result
		}
		if c.logged.Known {
			result += ", known"
		}
	}
	if _, dead := s.m.Struck(); c.lost || dead && c.err != nil {
		c.err, result = errLost, result+", lost"
	}
	s.note("%s: %s", c.name, result)
	s.counts[result]++
	s.suspect(c)
	if c.err == nil {
		for _, r := range c.logged.Records {
			s.seen.acknowledged(s, r)
		}
	}
	if c.done != nil {
		c.done(c.logged, c.err)
	}
}

var errLost = errors.New("the answer was lost")

// suspect ends the simulation at errors that nobody may ever be given.
func (s *simulation) suspect(c *call) {
	what, _ := s.m.Struck()
	reason := reasonOf(c.err)
	switch {
	case reason == "table-rule", reason == "position-stale", reason == "op-invalid":
		s.fatal("%s: %v", c.name, c.err)
	case what == "" && (reason == "indeterminate" || reason == "internal"):
		s.fatal("%s: nothing was wrong, and yet: %v", c.name, c.err)
	}
}

// reasonOf is the code of a refusal, internal for any other error.
func reasonOf(err error) string {
	var refusal *spec.Error
	var hidden *verifier.NotEntitledError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &hidden):
		return "not-entitled: " + hidden.Reason
	case errors.As(err, &refusal):
		return refusal.Reason
	case errors.Is(err, errLost):
		return "lost"
	}
	return "internal"
}

// strike arms a fault, sometimes: at any operation, or at one of the few syncs, of files or of folders.
func (s *simulation) strike() {
	if !s.faults || !s.chance(4) {
		return
	}
	kind, within := "", 60
	switch s.luck.IntN(4) {
	case 0:
		kind, within = "sync", 4
	case 1:
		kind, within = "syncdir", 3
	}
	later, fault := 1+s.luck.IntN(within), Fault(s.luck.IntN(int(Faults)))
	s.m.Strike(kind, later, fault)
}

// settle starts the ledger again if it died, or may not go on.
func (s *simulation) settle() {
	what, dead := s.m.Struck()
	failed := dead || s.log.CommitCheckpoint() == nil
	select {
	case <-s.journal.Failed():
		failed = true
	default:
	}
	if failed {
		s.note("%s %v", what, s.m.fault)
		s.restart(s.chance(2))
	}
}

// restart ends the process, the power with it or not, and starts another until one lives. Then everything is checked.
func (s *simulation) restart(power bool) {
	for try := 0; ; try++ {
		if s.chance(3) {
			s.note("closed, in order: %v", s.close() == nil)
		}
		s.m.Kill()
		s.close()
		if power {
			loss := powercut.Loss(s.luck.IntN(int(powercut.Losses)))
			s.note("power cut: %v lost", s.m.Power(loss, s.luck))
			s.counts["power cut"]++
		} else {
			s.m.Start()
			s.note("killed")
			s.counts["kill"]++
		}
		if try < 3 {
			s.strike()
		}
		err := s.boot()
		if err == nil {
			break
		}
		what, _ := s.m.Struck()
		s.note("the start failed: %s: %v", what, err)
		if what == "" {
			s.fatal("the start failed: %v", err)
		}
		power = s.chance(2)
	}
	s.check()
}

// close closes what is open of the ledger; its errors are those of a dead process.
func (s *simulation) close() (err error) {
	if s.journal != nil {
		err = s.journal.Close()
	}
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return err
}
