package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// Back-off between attempts to resume that failed.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// supervisor decides waiting requests anew: when their last supplement is in, at a decline, and when their time is over. Each
// waiting request has one goroutine, so it is never resumed twice at once.
type supervisor struct {
	server *Server
	done   chan struct{} // closed at shutdown: those who wait for an answer get the present one
	ending sync.Once

	mu      sync.Mutex
	ctx     context.Context // of Recover; nil before it runs and after
	waiting map[string]*waiting
	group   sync.WaitGroup
}

// waiting is one request with an interim answer.
type waiting struct {
	org, interim string
	until        []time.Time // ends of its proposals
	poked        chan struct{}
}

func (v *supervisor) init(s *Server) {
	v.server, v.done, v.waiting = s, make(chan struct{}), map[string]*waiting{}
}

func (v *supervisor) endWaits() { v.ending.Do(func() { close(v.done) }) }

// Recover takes up every request that waits, those of before this start included, and resumes each in its time. It runs until the
// context ends and returns when everything it started has stopped. An error means that it could not begin.
func (s *Server) Recover(ctx context.Context) error {
	v := &s.resumes
	defer v.endWaits()
	if err := v.restoreAll(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // ended before it began
		}
		return err
	}
	v.start(ctx)
	<-ctx.Done()
	v.endWaits()
	v.mu.Lock()
	v.ctx = nil // nothing is started from here on
	v.mu.Unlock()
	v.group.Wait()
	return nil
}

func (v *supervisor) restoreAll(ctx context.Context) error {
	all, err := v.server.Journal.Interim(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := v.restore(ctx, i.Org, i.Decision); err != nil {
			return err
		}
	}
	return nil
}

func (v *supervisor) restore(ctx context.Context, org, interim string) error {
	rec, err := v.server.Journal.Record(ctx, org, interim)
	if err != nil {
		return err
	}
	if d, ok := rec.Document.Body.(*spec.Decision); ok {
		v.add(org, interim, d)
		v.poke(interim) // the process before may have ended between the last approval and the resume
	}
	return nil
}

// start sets going what was added before.
func (v *supervisor) start(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ctx = ctx
	for _, w := range v.waiting {
		v.group.Go(func() { v.run(ctx, w) })
	}
}

// add takes a waiting request, once.
func (v *supervisor) add(org, interim string, d *spec.Decision) {
	w := &waiting{org: org, interim: interim, poked: make(chan struct{}, 1)}
	for _, m := range d.Missing {
		w.until = append(w.until, m.Until.Time)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.waiting[interim] != nil {
		return
	}
	v.waiting[interim] = w
	v.server.metrics.waiting.Set(float64(len(v.waiting)))
	if ctx := v.ctx; ctx != nil {
		v.group.Go(func() { v.run(ctx, w) })
	}
}

// poke says that people have moved: a supplement was issued or declined.
func (v *supervisor) poke(interim string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w := v.waiting[interim]; w != nil {
		select {
		case w.poked <- struct{}{}:
		default:
		}
	}
}

func (v *supervisor) remove(w *waiting) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.waiting, w.interim)
	v.server.metrics.waiting.Set(float64(len(v.waiting)))
}

// run waits for something to happen, and resumes. A failure is tried again, ever more slowly, whatever it is: a trust file that
// was edited wrongly makes a request not entitled only until it is put right.
func (v *supervisor) run(ctx context.Context, w *waiting) {
	defer v.remove(w)
	retry := time.Duration(0)
	for w.sleep(ctx, v.server.Now(), retry) {
		err := v.resume(ctx, w)
		if err == nil {
			return
		}
		if code, _ := codeOf(err); code == "recovery-open" {
			retry = 0
			continue
		}
		retry = min(max(2*retry, firstRetry), lastRetry)
		v.server.Logger.WarnContext(ctx, "resume failed, will be tried again", "decision", w.interim, "err", reasonFor(err))
	}
}

// reasonFor is an error as our own log may have it, the hidden reason included.
func reasonFor(err error) string {
	var hidden *verifier.NotEntitledError
	if errors.As(err, &hidden) {
		return "not-entitled: " + hidden.Reason
	}
	return err.Error()
}

// sleep waits until the next of the proposals' ends, a poke, or the time of a retry; false means that the server stops.
func (w *waiting) sleep(ctx context.Context, now time.Time, retry time.Duration) bool {
	timer := time.NewTimer(w.next(now, retry))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.poked:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// next is how long to sleep: to the next end that is still to come, or a retry. Where all ends are past, it is soon.
func (w *waiting) next(now time.Time, retry time.Duration) time.Duration {
	if retry > 0 {
		return retry
	}
	wait := time.Duration(-1)
	for _, until := range w.until {
		if d := until.Sub(now); d > 0 && (wait < 0 || d < wait) {
			wait = d
		}
	}
	if wait < 0 {
		return firstRetry
	}
	return wait + time.Millisecond // ledger time is cut to one
}

// resume decides anew. An answer that is interim again waits by itself.
func (v *supervisor) resume(ctx context.Context, w *waiting) error {
	logged, err := v.server.Verifier.Resume(ctx, w.org, w.interim)
	if err != nil {
		return err
	}
	d, ok := verifier.Decision(logged)
	if !ok {
		return nil
	}
	if !logged.Known {
		v.server.metrics.decided(d)
	}
	if next := logged.Last().Document.Digest; !d.Final() && next != w.interim {
		v.add(w.org, next, d)
	}
	return nil
}

// await holds a request until its answer is one that done takes, or the time is over, and returns the answer of then. Where too many
// of the organisation's requests wait already, the time is over at once.
func (s *Server) await(ctx context.Context, org string, key spec.RequestKey, wait time.Duration, done func(answer spec.Record, final bool) bool) (spec.Record, error) {
	if wait > 0 && s.waits.take(org) {
		defer s.waits.free(org)
	} else {
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		changed, stop := s.Journal.Watch(key) // before the answer is read, so that no change is missed
		logged, final, err := s.Journal.Answer(ctx, org, key)
		if err != nil || done(logged.Last(), final) {
			stop()
			return logged.Last(), err
		}
		over := false
		select {
		case <-changed:
		case <-timer.C:
			over = true
		case <-s.resumes.done:
			over = true
		case <-ctx.Done():
			over = true
		}
		if stop(); over {
			return logged.Last(), nil
		}
	}
}

// latest is the last of the ends of what is missing: the request is decided anew then, whatever people do.
func latest(d *spec.Decision) time.Time {
	var last time.Time
	for _, m := range d.Missing {
		if m.Until.After(last) {
			last = m.Until.Time
		}
	}
	return last
}
