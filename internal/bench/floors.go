package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the journal's own driver
)

// floors are medians of what nothing that does the job can be faster than.
type floors struct {
	fsync  time.Duration
	commit time.Duration
	verify time.Duration
	sign   time.Duration
}

// Sizes of what is synced: SQLite writes whole pages, each with a header, to a write-ahead log that is some megabytes long.
const (
	walPages = 1000
	walFrame = 4096 + 24
	walWrite = 16 * walFrame // about what one call's commit appends
)

// floors measures them, on the file system of the ledgers.
func (r *run) floors() error {
	dir, err := os.MkdirTemp(r.disk, "writ-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, f := range []struct {
		name string
		to   *time.Duration
		run  func(dir string) (time.Duration, error)
	}{
		{"one write and fsync of 16 pages in a write-ahead log's file", &r.floor.fsync, r.fsync},
		{"one SQLite commit of 8 rows", &r.floor.commit, r.sqliteCommit},
		{"one Ed25519 verify, 64 bytes", &r.floor.verify, r.rawVerify},
		{"one Ed25519 sign, 64 bytes", &r.floor.sign, r.rawSign},
	} {
		if *f.to, err = f.run(dir); err != nil {
			return err
		}
		r.add("floor", f.name, µs(*f.to), "µs")
	}
	echo, err := r.echoing(1, r.several(5000, 100), usual, usual)
	if err != nil {
		return err
	}
	r.add("floor", fmt.Sprintf("one loopback HTTP round trip, %d bytes each way", usual), µs(echo.p(0.5)), "µs")
	return nil
}

// usual is about the size of a verify and of its answer, in bytes.
const usual = 4700

// fsync writes over a file of a write-ahead log's size, as SQLite does once its log is warm, and syncs each time.
func (r *run) fsync(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "wal"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page := make([]byte, walWrite)
	if _, err := f.Write(make([]byte, walPages*walFrame)); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	at := int64(0)
	took, err := r.each(r.several(400, 20), func() error {
		if at += walWrite; at+walWrite > walPages*walFrame {
			at = 0
		}
		if _, err := f.WriteAt(page, at); err != nil {
			return err
		}
		return f.Sync()
	})
	return quantile(took, 0.5), err
}

// sqliteCommit writes 8 rows of 300 bytes in one transaction, with the journal's driver and settings.
func (r *run) sqliteCommit(dir string) (time.Duration, error) {
	settings := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(0)"}}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(filepath.Join(dir, "floor.db"))+"?"+settings.Encode())
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		return 0, err
	}
	insert, err := db.Prepare(`INSERT INTO row (body) VALUES (?)` + strings.Repeat(`, (?)`, 7))
	if err != nil {
		return 0, err
	}
	body := make([]byte, 300)
	write := func() error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		if _, err := tx.Stmt(insert).Exec(body, body, body, body, body, body, body, body); err != nil {
			return fmt.Errorf("%w (%v)", err, tx.Rollback())
		}
		return tx.Commit()
	}
	n := r.several(400, 20)
	for range 2 * n { // the write-ahead log grows to what is written over below
		if err := write(); err != nil {
			return 0, err
		}
	}
	if _, err := db.Exec(`PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
		return 0, err
	}
	took, err := r.each(n, write)
	return quantile(took, 0.5), err
}

func (r *run) rawVerify(string) (time.Duration, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	message := make([]byte, 64)
	signature := ed25519.Sign(private, message)
	took, err := r.each(r.several(2000, 100), func() error {
		if !ed25519.Verify(public, message, signature) {
			return fmt.Errorf("a good signature does not hold")
		}
		return nil
	})
	return quantile(took, 0.5), err
}

func (r *run) rawSign(string) (time.Duration, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	message := make([]byte, 64)
	took, err := r.each(r.several(2000, 100), func() error { ed25519.Sign(private, message); return nil })
	return quantile(took, 0.5), err
}
