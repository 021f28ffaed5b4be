package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/writ-trust/writ/log"
)

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
	// refresh is how old a cosignature gets before the same checkpoint is submitted again for a fresh time.
	refresh = 10 * time.Minute
	// round is how long one checkpoint is offered before a newer one takes its place without a quorum. All witnesses are offered
	// the same one: else each could be busy with another, and none would ever have a quorum.
	round = 15 * time.Second
	// conflicts is how often in a row a witness may answer with another size.
	conflicts = 3
)

// Source is what a Feeder asks of the log that it feeds.
type Source interface {
	// Published returns the signed checkpoint that was published last, or nil after a fatal error.
	Published() []byte
	// Size is the number of entries of which a checkpoint was ever signed, published or not.
	Size() int64
	CheckpointAt(size int64) (log.Checkpoint, error)
	Consistency(older, newer int64) ([]log.Hash, error)
}

// FeederOptions say which witnesses a log has. All fields without "optional" are needed.
type FeederOptions struct {
	Log    Source
	Origin string
	// Policy names the log's key, each witness with its URL, and the quorum.
	Policy *log.Policy
	HTTP   Doer
	// Keep makes the newest checkpoint with its quorum durable, and Kept is what it was given last before this start. Optional.
	Keep   func(signed []byte) error
	Kept   []byte
	Logger *slog.Logger
}

// Feeder brings checkpoints to witnesses. Its methods may be called concurrently; Start and Run once each, in this order.
type Feeder struct {
	FeederOptions
	latest
	witnesses []*fed
	published chan struct{}

	mu      sync.Mutex
	offered []byte                   // the signed checkpoint that witnesses are offered now
	lines   map[*log.Verifier][]byte // cosignatures over it
	met     bool                     // they are a quorum
}

// fed is a witness and what it is known to have cosigned.
type fed struct {
	log.PolicyWitness
	size int64 // only its own goroutine uses it
	poke chan struct{}
}

// NewFeeder returns a feeder. Reasons: witness-options, note-syntax, checkpoint-syntax.
func NewFeeder(o FeederOptions) (*Feeder, error) {
	if o.Log == nil || o.Policy == nil || o.HTTP == nil || o.Logger == nil {
		return nil, fault("witness-options", "Log, Policy, HTTP and Logger must be set")
	}
	f := &Feeder{FeederOptions: o, published: make(chan struct{}, 1), met: true}
	for _, w := range o.Policy.Witnesses() {
		if w.URL == "" {
			return nil, fault("witness-options", "the policy has no URL of the witness %s", w.Name)
		}
		f.witnesses = append(f.witnesses, &fed{PolicyWitness: w, poke: make(chan struct{}, 1)})
	}
	if len(f.witnesses) == 0 || !o.Policy.Witnessed() {
		return nil, fault("witness-options", "the policy names no witness, or asks for none")
	}
	return f, f.resume()
}

// resume takes up the checkpoint that was kept, if it is of this log and the policy still accepts it.
func (f *Feeder) resume() error {
	kept, err := f.Policy.Verify(f.Kept, f.Origin)
	if err == nil {
		own, err := f.Log.CheckpointAt(kept.Size)
		if err != nil || own != kept {
			return fault("log-behind-witness", "the log's quorum cosigned a checkpoint of %d entries that the log of %d does not have (%v)", kept.Size, f.Log.Size(), err)
		}
		f.set(f.Kept, kept.Size)
	}
	f.next(true)
	return nil
}

// Start asks each witness what it cosigned, by submitting the published checkpoint, and says which could not be asked.
//
// An error means that nothing may be signed any more: log-behind-witness (a witness has cosigned more entries than the log has: it
// was restored from a backup) or log-forked (a witness has cosigned another tree).
func (f *Feeder) Start(ctx context.Context) error {
	errs := make([]error, len(f.witnesses))
	var all sync.WaitGroup
	for i, w := range f.witnesses {
		all.Go(func() { errs[i] = f.feed(ctx, w) })
	}
	all.Wait()
	var fatal error
	for i, err := range errs {
		switch {
		case stops(err):
			fatal = errors.Join(fatal, err)
		case err != nil:
			f.Logger.Warn("a witness could not be asked what it cosigned", "witness", f.witnesses[i].Name, "err", err)
		}
	}
	return fatal
}

// Met says whether the published checkpoint has its quorum.
func (f *Feeder) Met() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met && bytes.Equal(f.offered, f.Log.Published())
}

// Notify says that a checkpoint was published. It does not wait.
func (f *Feeder) Notify() { signal(f.published) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run feeds the witnesses until the context ends. An error is as of Start.
func (f *Feeder) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var all sync.WaitGroup
	for _, w := range f.witnesses {
		all.Go(func() {
			if err := f.follow(ctx, w); err != nil {
				end(err)
			}
		})
	}
	f.rounds(ctx)
	all.Wait()
	if err := context.Cause(ctx); stops(err) {
		return err
	}
	return nil
}

// rounds offers one checkpoint after the other.
func (f *Feeder) rounds(ctx context.Context) {
	limit := time.NewTimer(round)
	defer limit.Stop()
	for {
		late := false
		select {
		case <-ctx.Done():
			return
		case <-f.published:
		case <-limit.C:
			late = true
			limit.Reset(round)
		}
		f.mu.Lock()
		turned := f.next(late)
		f.mu.Unlock()
		if turned {
			limit.Reset(round)
		}
	}
}

