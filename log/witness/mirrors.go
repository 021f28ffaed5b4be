package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/writ-trust/writ/log"
)

const (
	// askEvery is how often a mirror is asked for what it cosigned last.
	askEvery = 3 * time.Second
	// maxSizes is of how many checkpoints cosignatures are kept while no quorum has met on one.
	maxSizes = 64
)

// MirrorsOptions say which mirrors a log has. All fields without "optional" are needed.
type MirrorsOptions struct {
	Log    Source
	Origin string
	// Policy names the log's key, each mirror with the address at which it serves its copy, and their quorum.
	Policy *log.Policy
	// Witnesses are the log's: a checkpoint is given out only if their quorum has cosigned it too. Optional.
	Witnesses *log.Policy
	HTTP      Doer
	// Evidence makes a checkpoint durable that the log's key signed and that is not of this log, and Kept is what it was given
	// before this start. Optional.
	Evidence func(signed []byte) error
	Kept     []byte
	Logger   *slog.Logger
}

// Mirrors fetches what mirrors cosigned (spec/protocol.md 18.3), so that what is exported can have their word. Its methods may be
// called concurrently; Start and Run once each, in this order.
type Mirrors struct {
	MirrorsOptions
	latest
	mirrors []*mirror
	alone   *log.Policy     // the log's key, and no quorum
	keys    []*log.Verifier // of log, witnesses and mirrors: the order of the lines

	mu    sync.Mutex
	lines map[int64]map[*log.Verifier][]byte // by size
}

// mirror is one of them. Only its own goroutine uses last.
type mirror struct {
	log.PolicyWitness
	with *log.Policy // the log's key, and this mirror's
	last []byte
}

// NewMirrors returns the mirrors of a policy. Reasons: witness-options; log-forked and log-behind-witness for what was kept.
func NewMirrors(o MirrorsOptions) (*Mirrors, error) {
	if o.Log == nil || o.Policy == nil || o.HTTP == nil || o.Logger == nil {
		return nil, fault("witness-options", "Log, Policy, HTTP and Logger must be set")
	}
	m := &Mirrors{MirrorsOptions: o, lines: map[int64]map[*log.Verifier][]byte{}}
	i := slices.IndexFunc(o.Policy.Logs(), func(v *log.Verifier) bool { return v.Name() == o.Origin })
	if i < 0 || !o.Policy.Witnessed() {
		return nil, fault("witness-options", "the policy names no key of %s, or asks for no mirror", o.Origin)
	}
	key := o.Policy.Logs()[i]
	m.keys, m.alone = []*log.Verifier{key}, log.NewPolicy(key)
	if o.Witnesses != nil {
		for _, w := range o.Witnesses.Witnesses() {
			m.keys = append(m.keys, w.Key)
		}
	}
	for _, w := range o.Policy.Witnesses() {
		if err := m.add(key, w); err != nil {
			return nil, err
		}
	}
	if kept, err := m.alone.Verify(o.Kept, o.Origin); err == nil {
		return m, m.ours(kept, o.Kept, "what was kept")
	}
	return m, nil
}

func (m *Mirrors) add(key *log.Verifier, w log.PolicyWitness) error {
	if w.URL == "" {
		return fault("witness-options", "the policy has no URL of the mirror %s", w.Name)
	}
	if slices.ContainsFunc(m.keys, func(v *log.Verifier) bool { return v.String() == w.Key.String() }) {
		return fault("witness-options", "%s is a witness: a key is a mirror's or a witness's, never both", w.Name)
	}
	with, err := log.ParsePolicy([]byte("log " + key.String() + "\nwitness m " + w.Key.String() + "\nquorum m\n"))
	if err != nil {
		return err
	}
	m.keys = append(m.keys, w.Key)
	m.mirrors = append(m.mirrors, &mirror{PolicyWitness: w, with: with})
	return nil
}

// Start asks each mirror once, and says which could not be asked.
//
// An error means that nothing may be signed any more: a mirror has a checkpoint with the log's own signature that is of more entries
// than the log ever signed (log-behind-witness), or of another tree (log-forked).
func (m *Mirrors) Start(ctx context.Context) error {
	errs := make([]error, len(m.mirrors))
	var all sync.WaitGroup
	for i, from := range m.mirrors {
		all.Go(func() { errs[i] = m.ask(ctx, from) })
	}
	all.Wait()
	var fatal error
	for i, err := range errs {
		switch {
		case stops(err):
			fatal = errors.Join(fatal, err)
		case err != nil:
			m.Logger.Warn("a mirror shows no cosigned checkpoint yet", "mirror", m.mirrors[i].Name, "err", err)
		}
	}
	return fatal
}

