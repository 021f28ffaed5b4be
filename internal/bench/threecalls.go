package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// threeCalls is the executor's way where it does not commit at once: verify for a hold, begin for the leave to execute, report. One
// figure is all three exchanges; the signing of begin and report, which name the decision, comes between them and is not counted,
// though it shares the cores.
func (r *run) threeCalls() error {
	for _, conns := range connections {
		one, err := r.verifying(r.disk, conns, r.calls(conns)/2)
		if err != nil {
			return err
		}
		three, err := r.executing(r.spread(), conns, r.calls(conns)/4)
		if err != nil {
			return err
		}
		f := r.add("verify, begin, report", plural(conns)+", durable, p50 of the three", µs(three.p(0.5)), "µs").over(µs(one.p(0.5))).noting("beside the one call")
		if conns == 1 {
			f.ratioAtMost(2.5)
		}
		r.add("verify, begin, report", plural(conns)+", durable, p99 of the three", µs(three.p(0.99)), "µs")
		r.add("verify, begin, report", plural(conns)+", durable, rate", three.rate(), "actions/s")
	}
	return nil
}

// hot has 64 connections on one budget, beside as many on many.
func (r *run) hot() error {
	const conns = 64
	n := r.calls(conns)
	one, err := r.selfExecuting(1, conns, n)
	if err != nil {
		return err
	}
	many, err := r.selfExecuting(r.spread(), conns, n)
	if err != nil {
		return err
	}
	r.add("hot mandate", "64 connections, one call, the agent executes, rate", one.rate(), "calls/s").over(many.rate()).ratioAtLeast(0.8).
		noting(fmt.Sprintf("beside %d mandates", r.spread()))
	if one, err = r.executing(1, conns, n/4); err != nil {
		return err
	}
	if many, err = r.executing(r.spread(), conns, n/4); err != nil {
		return err
	}
	r.add("hot mandate", "64 connections, three calls, rate", one.rate(), "actions/s").over(many.rate()).ratioAtLeast(0.8).
		noting(fmt.Sprintf("beside %d mandates", r.spread()))
	return nil
}

// selfExecuting sends calls that settle themselves: the agent is the executor, so no hold stays open, however many there are on one
// mandate.
func (r *run) selfExecuting(mandates, conns, n int) (s sized, err error) {
	err = r.serving(r.disk, mandates, func(address string, f *filled) error {
		s, err = r.rounds(n, len(f.mandates), func(round string, n int) (sized, error) { return r.asking(address, f, round, conns, n) })
		return err
	}, selfExecuted)
	return s, err
}

// executing makes n actions of three calls.
func (r *run) executing(mandates, conns, n int) (s sized, err error) {
	err = r.serving(r.disk, mandates, func(address string, f *filled) error {
		s, err = r.rounds(n, len(f.mandates), func(round string, n int) (sized, error) { return r.actions(address, f, round, conns, n) })
		return err
	})
	return s, err
}

func (r *run) actions(address string, f *filled, round string, conns, n int) (sized, error) {
	p := newParties()
	bodies, err := p.asks(round, f.mandates, n, false, r.now())
	if err != nil {
		return sized{}, err
	}
	m, err := r.drive(r.ctx, load{address: address, conns: conns, limit: patience}, n, func(c *connection, i int) (time.Duration, error) {
		return r.action(c, p, f.token, bodies[i], keyOf(round, i))
	})
	return sized{m, len(bodies[0])}, err
}

// action makes the three exchanges of one action.
func (r *run) action(c *connection, p *parties, token string, ask []byte, key string) (time.Duration, error) {
	var answer bytes.Buffer
	took, err := r.timed(c, post(verifyPath, token, ask), &answer)
	if err != nil {
		return 0, err
	}
	var decided struct{ Digest, Result string }
	if err := json.Unmarshal(answer.Bytes(), &decided); err != nil || decided.Result != spec.Authorized {
		return 0, fmt.Errorf("the action is %s (%v)", decided.Result, err)
	}
	begin, report, err := p.words(decided.Digest, key, r.now())
	if err != nil {
		return 0, err
	}
	began, err := r.timed(c, post(beginPath, token, begin.Bytes()), nil)
	if err != nil {
		return 0, err
	}
	reported, err := r.timed(c, post(reportPath, token, report.Bytes()), nil)
	return took + began + reported, err
}

func (r *run) timed(c *connection, request []byte, into *bytes.Buffer) (time.Duration, error) {
	start := r.now()
	_, err := c.call(request, into)
	return r.now().Sub(start), err
}

// words are the bank's begin and its final report on the action of a key.
func (p *parties) words(decision, key string, at time.Time) (begin, report spec.Document, err error) {
	value, err := action(key)
	if err != nil {
		return begin, report, err
	}
	paid, err := spec.ParseAction(value)
	if err != nil {
		return begin, report, err
	}
	digest := spec.ActionDigest(value)
	if begin, err = p.execute(false, &spec.Begin{Type: "Begin", Version: spec.Version, Decision: decision, Action: digest,
		Executor: writtest.Bank, At: spec.At(at), Nonce: "nonce of " + key}, at); err != nil {
		return begin, report, err
	}
	report, err = p.execute(false, &spec.Report{Type: "Report", Version: spec.Version, Decision: decision, Action: digest,
		PayloadDigest: paid.PayloadDigest(), Outcome: spec.OutcomeExecuted, Final: true, Amount: paid.Amount, ExternalRef: "e2e:" + key,
		At: spec.At(at)}, at)
	return begin, report, err
}

// serving fills a ledger below a folder, serves it, and removes it when use returns.
func (r *run) serving(under string, mandates int, use func(address string, f *filled) error, changes ...func(*spec.Mandate)) error {
	f, err := r.fill(under, mandates, changes...)
	if err != nil {
		return err
	}
	p, err := r.spawn(nil, "ledger", f.dir)
	if err != nil {
		return errors.Join(err, f.remove())
	}
	return errors.Join(use(p.address, f), p.end(), f.remove())
}

func keyOf(round string, i int) string { return round + "-" + strconv.Itoa(i) + "-key" }
