package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a closed loop: each connection, HTTP/1.1 and kept alive, sends a request, waits for the whole answer, and sends the
// next. What is sent was made before, so that only the exchange is measured.
type load struct {
	address string
	conns   int
	limit   time.Duration // after which nothing more is sent; zero means 40 seconds
}

// measured is what a load found.
type measured struct {
	took  []time.Duration // sorted, one for each request that was counted
	wall  time.Duration
	bytes int64 // of the bodies of all answers
}

func (m measured) rate() float64             { return float64(len(m.took)) / m.wall.Seconds() }
func (m measured) p(q float64) time.Duration { return quantile(m.took, q) }
func (m measured) answerSize() int           { return int(m.bytes) / max(1, len(m.took)) }

// step makes the i-th exchange on a connection and says how long it took.
type step func(c *connection, i int) (time.Duration, error)

// drive makes n exchanges. It fails at the first answer that is not a success.
func (m machine) drive(ctx context.Context, l load, n int, step step) (measured, error) {
	if l.limit == 0 {
		l.limit = 40 * time.Second
	}
	conns := make([]*connection, l.conns)
	for i := range conns {
		c, err := m.connect(l.address)
		if err != nil {
			return measured{}, err
		}
		defer c.Close()
		conns[i] = c
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, len(conns))
	start, next := m.now(), atomic.Int64{}
	var group sync.WaitGroup
	for id, c := range conns {
		group.Go(func() {
			for ctx.Err() == nil && m.now().Sub(start) < l.limit {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				d, err := step(c, i)
				if err != nil {
					cancel(err)
					return
				}
				took[id] = append(took[id], d)
			}
		})
	}
	group.Wait()
	all := measured{took: slices.Concat(took...), wall: m.now().Sub(start)}
	slices.Sort(all.took)
	for _, c := range conns {
		all.bytes += c.received
	}
	return all, context.Cause(ctx)
}

// sending is the plain step: one request, one answer.
func (m machine) sending(requests [][]byte) step {
	return func(c *connection, i int) (time.Duration, error) {
		start := m.now()
		_, err := c.call(requests[i], nil)
		return m.now().Sub(start), err
	}
}

// connection is one client's.
type connection struct {
	net.Conn
	in       *bufio.Reader
	received int64
}

func (m machine) connect(address string) (*connection, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReaderSize(c, 32<<10)}, nil
}

// call writes a request and reads the answer to its end, into a buffer where there is one. An answer that is no success is an error.
func (c *connection) call(request []byte, into *bytes.Buffer) (int, error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var sink io.Writer = io.Discard
	if into != nil {
		into.Reset()
		sink = into
	}
	if answer.StatusCode >= 300 {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return 0, fmt.Errorf("%s: %s", answer.Status, said)
	}
	n, err := io.Copy(sink, answer.Body)
	c.received += n
	return int(n), err
}
