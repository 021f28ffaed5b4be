package journal

import (
	lru "container/list"
	"slices"
	"sync"
	"time"

	"github.com/writ-trust/writ/spec"
)

// stateCache holds the states of chains as the newest commit left them, so that neither a batch nor open reads what the journal has
// in memory already. It is safe for these reasons (spec/adr/017-cache.md):
//
//   - The journal is the only writer of its file. A state comes in after the COMMIT that made it true (step 7), or from a read of a
//     database that stands where the cache stands; so a rollback, however it came about, leaves nothing to take back.
//   - Each batch compares the size that the database says (step 1) with the one that the states are of. Where they differ, another
//     process wrote, or a COMMIT landed that had failed: everything is forgotten.
//   - States are values: what Apply makes is another state.
//   - A cached state has what loadStates has of a chain, and windows that are over; what it lacks, settled holds and closed
//     proposals, is never taken for absent: whoever names a decision that is not among the open holds reads the database.
//
// It is bounded by an estimate of its bytes; the least recently used goes first. The zero value is empty.
type stateCache struct {
	mu      sync.Mutex
	size    int64                   // of the journal that all states are of
	chains  map[string]*lru.Element // of *cachedState, by content
	rosters map[rosterID]string     // content of a grantor's roster: it never changes
	recent  lru.List                // front: used last
	bytes   int
}

type rosterID struct{ org, grantor string }

type cachedState struct {
	held
	bytes int
}

// maxCached bounds the estimate of what the states take in memory.
const maxCached = 128 << 20

// reset forgets everything unless the states are of this size.
func (c *stateCache) reset(size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size != size || c.chains == nil {
		c.forget(size)
	}
}

func (c *stateCache) forget(size int64) {
	c.size, c.chains, c.rosters, c.bytes = size, map[string]*lru.Element{}, map[rosterID]string{}, 0
	c.recent.Init()
}

// committed takes over what a batch made of its chains and which size it led to: the COMMIT succeeded.
func (c *stateCache) committed(chains map[string]*held, now time.Time, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size = size
	for _, h := range chains {
		c.put(h, now)
	}
}

// read takes over what was read of a database of this size, unless the cache is of another by now.
func (c *stateCache) read(chains map[string]*held, now time.Time, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size != size || c.chains == nil {
		return
	}
	for _, h := range chains {
		if _, ok := c.chains[h.state.Content]; !ok {
			c.put(h, now)
		}
	}
}

func (c *stateCache) put(h *held, now time.Time) {
	s := &cachedState{held: held{h.org, h.document, h.sum, trimmed(h.state, now)}}
	s.bytes = weight(s.state)
	if e := c.chains[s.state.Content]; e != nil {
		c.bytes += s.bytes - e.Value.(*cachedState).bytes
		e.Value = s
		c.recent.MoveToFront(e)
	} else {
		c.chains[s.state.Content] = c.recent.PushFront(s)
		c.bytes += s.bytes
	}
	if len(s.state.Versions) > 0 && s.state.Kind == spec.KindRoster {
		c.rosters[rosterID{s.org, s.state.Versions[0].Document.Body.(*spec.Roster).Terms().Grantor}] = s.state.Content
	}
	for c.bytes > maxCached {
		c.drop(c.recent.Back())
	}
}

func (c *stateCache) drop(e *lru.Element) {
	s := c.recent.Remove(e).(*cachedState)
	delete(c.chains, s.state.Content)
	c.bytes -= s.bytes
	if len(s.state.Versions) > 0 && s.state.Kind == spec.KindRoster {
		delete(c.rosters, rosterID{s.org, s.state.Versions[0].Document.Body.(*spec.Roster).Terms().Grantor})
	}
}

// get returns the chain of a content as it is committed, if it is cached with all that is known of the decisions.
func (c *stateCache) get(content string, decisions []string) (*held, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(content, decisions)
}

func (c *stateCache) find(content string, decisions []string) (*held, bool) {
	e := c.chains[content]
	if e == nil {
		return nil, false
	}
	h := &e.Value.(*cachedState).held
	for _, d := range decisions {
		if h.state.Hold(d) == nil {
			return nil, false
		}
	}
	c.recent.MoveToFront(e)
	return h, true
}

// all returns the chains of several contents at one size, if each is cached with all that is known of the decisions.
func (c *stateCache) all(refs []spec.ChainRef, decisions []string) (map[string]*held, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := make(map[string]*held, len(refs))
	for _, ref := range refs {
		h, ok := c.find(ref.Content, decisions)
		if !ok {
			return nil, false
		}
		found[ref.Content] = h
	}
	return found, true
}

// roster returns the roster chain of a grantor, if it is cached.
func (c *stateCache) roster(org, grantor string) (*held, bool) {
	c.mu.Lock()
	content, ok := c.rosters[rosterID{org, grantor}]
	c.mu.Unlock()
	if !ok {
		return nil, false
	}
	return c.get(content, nil)
}

// trimmed is what stays of a state in the cache: what is open, the windows that may count, and those that an open hold is booked in.
func trimmed(s *spec.State, now time.Time) *spec.State {
	t := unsettled(s, nil)
	t.Windows = keep(t.Windows, func(w spec.Window) bool {
		return w.To.IsZero() || w.To.After(now.Add(-windowBack(s, w))) || w.Held > 0 || slices.ContainsFunc(t.Holds, func(h spec.Hold) bool { return booked(h, w) })
	})
	return t
}

func booked(h spec.Hold, w spec.Window) bool {
	return slices.ContainsFunc(h.Lines, func(n spec.HoldLine) bool {
		return n.Constraint == w.Constraint && n.Unit == w.Unit && n.From.Equal(w.From)
	})
}

// weight estimates what a state takes in memory, in bytes: measured on mandates of 3 kB, rounded up.
func weight(s *spec.State) int {
	const chain, document, row = 16 << 10, 16 << 10, 512
	pending := len(s.Pending)
	for _, p := range s.Proposals {
		pending += len(p.Pending)
	}
	return chain + document*(len(s.Versions)+len(s.Policies)+pending) + row*(len(s.Holds)+len(s.Windows)+len(s.Proposals))
}
