package main

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestDiskFull: the disk of a server under load has no more room, wherever that catches it. Callers get errors or nobody, never half an
// answer; the server refuses, or ends when it cannot know what the disk holds; once there is room it goes on, after a start where it
// ended, with every document that was acknowledged, and callers who ask again get their answers.
func TestDiskFull(t *testing.T) {
	o := newOutage(t)
	if o == nil {
		return
	}
	o.must(o.enrol(t.Context()))
	o.must(o.mandateUpTo(t.Context(), "35000.00"))
	for round, room := range []int64{0, 5_000, 50_000, 500_000} {
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for id := range cutClients {
			group.Go(func() { o.worker(round*cutClients + id).run(ctx) })
		}
		group.Go(func() { o.watch(ctx) })
		o.acknowledged(20)
		o.disk.Fill(room)
		ended := o.awaitEnd()
		o.disk.Free()
		if ended {
			o.serve()
		}
		o.acknowledged(20)
		cancel()
		group.Wait()
		o.survived(t.Context())
		o.must(o.seesPublished(t.Context()))
		t.Logf("with room for %d bytes the server ended: %v", room, ended)
	}
	o.audit(t.Context())
}

// awaitEnd says whether the server ended while there was no room. One that did not was only refusing.
func (o *outage) awaitEnd() bool {
	ended := make(chan struct{})
	go func() {
		o.server.command.Process.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}
