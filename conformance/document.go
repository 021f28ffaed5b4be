package conformance

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/status"
	"github.com/writ-trust/writ/verifier"
)

// Document is bytes for one parser, with what must come of them.
type Document struct {
	Parser string      `json:"parser"` // a document type, or one of the names of parsers
	Input              // the bytes
	Key    string      `json:"key,omitempty"` // signed: the multikey of the one who must have signed
	Status *StatusAsk  `json:"status,omitempty"`
	Want   DocumentEnd `json:"want"`
}

// StatusAsk asks a status list for an entry.
type StatusAsk struct {
	Entry  string    `json:"entry"` // a member of credentialStatus
	At     time.Time `json:"at"`
	MaxAge int64     `json:"maxAgeSeconds,omitempty"`
}

// DocumentEnd says whether the bytes are taken. A refusal is named with the place, "" for the whole.
type DocumentEnd struct {
	Accept    bool   `json:"accept"`
	Digest    string `json:"digest,omitempty"`    // of a document
	Content   string `json:"content,omitempty"`   // content digest of a credential
	Canonical string `json:"canonical,omitempty"` // jcs, document-profile: what RFC 8785 makes of it
	Set       bool   `json:"set,omitempty"`       // status-list: the bit
	Reason    string `json:"reason,omitempty"`
	Pointer   string `json:"pointer,omitempty"`
}

func (d *Document) run() error {
	got, err := d.parse()
	if err != nil {
		r := refusalOf(err)
		if d.Want.Accept || r.reason != d.Want.Reason || r.pointer != d.Want.Pointer {
			return fmt.Errorf("refused with %q at %q (%v), want accept %v, %q at %q", r.reason, r.pointer, err, d.Want.Accept, d.Want.Reason, d.Want.Pointer)
		}
		return nil
	}
	if got != d.Want {
		return fmt.Errorf("gives %+v, want %+v", got, d.Want)
	}
	return nil
}

func (d *Document) parse() (DocumentEnd, error) {
	if slices.Contains(documentTypes, d.Parser) {
		return parseTyped(d.bytes(), d.Parser)
	}
	parse, ok := parsers[d.Parser]
	if !ok {
		return DocumentEnd{}, fmt.Errorf("no parser %q; there are %v", d.Parser, slices.Sorted(maps.Keys(parsers)))
	}
	return parse(d)
}

var documentTypes = []string{spec.TypeRoster, spec.TypeMandate, spec.TypeSupplement, spec.TypeReceipt, spec.TypeApproval,
	spec.TypePresentation, spec.TypeDecision, spec.TypeCommit, spec.TypeBegin, spec.TypeReport, spec.TypeNotice, spec.TypePolicy, spec.TypeTemplate, spec.TypeRefusalCount, spec.TypeErasure}

var approved = []string{spec.TypeRoster, spec.TypeMandate, spec.TypeSupplement, spec.TypePolicy}

func parseTyped(data []byte, docType string) (DocumentEnd, error) {
	doc, err := spec.Parse(data)
	if err != nil {
		return DocumentEnd{}, err
	}
	end := DocumentEnd{Accept: true, Digest: doc.Digest}
	if slices.Contains(approved, doc.Type) {
		end.Content = spec.ContentDigest(doc.Value)
	}
	return end, difference("type", doc.Type, docType)
}

