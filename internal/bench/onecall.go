package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Paths that are measured.
const (
	verifyPath = "/v1/verify"
	beginPath  = "/v1/begins"
	reportPath = "/v1/reports"
)

// connections are the loads of a figure: alone, as many as a busy service, and more than the cores can serve.
var connections = []int{1, 64, 512}

// spread is how many mandates a load that is not about one mandate draws from.
func (r *run) spread() int { return r.several(kept, 32) }

// calls is how many requests a load sends.
func (r *run) calls(conns int) int {
	switch conns {
	case 1:
		return r.several(5000, 30)
	case 64:
		return r.several(12000, 200)
	}
	return r.several(20000, 600)
}

// oneCall is POST /v1/verify with the executor's commit: presentation and commit checked, decision signed, durable and in the log,
// proof and receipt in the answer. Each is measured on the disk, in memory, and as a bare echo of the same sizes.
func (r *run) oneCall() error {
	for _, conns := range connections {
		durable, err := r.verifying(r.disk, conns, r.calls(conns))
		if err != nil {
			return err
		}
		free, err := r.verifying(r.memory, conns, r.calls(conns))
		if err != nil {
			return err
		}
		echo, err := r.echoing(conns, r.calls(conns), durable.requestSize, durable.answerSize())
		if err != nil {
			return err
		}
		r.report("verify with commit", conns, durable, free, echo)
	}
	return nil
}

// report writes the figures of one load down, with the targets that hold for it.
func (r *run) report(name string, conns int, durable, free, echo sized) {
	at := plural(conns)
	r.add(name, at+", echo, p50", µs(echo.p(0.5)), "µs").noting(fmt.Sprintf("%d bytes there, %d back", durable.requestSize, durable.answerSize()))
	r.add(name, at+", echo, rate", echo.rate(), "calls/s")
	r.add(name, at+", without storage, p50", µs(free.p(0.5)), "µs")
	r.add(name, at+", without storage, rate", free.rate(), "calls/s")
	p50, p99 := µs(durable.p(0.5)), µs(durable.p(0.99))
	median := r.add(name, at+", durable, p50", p50, "µs")
	switch conns {
	case 1:
		median.over(µs(r.floor.fsync)).ratioAtMost(8).noting("raw fsyncs")
		r.add(name, at+", durable, p50 beside no storage", p50, "µs").over(µs(free.p(0.5))).ratioAtMost(2.2)
		r.add(name, at+", durable, p99", p99, "µs")
		r.add(name, at+", durable, p99.9", µs(durable.p(0.999)), "µs").atMost(5000)
		r.add(name, at+", durable, rate", durable.rate(), "calls/s")
		return
	case 64:
		r.add(name, at+", durable, p99", p99, "µs").over(p50).ratioAtMost(4).noting("beside its p50")
	default:
		r.add(name, at+", durable, p99", p99, "µs").over(p50).ratioAtMost(2).noting("beside its p50")
	}
	r.add(name, at+", durable, p99.9", µs(durable.p(0.999)), "µs")
	r.add(name, at+", durable, rate", durable.rate(), "calls/s").over(free.rate()).ratioAtLeast(0.65).noting("beside no storage")
	r.add(name, at+", durable, rate beside echo", durable.rate(), "calls/s").over(echo.rate()).ratioAtLeast(0.10)
}

func plural(conns int) string {
	if conns == 1 {
		return "1 connection"
	}
	return strconv.Itoa(conns) + " connections"
}

// sized is what a load found, and how large its requests were.
type sized struct {
	measured
	requestSize int
}

// verifying serves a new ledger below a folder and sends it so many requests, spread over its mandates.
func (r *run) verifying(under string, conns, n int) (s sized, err error) {
	err = r.serving(under, r.spread(), func(address string, f *filled) error {
		s, err = r.rounds(n, len(f.mandates), func(round string, n int) (sized, error) { return r.asking(address, f, round, conns, n) })
		return err
	})
	return s, err
}

// patience is how long a measured round lasts at most; a presentation holds for a minute, the time to sign it included.
const patience = 20 * time.Second

// rounds sends a tenth first, and at least so many that every mandate was used once, uncounted. That warms the server, and tells how
// many requests can be signed and sent in time.
func (r *run) rounds(n, mandates int, send func(round string, n int) (sized, error)) (sized, error) {
	s, err := send("warm", max(n/10, mandates, 1))
	if err != nil {
		return s, err
	}
	return send("measured", min(n, int(s.rate()*patience.Seconds())+1))
}

// asking signs n requests and sends them.
func (r *run) asking(address string, f *filled, round string, conns, n int) (s sized, err error) {
	bodies, err := newParties().asks(round, f.mandates, n, true, r.now())
	if err != nil {
		return s, err
	}
	s.requestSize = len(bodies[0])
	for i := range bodies {
		bodies[i] = post(verifyPath, f.token, bodies[i])
	}
	s.measured, err = r.drive(r.ctx, load{address: address, conns: conns, limit: patience}, len(bodies), r.sending(bodies))
	return s, err
}

// echoing is the floor of an exchange: the same client, the same sizes, and a server that does nothing.
func (r *run) echoing(conns, n, requestSize, answerSize int) (s sized, err error) {
	p, err := r.spawn(nil, "echo", strconv.Itoa(answerSize))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	one := post("/", "", make([]byte, requestSize))
	return r.rounds(n, 0, func(_ string, n int) (sized, error) {
		m, err := r.drive(r.ctx, load{address: p.address, conns: conns}, n, r.sending(slices.Repeat([][]byte{one}, n)))
		return sized{m, requestSize}, err
	})
}
