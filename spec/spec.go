// Package spec is every document of Writ as a Go type, with its digest, and the two pure functions that say what documents
// add up to: CheckApprovals (who has approved enough) and States.Apply (what a chain of signed documents amounts to).
//
// It does no I/O, reads no clock and draws no randomness: times, salts and ids are handed in. Start with Parse, which reads
// any document strictly, and chain.go, which holds the one table of what may follow what.
package spec

import (
	"fmt"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Version is the version of the documents that this package writes and the only one that it accepts.
const Version = "1"

// ModeTest marks every document of test mode, and only those; live parties refuse it (protocol.md 2.5).
const ModeTest = "test"

// Document types: the last of a document's `type`, lower case. They are the middle of its digest's prefix.
const (
	TypeRoster       = "rostercredential"
	TypeMandate      = "mandatecredential"
	TypeSupplement   = "supplementcredential"
	TypePolicy       = "policycredential"
	TypeReceipt      = "receiptcredential"
	TypeApproval     = "mandateapproval"
	TypePresentation = "verifiablepresentation"
	TypeDecision     = "decision"
	TypeCommit       = "commit"
	TypeBegin        = "begin"
	TypeReport       = "report"
	TypeNotice       = "revocationnotice"
	TypeTemplate     = "actiontemplate"
	TypeRefusalCount = "refusalcount"
	TypeErasure      = "erasure"
)

// Body is the typed content of a Document: a pointer to one of Roster, Mandate, Supplement, Policy, Receipt, Approval, Presentation,
// Decision, Commit, Begin, Report, Notice, RefusalCount, Erasure or ActionTemplate.
type Body interface {
	docType() string
	// check refuses what the Go types alone admit: versions, syntax of members, contradictions.
	check() error
	// mode is ModeTest or empty.
	mode() string
}

// Document is one document of Writ: its value as it was read, from which digests and proofs are computed, and the typed
// body that was decoded from it. The zero Document is no document.
type Document struct {
	Type   string
	Digest string // of the document without its proof
	Value  jcs.Value
	Body   Body

	proven *proven
}

// Parse reads one document strictly: I-JSON, Writ's profile, a known type, exactly the members of that type. It checks no
// signature. Errors are *Error.
func Parse(data []byte) (Document, error) {
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return Document{}, err
	}
	return FromValue(v)
}

// FromValue is Parse for a value that was read strictly already, such as a member of a larger document. Inside a bundle, too, it is at
// most as large as a document by itself, in canonical form.
func FromValue(v jcs.Value) (Document, error) {
	if n := len(v.Canonical()); n > jcs.MaxSize {
		return Document{}, refuse("json-size", "", "%d bytes, and a document has at most %d", n, jcs.MaxSize)
	}
	t := TypeOf(v)
	body := newBody(t)
	if body == nil {
		return Document{}, refuse("type-unknown", "/type", "no document of Writ has this type")
	}
	if err := decode(v, body, "proof"); err != nil {
		return Document{}, err
	}
	if err := body.check(); err != nil {
		return Document{}, err
	}
	return Document{Type: t, Digest: digestOf(t, v), Value: v, Body: body, proven: &proven{value: v}}, nil
}

// decode reads v, but for the members without, strictly and in its one form: an optional member that says nothing ("", 0, false) must
// be absent, so that what was read is written as it was.
func decode(v jcs.Value, into any, without ...string) error {
	if exact, err := v.DecodeWithout(into, without...); err != nil || exact {
		return err
	}
	v = v.Without(without...)
	written, err := jcs.ValueOf(into)
	if err != nil || written.Equal(v) {
		return err
	}
	return refuse("member-empty", difference(v, written), "a member that says nothing must be absent")
}

// difference points to the first place where written lacks a member of v.
func difference(v, written jcs.Value) string {
	for _, m := range v.Members() {
		if w, _ := written.Member(m.Name); !w.Equal(m.Value) {
			return "/" + m.Name + difference(m.Value, w)
		}
	}
	for i, w := range written.Elements() {
		if e := v.Elements(); i < len(e) && !w.Equal(e[i]) {
			return "/" + itoa(i) + difference(e[i], w)
		}
	}
	return ""
}

// New makes the document that has this body and no proof yet.
func New(body Body) (Document, error) {
	v, err := jcs.ValueOf(body)
	if err != nil {
		return Document{}, err
	}
	if err := body.check(); err != nil {
		return Document{}, err
	}
	t := body.docType()
	return Document{Type: t, Digest: digestOf(t, v), Value: v, Body: body, proven: &proven{value: v}}, nil
}

// WithValue returns the same document with a proof added: only the proof of v may differ from d's value.
func (d Document) WithValue(v jcs.Value) (Document, error) {
	if digestOf(d.Type, v) != d.Digest {
		return Document{}, fmt.Errorf("spec: the signed value is another document than %s", d.Digest)
	}
	d.Value, d.proven = v, &proven{value: v}
	return d, nil
}

// IsZero says whether there is no document.
func (d Document) IsZero() bool { return d.Body == nil }

// Signed says whether the document carries a proof. It says nothing of the proof's worth.
func (d Document) Signed() bool { _, ok := d.Value.Member("proof"); return ok }

// Bytes are the canonical bytes, proof included: what the journal keeps and bundles carry.
func (d Document) Bytes() []byte { return d.Value.Canonical() }

// Mode is ModeTest for a document of test mode and empty for a live one.
func (d Document) Mode() string {
	if d.Body == nil {
		return ""
	}
	return d.Body.mode()
}

// TypeOf returns the document type of v, lower case, or "" where it has none.
func TypeOf(v jcs.Value) string {
	t, _ := v.Member("type")
	if all := t.Elements(); len(all) > 0 {
		t = all[len(all)-1]
	}
	name, _ := t.Text()
	return strings.ToLower(name)
}

// digestOf is of a document without its proof.
func digestOf(docType string, v jcs.Value) string {
	return jcs.FormatDigest(v.SumWithout("writ/"+docType+"/v1\n", "proof"))
}

func newBody(docType string) Body {
	switch docType {
	case TypeRoster:
		return new(Roster)
	case TypeMandate:
		return new(Mandate)
	case TypeSupplement:
		return new(Supplement)
	case TypePolicy:
		return new(Policy)
	case TypeReceipt:
		return new(Receipt)
	case TypeApproval:
		return new(Approval)
	case TypePresentation:
		return new(Presentation)
	case TypeDecision:
		return new(Decision)
	case TypeCommit:
		return new(Commit)
	case TypeBegin:
		return new(Begin)
	case TypeReport:
		return new(Report)
	case TypeNotice:
		return new(Notice)
	case TypeTemplate:
		return new(ActionTemplate)
	case TypeRefusalCount:
		return new(RefusalCount)
	case TypeErasure:
		return new(Erasure)
	}
	return nil
}

// Error is a refusal with a stable reason code (see reasons.go) and the place in the document, an RFC 6901 pointer. It is
// the error of the strict parser below too.
type Error = jcs.Error

func refuse(reason, pointer, format string, args ...any) *Error {
	return &Error{Reason: reason, Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
}

// Refuse makes a refusal for the packages above: verifier, issuer and journal.
func Refuse(reason, pointer, format string, args ...any) *Error {
	return refuse(reason, pointer, format, args...)
}
