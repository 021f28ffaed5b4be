package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// residues reads what stays of the erased documents, by their new names: what folding the journal anew needs beside its documents.
func (j *Journal) residues(ctx context.Context) (map[string]spec.Document, error) {
	all := map[string]spec.Document{}
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT type, digest, body FROM document WHERE substr(body, 1, 1) = x'03'`, func(rows *sql.Rows) error {
			var docType, name string
			var body []byte
			if err := rows.Scan(&docType, &name, &body); err != nil {
				return err
			}
			d, err := spec.ParseResidue(docType, name, body[1:])
			all[name] = d
			return err
		})
	})
	return all, err
}

// again folds what stays of an erased document. Its entry, whose secrets are gone, is taken as it stands.
func (b *bench) again(ss spec.States, r spec.Record, residue spec.Document) spec.States {
	b.t.Helper()
	next, touched, err := ss.Apply(residue, r.At)
	if err != nil {
		b.t.Fatalf("entry %d, erased: %v", r.Index, err)
	}
	if len(touched) != len(r.Entry.Links) {
		b.t.Fatalf("entry %d, erased, touches %d chains and has %d links", r.Index, len(touched), len(r.Entry.Links))
	}
	for i, l := range r.Entry.Links {
		o, err := next[l.Chain].Open(spec.Seed{})
		if want := r.Openings[i]; err != nil || o.Seq != want.Seq || o.Status != want.Status || o.Previous != want.Previous || len(o.Windows) != len(want.Windows) {
			b.t.Fatalf("entry %d, erased, opens otherwise: %v, want %v (%v)", r.Index, o, want, err)
		}
		next[l.Chain].Head = spec.LeafHash(r.Entry.Bytes())
	}
	return next
}

// paid is a payment from its decision to its final report.
func (b *bench) paid(key, euros string, roster spec.Document, mandates ...spec.Document) spec.Document {
	b.t.Helper()
	decision := b.verify(key, euros, roster, mandates...).Last().Document
	begin := b.Begin(decision, b.Advance(time.Second))
	b.must(about(decision, begin), begin)
	report := b.Report(decision, spec.OutcomeExecuted, euros, true, b.Advance(time.Second))
	b.must(about(decision, report), report)
	return decision
}

func (b *bench) eraseAction(decision string) error {
	_, err := verifier.Erase(context.Background(), b.j, b.j, verifier.Erasing{Decision: decision, Reason: "asked under article 17", Who: "data protection", Verifier: writtest.Verifier})
	return err
}

// secrets are what the tables have of a document: its digest, its body as it is kept, and what opens its entry.
func (b *bench) secrets(digest string) [][]byte {
	b.t.Helper()
	var all [][]byte
	err := b.j.snapshot(context.Background(), func(q querier) error {
		return each(context.Background(), q, `SELECT d.body, e.salt, l.seed FROM document AS d JOIN entry AS e ON e.document = d.digest
			JOIN link AS l ON l.leaf = e.leaf WHERE d.digest = ?`, func(rows *sql.Rows) error {
			var body, salt, seed []byte
			err := rows.Scan(&body, &salt, &seed)
			all = append(all, body[len(body)/4:len(body)/4+64], salt, seed)
			return err
		}, digest)
	})
	if err != nil || len(all) == 0 {
		b.t.Fatalf("nothing is kept of %s: %v", digest, err)
	}
	return append(all, []byte(digest))
}

// TestErasure: the documents of an action go, with all that opens them, from the tables and from the files; what they did stays, and so
// does everything else. Who has the ledger's files and guesses the document right cannot tell that it was it.
func TestErasure(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	child := b.Seal(b.Child(mandate))
	b.must(spec.Op{Document: child.Digest, Write: []spec.ChainRef{writtest.Ref(child)}, Read: []spec.ChainRef{writtest.Ref(mandate)}}, child)
	gone := b.paid("invoice-of-a-person", "420.00", roster, mandate, child)
	kept := b.paid("invoice-of-a-firm", "70.00", roster, mandate, child)
	open := b.verify("invoice-that-waits", "5.00", roster, mandate).Last().Document

	ctx := context.Background()
	d := gone.Body.(*spec.Decision)
	following, err := b.j.Following(ctx, org, gone.Digest)
	if err != nil || len(following) != 2 {
		t.Fatalf("%d documents follow: %v", len(following), err)
	}
	secrets := [][]byte{[]byte(spec.ActionDigest(d.Action)), []byte(d.Inputs.Presentation), []byte(d.Action.Canonical())}
	for _, digest := range []string{gone.Digest, following[0].Document.Digest, following[1].Document.Digest} {
		secrets = append(secrets, b.secrets(digest)...)
	}
	rec, err := b.j.Record(ctx, org, gone.Digest)
	if err != nil {
		t.Fatal(err)
	}
	before, size := describe(b.state(child)), b.log.Size()

	if err := b.eraseAction(open.Digest); reason(err) != "erasure-kept" {
		t.Errorf("an action that may still be executed is erased: %v", err)
	}
	if err := b.eraseAction(gone.Digest); err != nil {
		t.Fatal(err)
	}
	if got := b.log.Size() - size; got != 3 {
		t.Errorf("%d erasures are logged, want one for each of the three entries", got)
	}
	b.checkRebuild()
	if windows := func(s string) string { return s[strings.Index(s, "window"):] }; windows(before)[:60] != windows(describe(b.state(child)))[:60] {
		t.Errorf("the totals have changed:\n%s\n%s", before, describe(b.state(child)))
	}

	// Nobody gets it, its key stays taken, and all else is as before.
	if _, err := b.j.Record(ctx, org, gone.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("the record: %v", err)
	}
	if _, err := b.j.Record(ctx, org, d.Inputs.Presentation); !errors.Is(err, ErrNotFound) {
		t.Errorf("the presentation: %v", err)
	}
	if _, _, err := b.j.Answer(ctx, org, spec.RequestKey{Leaf: d.Leaf(), Key: "invoice-of-a-person"}); !errors.Is(err, ErrErased) {
		t.Errorf("the answer under its key: %v", err)
	}
	if _, err := b.decide(b.request("invoice-of-a-person", "420.00", roster, mandate, child)); !errors.Is(err, ErrErased) {
		t.Errorf("the request made again: %v", err)
	}
	if _, err := b.j.Record(ctx, org, kept.Digest); err != nil {
		t.Errorf("another record: %v", err)
	}
	if err := b.eraseAction(gone.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("erased twice: %v", err)
	}
	if proof, err := b.log.Proof(rec.Index); err != nil || len(proof) == 0 {
		t.Errorf("the entry's proof: %v", err)
	}

	// Guess the document: no secret that the ledger still has makes its commitment.
	salts := b.salts()
	for _, salt := range append(salts, [32]byte{}) {
		if spec.Commitment(salt, gone.Digest) == rec.Entry.Commitment {
			t.Error("a salt that is kept opens the erased entry")
		}
	}
	if len(salts) == 0 || spec.Commitment(rec.Salt, gone.Digest) != rec.Entry.Commitment {
		t.Error("the guess itself is wrong, so that this shows nothing")
	}

	if err := b.j.Scrub(ctx); err != nil {
		t.Fatal(err)
	}
	b.close()
	b.grep(secrets)
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	b.checkRebuild()
	b.paid("next-invoice", "30.00", roster, mandate, child)
	b.checkRebuild()
}

// salts are those that the entries are kept with.
func (b *bench) salts() (all [][32]byte) {
	b.t.Helper()
	err := b.j.snapshot(context.Background(), func(q querier) error {
		return each(context.Background(), q, `SELECT salt FROM entry UNION ALL SELECT seed FROM link`, func(rows *sql.Rows) error {
			var salt []byte
			err := rows.Scan(&salt)
			all = append(all, [32]byte(salt))
			return err
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// grep finds none of the texts in the files of the database.
func (b *bench) grep(texts [][]byte) {
	b.t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(b.dir + "/journal.db" + suffix)
		if err != nil && suffix == "" {
			b.t.Fatal(err)
		}
		for i, text := range texts {
			if bytes.Contains(data, text) {
				b.t.Errorf("journal.db%s still has secret %d", suffix, i)
			}
		}
	}
}
