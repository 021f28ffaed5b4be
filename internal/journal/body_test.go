package journal

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestBodies: documents of calls are kept packed, a presentation without its mandates, and all come back byte for byte.
func TestBodies(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	child := b.Seal(b.Child(mandate))
	b.must(spec.Op{Document: child.Digest, Write: []spec.ChainRef{writtest.Ref(child)}, Read: []spec.ChainRef{writtest.Ref(mandate)}}, child)
	r := b.request("invoice-1", "420.00", roster, mandate, child)
	l, err := b.decide(r)
	if err != nil {
		t.Fatal(err)
	}
	decision := l.Last().Document
	begin := b.Begin(decision, b.Now)
	b.must(about(decision, begin), begin)
	for _, restarted := range []bool{false, true} {
		for _, d := range []spec.Document{mandate, child, decision, begin} {
			got, err := b.j.Record(context.Background(), org, d.Digest)
			if err != nil || !bytes.Equal(got.Document.Bytes(), d.Bytes()) {
				t.Errorf("restarted %v: a %s comes back as %s: %v", restarted, d.Type, got.Document.Bytes(), err)
			}
		}
		got, err := b.j.Beside(context.Background(), org, decision.Digest, r.presentation.Digest)
		if err != nil || !bytes.Equal(got.Bytes(), r.presentation.Bytes()) {
			t.Errorf("restarted %v: the presentation comes back as %s: %v", restarted, got.Bytes(), err)
		}
		if _, err := b.j.Beside(context.Background(), org, decision.Digest, begin.Digest); !errors.Is(err, ErrNotFound) {
			t.Errorf("restarted %v: what is elsewhere is beside the decision: %v", restarted, err)
		}
		b.restart()
	}
	var kept []byte
	if err := b.j.get(context.Background(), `SELECT body FROM document WHERE digest = ?`, []any{decision.Digest}, &kept); err != nil {
		t.Fatal(err)
	}
	if kept[0] != packed1 || len(kept) > 1500 {
		t.Errorf("a decision and its presentation are kept as %d bytes", len(kept))
	}
	if _, err := unpackBeside(kept, func(string) ([]byte, error) { return nil, errPlanted }); !errors.Is(err, errPlanted) {
		t.Errorf("without its mandates it reads: %v", err)
	}
}

// TestForeignMandateIsKeptWhole: what the journal does not have byte for byte stays in the presentation.
func TestForeignMandateIsKeptWhole(t *testing.T) {
	w := writtest.Acme(t.Name())
	ss, _ := w.Found(nil)
	ss, mandate := w.Grant(ss)
	p := w.Present([]spec.Document{mandate}, w.Action("1.00"), w.Request("invoice-1"), w.Now)
	decision := w.Decision(p, ss)
	for _, has := range []bool{false, true} {
		kept := pack(decision, []spec.Document{w.Commit(p, w.Now), p}, func([]byte) (string, bool) { return mandate.Digest, has })
		texts, err := unpackBeside(kept, func(string) ([]byte, error) { return mandate.Bytes(), nil })
		if err != nil || len(texts) != 2 || !bytes.Equal(texts[1], p.Bytes()) || len(kept) > 1200 == has {
			t.Errorf("of %d bytes it comes back as %s: %v", len(kept), texts, err)
		}
	}
}

// FuzzUnpack: no bytes make it fail but with an error, and what was packed comes back.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(`{"a":1}`))
	f.Add(deflate([][]byte{[]byte(`{"type":"Decision"}`), []byte("a b\n{")}))
	f.Add([]byte("\x02\x01uEi"))
	f.Add([]byte{packed1})
	f.Fuzz(func(t *testing.T, data []byte) {
		find := func(digest string) ([]byte, error) { return []byte(digest), nil }
		if text, err := unpack(data); err == nil && len(text) > 2*maxBody {
			t.Errorf("%d bytes came out", len(text))
		}
		if texts, err := unpackBeside(data, find); err == nil && len(bytes.Join(texts, nil)) > 2*maxBody {
			t.Errorf("%d texts came out", len(texts))
		}
		document := append([]byte{'{'}, bytes.ReplaceAll(data, []byte{0}, nil)...)
		if text, err := unpack(deflate([][]byte{document})); len(document) < maxBody && (err != nil || !bytes.Equal(text, document)) {
			t.Errorf("packed and unpacked it is other bytes: %v", err)
		}
	})
}
