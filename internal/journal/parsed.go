package journal

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/writ-trust/writ/spec"
)

// docKey names a document: two organisations may each have kept the same one.
type docKey struct{ org, digest string }

// maxParsed limits how many parsed documents are held in memory.
const maxParsed = 4096

// parsedCache holds parsed documents, which are immutable. When it is full the oldest makes room. The zero value is ready.
type parsedCache struct {
	mu   sync.Mutex
	docs map[docKey]spec.Document
	ring []docKey
	next int
}

func (c *parsedCache) get(key docKey) (spec.Document, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.docs[key]
	return d, ok
}

func (c *parsedCache) put(key docKey, d spec.Document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.docs == nil {
		c.docs, c.ring = make(map[docKey]spec.Document, maxParsed), make([]docKey, maxParsed)
	}
	if _, ok := c.docs[key]; ok {
		return
	}
	delete(c.docs, c.ring[c.next])
	c.docs[key], c.ring[c.next] = d, key
	c.next = (c.next + 1) % maxParsed
}

// parse reads a document that the journal wrote, once.
func (c *parsedCache) parse(key docKey, body []byte) (spec.Document, error) {
	if d, ok := c.get(key); ok {
		return d, nil
	}
	if len(body) > 0 && body[0] == erased {
		return spec.Document{Type: typeErased, Digest: key.digest}, nil
	}
	body, err := unpack(body)
	if err != nil {
		return spec.Document{}, fmt.Errorf("document %s: %w", key.digest, err)
	}
	d, err := spec.Parse(body)
	if err != nil {
		return d, fmt.Errorf("document %s: %w", key.digest, err)
	}
	if d.Digest != key.digest {
		return d, fmt.Errorf("document %s: its body is that of %s", key.digest, d.Digest)
	}
	c.put(key, d)
	return d, nil
}

// documents returns the documents with these keys; one that is missing is an error, since a projection names it.
func (c *parsedCache) documents(ctx context.Context, q querier, keys []docKey) (map[docKey]spec.Document, error) {
	found := make(map[docKey]spec.Document, len(keys))
	var missing []string
	for _, key := range keys {
		if d, ok := c.get(key); ok {
			found[key] = d
		} else {
			missing = append(missing, key.digest)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	err := each(ctx, q, `SELECT org, digest, body FROM document WHERE digest IN (SELECT value FROM json_each(?))`,
		func(rows *sql.Rows) error {
			var key docKey
			var body []byte
			if err := rows.Scan(&key.org, &key.digest, &body); err != nil {
				return err
			}
			d, err := c.parse(key, body)
			found[key] = d
			return err
		}, list(missing))
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if _, ok := found[key]; !ok {
			return nil, fmt.Errorf("document %s is missing", key.digest)
		}
	}
	return found, nil
}