// parsers are those of what is no document of its own.
var parsers = map[string]func(*Document) (DocumentEnd, error){
	"jcs": func(d *Document) (DocumentEnd, error) {
		v, err := jcs.Parse(d.bytes())
		return DocumentEnd{Accept: true, Canonical: string(v.Canonical())}, err
	},
	"document-profile": func(d *Document) (DocumentEnd, error) {
		v, err := jcs.ParseDocument(d.bytes())
		return DocumentEnd{Accept: true, Canonical: string(v.Canonical())}, err
	},
	"digest":    plain(func(s string) error { _, err := jcs.ParseDigest(s); return err }),
	"base64":    plain(func(s string) error { _, err := jcs.DecodeBase64(s); return err }),
	"base58":    plain(func(s string) error { _, err := jcs.DecodeBase58(s); return err }),
	"multikey":  plain(func(s string) error { _, err := did.ParseMultikey(s); return err }),
	"agent-did": plain(func(s string) error { _, err := did.KeyOf(s); return err }),
	"time":      plain(func(s string) error { _, err := rule.ParseTime(s); return err }),
	"duration":  plain(func(s string) error { _, err := spec.ParseDuration(s); return err }),
	"money":     value(func(v jcs.Value) error { _, err := rule.ParseMoney(v); return err }),
	"action":    value(func(v jcs.Value) error { _, err := spec.ParseAction(v); return err }),
	"constraint": value(func(v jcs.Value) error {
		_, err := rule.Parse(v)
		return err
	}),
	"action-type": plain(func(s string) error {
		if rule.ValidType(s) {
			return nil
		}
		return spec.Refuse("action-type", "", "not an action type")
	}),
	"action-pattern": plain(func(s string) error {
		if rule.ValidPattern(s) {
			return nil
		}
		return spec.Refuse("action-pattern", "", "not an action pattern")
	}),
	"entry":       plain(func(s string) error { _, err := spec.ParseEntry([]byte(s)); return err }),
	"trust":       plain(func(s string) error { _, err := verifier.ParseTrust([]byte(s)); return err }),
	"tlog-proof":  plain(func(s string) error { _, err := log.ParseProof([]byte(s)); return err }),
	"checkpoint":  plain(func(s string) error { _, err := log.ReadCheckpoint([]byte(s)); return err }),
	"heads-proof": plain(func(s string) error { _, err := heads.ParseProof([]byte(s)); return err }),
	"log-key":     plain(func(s string) error { _, err := log.ParseVerifier(s); return err }),
	"log-policy":  plain(func(s string) error { _, err := log.ParsePolicy([]byte(s)); return err }),
	"signed": func(d *Document) (DocumentEnd, error) {
		v, err := jcs.ParseDocument(d.bytes())
		if err != nil {
			return DocumentEnd{}, err
		}
		key, err := did.ParseMultikey(d.Key)
		if err != nil {
			return DocumentEnd{}, err
		}
		_, err = vc.Verify(v, key)
		return DocumentEnd{Accept: true}, err
	},
	"status-entry": value(func(v jcs.Value) error { _, err := status.ReadEntry(v); return err }),
	"status-list":  askStatus,
}

// plain is a parser of text that says yes or no.
func plain(parse func(string) error) func(*Document) (DocumentEnd, error) {
	return func(d *Document) (DocumentEnd, error) {
		return DocumentEnd{Accept: true}, parse(string(d.bytes()))
	}
}

// value is a parser of a JSON value that says yes or no.
func value(parse func(jcs.Value) error) func(*Document) (DocumentEnd, error) {
	return plain(func(s string) error {
		v, err := jcs.ParseDocument([]byte(s))
		if err != nil {
			return err
		}
		return parse(v)
	})
}

func askStatus(d *Document) (DocumentEnd, error) {
	v, err := jcs.ParseDocument(d.bytes())
	if err != nil {
		return DocumentEnd{}, err
	}
	list, err := status.Read(v)
	if err != nil || d.Status == nil {
		return DocumentEnd{Accept: true}, err
	}
	asked, err := jcs.ParseDocument([]byte(d.Status.Entry))
	if err != nil {
		return DocumentEnd{}, err
	}
	entry, err := status.ReadEntry(asked)
	if err != nil {
		return DocumentEnd{}, err
	}
	set, err := list.Check(entry, d.Status.At, time.Duration(d.Status.MaxAge)*time.Second)
	return DocumentEnd{Accept: true, Set: set}, err
}