// next offers the published checkpoint if the one before has its quorum, or is late. The caller holds mu, or is alone.
func (f *Feeder) next(late bool) bool {
	newest := f.Log.Published()
	if newest == nil || bytes.Equal(newest, f.offered) || !f.met && !late {
		return false
	}
	f.offered, f.lines, f.met = newest, map[*log.Verifier][]byte{}, false
	for _, w := range f.witnesses {
		signal(w.poke)
	}
	return true
}

// follow keeps one witness up to date.
func (f *Feeder) follow(ctx context.Context, w *fed) error {
	retry := time.Duration(0)
	for {
		err := f.feed(ctx, w)
		if stops(err) {
			return err
		}
		wait, poke := refresh, w.poke
		if retry = backOff(retry, err); err != nil {
			f.Logger.Warn("a witness did not cosign, and will be asked again", "witness", w.Name, "in", retry, "err", err)
			wait, poke = retry, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-poke:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func backOff(last time.Duration, err error) time.Duration {
	if err == nil {
		return 0
	}
	return min(max(2*last, firstRetry), lastRetry)
}

// stops says whether an error means that nothing may be signed any more.
func stops(err error) bool {
	var e *log.Error
	return errors.As(err, &e) && (e.Reason == "log-behind-witness" || e.Reason == "log-forked")
}

// feed submits the checkpoint that is offered now to a witness, from where the witness stands.
func (f *Feeder) feed(ctx context.Context, w *fed) error {
	f.mu.Lock()
	signed := f.offered
	f.mu.Unlock()
	c, err := log.ReadCheckpoint(signed)
	if err != nil {
		return err
	}
	for range conflicts {
		if w.size > c.Size {
			return f.ahead(w, c.Size)
		}
		line, err := f.submit(ctx, w, c, signed)
		var conflict *ConflictError
		switch {
		case errors.As(err, &conflict):
			w.size = conflict.Size
		case errors.Is(err, errInconsistent):
			return fault("log-forked", "the witness %s (%s) has cosigned a tree of %d entries that the checkpoint of %d does not continue; ours is\n%s", w.Name, w.URL, w.size, c.Size, signed)
		case err != nil:
			return err
		default:
			w.size = c.Size
			return f.collect(signed, c.Size, w.Key, line)
		}
	}
	return fmt.Errorf("it says another size each time, now %d", w.size)
}

// ahead explains a witness that has cosigned more than we offer: somebody submitted a newer checkpoint of ours, of those that travel
// in receipts, or one that this log never signed.
func (f *Feeder) ahead(w *fed, offered int64) error {
	size := w.size
	w.size = 0 // it is asked again next time
	if own := f.Log.Size(); size > own {
		return fault("log-behind-witness", "the witness %s (%s) has cosigned %d entries, the log has %d: it was restored from a backup, or another process signs with its key", w.Name, w.URL, size, own)
	}
	return fmt.Errorf("it has cosigned %d entries already, %d are offered", size, offered)
}

func (f *Feeder) submit(ctx context.Context, w *fed, c log.Checkpoint, signed []byte) ([]byte, error) {
	r := Request{Old: w.size, Checkpoint: signed}
	if 0 < r.Old && r.Old < c.Size {
		var err error
		if r.Proof, err = f.Log.Consistency(r.Old, c.Size); err != nil {
			return nil, err
		}
	}
	return add(ctx, f.HTTP, w.PolicyWitness, r)
}

// collect adds a cosignature to the checkpoint that is offered. One that comes after its round is of no use any more.
func (f *Feeder) collect(signed []byte, size int64, key *log.Verifier, line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !bytes.Equal(signed, f.offered) {
		return nil
	}
	f.lines[key] = line
	cosigned := f.assemble()
	_, err := f.Policy.Verify(cosigned, f.Origin)
	var refusal *log.Error
	if errors.As(err, &refusal) && refusal.Reason == "checkpoint-quorum" {
		return nil
	}
	if err == nil && f.Keep != nil {
		err = f.Keep(cosigned)
	}
	if err != nil {
		return err
	}
	f.met = true
	f.set(cosigned, size)
	signal(f.published) // a newer one may wait
	return nil
}

// assemble is the offered checkpoint with its cosignatures, in the order of the policy. The caller holds mu.
func (f *Feeder) assemble() []byte {
	b := bytes.Clone(f.offered)
	for _, w := range f.witnesses {
		b = append(b, f.lines[w.Key]...)
	}
	return b
}

// PolicyFor reads the policy of a log's witnesses (tlog-policy.md). A policy without log lines is of our log; one with such lines
// must have ours. Reasons: policy-syntax, key-syntax, witness-options.
func PolicyFor(text []byte, key *log.Verifier) (*log.Policy, error) {
	p, err := log.ParsePolicy(text)
	if err != nil {
		return nil, err
	}
	if len(p.Logs()) == 0 {
		return log.ParsePolicy(append(bytes.Clone(text), "log "+key.String()+"\n"...))
	}
	for _, l := range p.Logs() {
		if l.String() == key.String() {
			return p, nil
		}
	}
	return nil, fault("witness-options", "the policy names other logs, and not %s", strings.TrimSpace(key.String()))
}
