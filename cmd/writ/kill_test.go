package main

import (
	"context"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"
)

// kills is how often TestKill ends the server without notice.
const kills = 20

// TestKill: kill -9 under that load, again and again. Every acknowledged document is there, with a proof that is consistent with
// each checkpoint seen before.
func TestKill(t *testing.T) {
	newLoad(t).killed(kills)
}

func (l *load) killed(kills int) {
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	var group sync.WaitGroup
	for id := range 64 {
		w := l.worker(id)
		group.Go(func() { w.run(ctx) })
	}
	for range kills {
		l.acknowledge(40)
		time.Sleep(time.Duration(mathrand.IntN(300)) * time.Millisecond)
		l.must(l.server.command.Process.Kill())
		l.server.command.Wait()
		l.serve()
	}
	l.acknowledge(40)
	cancel()
	group.Wait()
	l.audit(l.t.Context())
}
