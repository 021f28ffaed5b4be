package spec

import (
	"slices"
	"sync"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/vc"
)

// proven remembers by which keys the proof of one value was verified. Copies of a Document share it, so a document that several
// rules ask about, as an approval is by its own entry, by the mandate's and by each decision's, is verified once. It says nothing of
// another value, even of one with equal bytes: whoever reads the document again verifies it again.
type proven struct {
	mu      sync.Mutex
	value   jcs.Value
	by      []did.PublicKey
	proof   vc.Proof
	count   int
	content string  // its content digest, once asked
	before  *proven // of the reader before this one, who has computed some of it
}

// Anew is the same document for another reader: Verifications counts what this one asks for, as if it were the first, and what was
// verified before is not computed again. It counts there.
func (d Document) Anew() Document {
	before := d.proven
	if before == nil || before.value != d.Value {
		return d
	}
	d.proven = &proven{value: d.Value, content: d.Content(), before: before}
	return d
}

// verified is vc.Verify of the document's value, asked once a key. Failures are not remembered.
func (d Document) verified(key did.PublicKey) (vc.Proof, error) {
	p := d.proven
	if p == nil {
		return vc.Verify(d.Value, key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.value != d.Value {
		return vc.Verify(d.Value, key)
	}
	return p.verified(key)
}

// verified asks the reader before, if there is one, and computes else. The caller holds mu.
func (p *proven) verified(key did.PublicKey) (vc.Proof, error) {
	if slices.Contains(p.by, key) {
		return p.proof, nil
	}
	p.count++
	proof, err := p.compute(key)
	if err == nil {
		p.by, p.proof = append(p.by, key), proof
	}
	return proof, err
}

func (p *proven) compute(key did.PublicKey) (vc.Proof, error) {
	if p.before == nil {
		return vc.Verify(p.value, key)
	}
	p.before.mu.Lock()
	defer p.before.mu.Unlock()
	return p.before.verified(key)
}

// Verifications is how many signatures over the document were asked for so far, each key once, by whatever rules, this copy or another.
func (d Document) Verifications() int {
	if d.proven == nil {
		return 0
	}
	d.proven.mu.Lock()
	defer d.proven.mu.Unlock()
	return d.proven.count
}

// Content is ContentDigest of the document's value, computed once for all copies.
func (d Document) Content() string {
	p := d.proven
	if p == nil {
		return ContentDigest(d.Value)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.value != d.Value {
		return ContentDigest(d.Value)
	}
	if p.content == "" {
		p.content = ContentDigest(d.Value)
	}
	return p.content
}
