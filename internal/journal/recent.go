package journal

import (
	"maps"
	"sync"

	"github.com/writ-trust/writ/spec"
)

// keyCache holds API keys, which every request names. A change of any key forgets all of them before it is acknowledged, so a
// revoked key counts for nothing from then on. The zero value is ready.
type keyCache struct {
	mu      sync.Mutex
	keys    map[[32]byte]APIKey
	changes int
}

// maxKeys bounds the cache; beyond it everything is forgotten.
const maxKeys = 4096

// get returns a key by its hash, and how often keys have changed, for put.
func (c *keyCache) get(hash [32]byte) (k APIKey, ok bool, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok = c.keys[hash]
	return k, ok, c.changes
}

// put keeps what was read, unless keys have changed since.
func (c *keyCache) put(k APIKey, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != changes {
		return
	}
	if c.keys == nil || len(c.keys) >= maxKeys {
		c.keys = map[[32]byte]APIKey{}
	}
	c.keys[k.Hash] = k
}

func (c *keyCache) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = nil
	c.changes++
}

// recentRecords holds the records that this process logged last: an executor's begin and report follow soon on their decision. A
// record never changes, but for its proof, which is made anew for each reader. The zero value is ready.
type recentRecords struct {
	mu      sync.Mutex
	records map[docKey]spec.Record
	ring    []docKey
	next    int
}

// maxRecent is how many records are held: about twice as many as may be under way at once.
const maxRecent = 1024

func (c *recentRecords) get(key docKey) (spec.Record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.records[key]
	r.Seeds = maps.Clone(r.Seeds)
	return r, ok
}

// put takes records that the log has kept.
func (c *recentRecords) put(records []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records == nil {
		c.records, c.ring = make(map[docKey]spec.Record, maxRecent), make([]docKey, maxRecent)
	}
	for _, r := range records {
		key := docKey{r.org, r.Document.Digest}
		delete(c.records, c.ring[c.next])
		c.records[key], c.ring[c.next] = r.Record, key
		c.next = (c.next + 1) % maxRecent
	}
}