// Run asks the mirrors until the context ends. An error is as of Start.
func (m *Mirrors) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var all sync.WaitGroup
	for _, from := range m.mirrors {
		all.Go(func() {
			if err := m.follow(ctx, from); err != nil {
				end(err)
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); stops(err) {
		return err
	}
	return nil
}

// follow asks one mirror again and again, ever more slowly while it has no answer.
func (m *Mirrors) follow(ctx context.Context, from *mirror) error {
	retry := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(retry, askEvery)):
		}
		err := m.ask(ctx, from)
		if stops(err) {
			return err
		}
		if retry = backOff(retry, err); err != nil && ctx.Err() == nil {
			m.Logger.Warn("a mirror shows no cosigned checkpoint, and will be asked again", "mirror", from.Name, "in", max(retry, askEvery), "err", err)
		}
	}
}

// ask takes what a mirror shows: believed where log and mirror have signed it, and held against the log where the log's key has.
func (m *Mirrors) ask(ctx context.Context, from *mirror) error {
	status, signed, err := ask(ctx, m.HTTP, http.MethodGet, strings.TrimSuffix(from.URL, "/")+"/checkpoint", nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("status %d", status)
	case bytes.Equal(signed, from.last):
		return nil
	}
	c, err := m.alone.Verify(signed, m.Origin)
	if err != nil {
		return err
	}
	if err := m.ours(c, signed, "the mirror "+from.Name+" ("+from.URL+")"); err != nil {
		return err
	}
	if _, err := from.with.Verify(signed, m.Origin); err != nil {
		return err
	}
	from.last = signed
	return m.collect(c.Size, signed)
}

// ours refuses a checkpoint that the log's key signed and that is not of this log, and keeps it: it is evidence.
func (m *Mirrors) ours(c log.Checkpoint, signed []byte, who string) error {
	var refusal error
	if own, err := m.Log.CheckpointAt(c.Size); c.Size > m.Log.Size() {
		refusal = fault("log-behind-witness", "%s has a checkpoint of %d entries, the log has %d: it was restored from a backup, or another process signs with its key\n%s", who, c.Size, m.Log.Size(), signed)
	} else if err != nil {
		return err
	} else if own != c {
		refusal = fault("log-forked", "%s has a checkpoint of another tree that this log's key signed; ours of %d entries has root %s\n%s", who, c.Size, own.Root, signed)
	}
	if refusal != nil && m.Evidence != nil {
		refusal = errors.Join(refusal, m.Evidence(signed))
	}
	return refusal
}

// collect adds a note's lines to those over the same checkpoint, and gives it out where they are the quorum.
func (m *Mirrors) collect(size int64, signed []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, have, _ := m.get(); size < have {
		return nil
	}
	if m.lines[size] == nil {
		m.lines[size] = map[*log.Verifier][]byte{}
	}
	text, lines, _ := bytes.Cut(signed, []byte("\n\n"))
	cosigned := append(bytes.Clone(text), "\n\n"...)
	for _, key := range m.keys {
		if line, err := lineOf(signed, lines, key); err == nil {
			m.lines[size][key] = line
		}
		cosigned = append(cosigned, m.lines[size][key]...)
	}
	met, err := m.met(cosigned)
	if met {
		m.set(cosigned, size)
	}
	m.forget()
	return err
}

// met says whether the quorums of mirrors and witnesses have signed.
func (m *Mirrors) met(cosigned []byte) (bool, error) {
	_, err := m.Policy.Verify(cosigned, m.Origin)
	if err == nil && m.Witnesses != nil {
		_, err = m.Witnesses.Verify(cosigned, m.Origin)
	}
	var refusal *log.Error
	if errors.As(err, &refusal) && refusal.Reason == "checkpoint-quorum" {
		return false, nil
	}
	return err == nil, err
}

// forget drops lines over checkpoints that are older than the newest one given out, and the oldest ones where there are too many.
func (m *Mirrors) forget() {
	_, newest, _ := m.get()
	for i, size := range slices.Sorted(maps.Keys(m.lines)) {
		if size < newest || i < len(m.lines)-maxSizes {
			delete(m.lines, size)
		}
	}
}
