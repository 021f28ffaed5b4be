// Package verifier keeps a ledger: it decides whether an agent may act, takes begins and reports, and checks bundles offline.
//
// The story is open → Journal.Run(Decide) → answer. open is slow and may read (parse, signatures, roster, approvals); Decide
// is pure and runs under the lock; the journal makes the answer durable and logged. Check verifies a bundle with nothing but
// its bytes and a trust file. The package links no network and no database, so strangers can embed it.
package verifier

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// Journal is what a verifier asks of the journal: the only writer, and committed reads. An unknown document and one of another
// organisation are the same error.
type Journal interface {
	Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error)
	States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error)
	RosterState(ctx context.Context, org, grantor string) (*spec.State, error)
	Record(ctx context.Context, org, digest string) (spec.Record, error)
	Beside(ctx context.Context, org, decision, digest string) (spec.Document, error)
}

// Options configure a Verifier. All fields without "optional" are needed.
type Options struct {
	DID     string // the ledger's own
	Key     string // multikey of its decision key: where the roster does not list it, nothing is decided
	Log     string // origin of its log
	Mode    string // optional; spec.ModeTest for test mode
	Epoch   int64  // counts from 1
	Journal Journal
	Trust   func() *Trust // the relying party's file, re-read on change
	Random  io.Reader     // for ids
	Now     func() time.Time
	Seen    func() *spec.Seen // optional: the newest published checkpoint
	// ExecuteWithin is how long a hold is given for. Zero means 15 minutes; at least one second, whole seconds.
	ExecuteWithin time.Duration
}

// Verifier decides. It is safe for concurrent use.
type Verifier struct {
	Options
	judged    judgedCache
	templates templateCache
}

// New makes a verifier.
func New(o Options) (*Verifier, error) {
	if o.ExecuteWithin == 0 {
		o.ExecuteWithin = 15 * time.Minute
	}
	if o.ExecuteWithin < time.Second || o.ExecuteWithin%time.Second != 0 {
		return nil, errors.New("verifier: ExecuteWithin is whole seconds, at least one")
	}
	if o.Key == "" || o.Epoch < 1 || o.Journal == nil || o.Trust == nil || o.Random == nil || o.Now == nil {
		return nil, errors.New("verifier: Key, Epoch, Journal, Trust, Random and Now must be set")
	}
	return &Verifier{Options: o}, nil
}

// Request is one call of verify: the agent's signed presentation and, where the executor asks itself, its Commit.
type Request struct {
	Org          string
	Presentation []byte
	Commit       []byte
	Hosted       bool // the server signed the presentation with a hosted agent key
	// Read are the same two documents where the caller has read them strictly already, as members of a larger one; what is absent
	// is read from the bytes.
	Read struct{ Presentation, Commit vc.Value }
}

// ErrMoved says that the roster or a policy changed between open and the lock; the verifier opens again.
var ErrMoved = errors.New("verifier: the roster or a policy moved on, open again")

// NotEntitledError hides from the caller which of identity, authenticity and authority failed: whoever holds a stolen mandate
// learns nothing. Reason is for the ledger's own log.
type NotEntitledError struct{ Reason string }

func (e *NotEntitledError) Error() string { return "not-entitled" }

func notEntitled(reason string) error { return &NotEntitledError{Reason: reason} }

// maxMoves bounds how often a request is opened again because the roster or a policy moved.
const maxMoves = 3

// Verify decides one request: AUTHORIZED with a hold, COLLECT_MISSING, or REJECTED; the same request again gets the same
// answer. What fails before that is an error and leaves nothing.
func (v *Verifier) Verify(ctx context.Context, r Request) (spec.Logged, error) {
	return v.again(func() (spec.Logged, error) {
		o, err := v.open(ctx, r)
		if err != nil {
			return spec.Logged{}, err
		}
		decide := v.decider(ctx, o)
		return v.Journal.Run(ctx, o.op, func(states spec.States, now time.Time) ([]spec.Document, error) {
			if err := o.fresh(now); err != nil {
				return nil, err
			}
			docs, err := decide(states, now)
			if err != nil {
				return nil, err
			}
			return v.counted(states.ByContent(o.leaf().Content), docs, now)
		})
	})
}

// Resume decides a waiting request anew, as things are now: after the last supplement, a decline, or the deadline.
func (v *Verifier) Resume(ctx context.Context, org, interim string) (spec.Logged, error) {
	return v.again(func() (spec.Logged, error) {
		o, err := v.reopen(ctx, org, interim)
		if err != nil {
			return spec.Logged{}, err
		}
		return v.Journal.Run(ctx, o.op, v.decider(ctx, o))
	})
}

// decideFunc is what the journal runs under its lock.
type decideFunc = func(states spec.States, now time.Time) ([]spec.Document, error)

func (v *Verifier) again(try func() (spec.Logged, error)) (spec.Logged, error) {
	for i := 1; ; i++ {
		logged, err := try()
		if !errors.Is(err, ErrMoved) {
			return logged, err
		}
		if i == maxMoves {
			return logged, spec.Refuse("indeterminate", "", "the roster or a policy keeps moving; try again")
		}
	}
}

// Decision is the decision of an answer.
func Decision(l spec.Logged) (*spec.Decision, bool) {
	d, ok := l.Last().Document.Body.(*spec.Decision)
	return d, ok
}

func reasonOf(err error) string {
	var e *spec.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return "internal"
}
