package witness

import (
	"context"
	"sync"
)

// latest is the newest checkpoint that has its quorum. The zero value has none. Its methods may be called concurrently.
type latest struct {
	newestMu sync.Mutex
	newest   []byte // with its cosignatures; nil if there is none
	size     int64  // of newest
	changed  chan struct{}
}

// set makes signed the newest one, and wakes those who wait.
func (l *latest) set(signed []byte, size int64) {
	l.newestMu.Lock()
	defer l.newestMu.Unlock()
	l.newest, l.size = signed, size
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// get also returns a channel that is closed when there is a newer one.
func (l *latest) get() (signed []byte, size int64, changed <-chan struct{}) {
	l.newestMu.Lock()
	defer l.newestMu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.newest, l.size, l.changed
}

// Cosigned returns the newest published checkpoint that has its quorum, with all cosignatures that came, or nil.
func (l *latest) Cosigned() []byte {
	signed, _, _ := l.get()
	return signed
}

// Await returns the newest checkpoint that has its quorum once it covers size entries, or the context's error.
func (l *latest) Await(ctx context.Context, size int64) ([]byte, error) {
	for {
		signed, have, changed := l.get()
		if signed != nil && have >= size {
			return signed, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}
