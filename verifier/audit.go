package verifier

import (
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// An Auditor checks many bundles with one trust file, as CheckBundle does and with the same verdicts. It remembers rosters and
// mandates by the hash of their whole bytes, with the keys by which they and their approvals were verified: what many bundles share
// is read and verified once. Whether it is enough is judged again for each bundle. It is safe for concurrent use.
type Auditor struct {
	trust   *Trust
	options CheckOptions

	mu       sync.Mutex
	known    map[[sha256.Size]byte]readDocument
	verified int // of what is forgotten, and of each bundle alone
}

// NewAuditor makes an auditor with an empty memory.
func NewAuditor(trust *Trust, o CheckOptions) *Auditor {
	return &Auditor{trust: trust, options: o, known: map[[sha256.Size]byte]readDocument{}}
}

// maxKnown bounds how many rosters and mandates an auditor remembers; beyond, it begins anew.
const maxKnown = 1024

// Check is CheckBundle, Signatures too: whatever was audited before. Verified counts those computed.
func (a *Auditor) Check(data []byte) Checked {
	var own []readDocument
	c := check(data, a.trust, a.options, func(v jcs.Value) readDocument {
		d, remembered := a.read(v)
		if remembered {
			return d.anew()
		}
		own = append(own, d)
		return d
	})
	computed := c.cosigned + c.presented
	for _, d := range own {
		computed += d.verifications()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verified += computed
	return c.out
}

// Verified is how many signatures were computed so far.
func (a *Auditor) Verified() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.verified
	for _, d := range a.known {
		n += d.verifications()
	}
	return n
}

// read is the package's read, remembered for rosters and mandates.
func (a *Auditor) read(v jcs.Value) (d readDocument, remembered bool) {
	if t := spec.TypeOf(v); t != spec.TypeRoster && t != spec.TypeMandate {
		return read(v), false
	}
	sum := sha256.Sum256(v.Canonical())
	a.mu.Lock()
	defer a.mu.Unlock()
	if d, ok := a.known[sum]; ok {
		return d, true
	}
	if d = read(v); d.err != nil {
		return d, false
	}
	if len(a.known) == maxKnown {
		for _, old := range a.known {
			a.verified += old.verifications()
		}
		clear(a.known)
	}
	a.known[sum] = d
	return d, true
}

// readDocument is a document with the approvals that it carries, or why it, or they, do not read.
type readDocument struct {
	spec.Document
	err          error
	approvals    []spec.Document
	approvalsErr error
}

func read(v jcs.Value) readDocument {
	d, err := spec.FromValue(v)
	if err != nil {
		return readDocument{err: err}
	}
	r := readDocument{Document: d}
	r.approvals, r.approvalsErr = spec.Approvals(v)
	return r
}

// anew is the document for another bundle, see spec.Document.Anew.
func (d readDocument) anew() readDocument {
	d.Document = d.Document.Anew()
	d.approvals = slices.Clone(d.approvals)
	for i := range d.approvals {
		d.approvals[i] = d.approvals[i].Anew()
	}
	return d
}

// verifications counts the signatures of a document and of its approvals that were asked for.
func (d readDocument) verifications() int {
	n := d.Verifications()
	for _, a := range d.approvals {
		n += a.Verifications()
	}
	return n
}

// verifications counts the signatures of a bundle's documents, and of what was presented, that the verdicts asked for.
func (c *checking) verifications() int {
	n := c.presented + c.presentation.Verifications() + c.commit.Verifications() + c.receipt.Verifications()
	for _, e := range c.events {
		n += e.doc.Verifications()
	}
	return n
}
