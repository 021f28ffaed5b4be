package journal

import (
	"sync"

	"github.com/writ-trust/writ/spec"
)

// hub wakes those in this process who wait for a request's answer or a chain's next entry. The zero value is ready.
type hub struct {
	mu     sync.Mutex
	topics map[any]*topic
}

// topic is what several wait for; it is gone once it happened, or when nobody waits any more.
type topic struct {
	changed chan struct{}
	waiting int
}

type contentTopic string

func (h *hub) watch(id any) (<-chan struct{}, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics == nil {
		h.topics = map[any]*topic{}
	}
	t := h.topics[id]
	if t == nil {
		t = &topic{changed: make(chan struct{})}
		h.topics[id] = t
	}
	t.waiting++
	return t.changed, sync.OnceFunc(func() { h.leave(id, t) })
}

func (h *hub) leave(id any, t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.waiting--; t.waiting == 0 && h.topics[id] == t {
		delete(h.topics, id)
	}
}

// wake tells those who wait for what the batch changed.
func (h *hub) wake(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range b.calls {
		if c.wrote && !c.op.Key.IsZero() {
			h.happened(requestID{c.op.Key.Leaf, c.op.Key.Key})
		}
	}
	for _, r := range b.records {
		for _, content := range r.chains {
			h.happened(contentTopic(content))
		}
	}
}

func (h *hub) happened(id any) {
	if t := h.topics[id]; t != nil {
		close(t.changed)
		delete(h.topics, id)
	}
}

// Watch returns a channel that is closed when a commit changes the answer of a request, and the call that gives it up. Watch
// first and read the answer then, so that nothing is missed between.
func (j *Journal) Watch(key spec.RequestKey) (changed <-chan struct{}, stop func()) {
	return j.hub.watch(requestID{key.Leaf, key.Key})
}

// WatchContent is Watch for a chain: the channel is closed at its next entry.
func (j *Journal) WatchContent(content string) (changed <-chan struct{}, stop func()) {
	return j.hub.watch(contentTopic(content))
}
