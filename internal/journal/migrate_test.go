package journal

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestBesideOfOldDatabases: what version 7 kept in rows of their own is found after the migration, and nothing else is lost.
func TestBesideOfOldDatabases(t *testing.T) {
	ctx := context.Background()
	w := writtest.Acme(t.Name())
	ss, _ := w.Found(nil)
	ss, mandate := w.Grant(ss)
	p := w.Present([]spec.Document{mandate}, w.Action("1.00"), w.Request("invoice-1"), w.Now)
	commit := w.Commit(p, w.Now)
	decision := w.Decision(p, ss)

	db, err := openPool(dsn(t.TempDir()+"/old.db"), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	old, err := migrator(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.UpTo(ctx, 7); err != nil {
		t.Fatal(err)
	}
	packed := deflate([][]byte{decision.Bytes(), p.Bytes()})
	pointer := append([]byte{2, 1}, decision.Digest...)
	for leaf, d := range []spec.Document{mandate, decision} {
		if _, err := db.Exec(`INSERT INTO entry (leaf, org, kind, document, at, salt, bytes) VALUES (?, ?, 'k', ?, 0, zeroblob(32), x'')`,
			leaf, org, d.Digest); err != nil {
			t.Fatal(err)
		}
	}
	for digest, body := range map[string][]byte{mandate.Digest: mandate.Bytes(), decision.Digest: packed, p.Digest: pointer, commit.Digest: commit.Bytes()} {
		if _, err := db.Exec(`INSERT INTO document (org, digest, type, urn, content, refers, body) VALUES (?, ?, '', '', '', '', ?)`, org, digest, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(ctx, db); err != nil {
		t.Fatal(err)
	}

	j := &Journal{readers: db}
	for _, want := range []spec.Document{p, commit} {
		if got, err := j.Beside(ctx, org, decision.Digest, want.Digest); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("the %s comes back as %s: %v", want.Type, got.Bytes(), err)
		}
		if _, err := j.Beside(ctx, "rival", decision.Digest, want.Digest); !errors.Is(err, ErrNotFound) {
			t.Errorf("another organisation gets the %s: %v", want.Type, err)
		}
	}
	var places string
	const left = `SELECT group_concat(place, ' ') FROM (SELECT e.leaf || '=' || d.leaf AS place FROM entry AS e JOIN document AS d ON d.digest = e.document ORDER BY e.leaf)`
	if err := db.QueryRow(left).Scan(&places); err != nil || places != "0=0 1=1" {
		t.Errorf("entries and documents: %q, %v", places, err)
	}
	var rows int
	if err := db.QueryRow(`SELECT count(*) FROM document`).Scan(&rows); err != nil || rows != 3 {
		t.Errorf("%d documents have a row, %v", rows, err)
	}
}
