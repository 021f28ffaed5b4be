package monitor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/log/monitor"
	"github.com/writ-trust/writ/spec"
)

// parse is how the command line reads entries, too.
func parse(data []byte) (e monitor.Entry, err error) {
	read, err := spec.ParseEntry(data)
	if err != nil {
		var refused *spec.Error
		errors.As(err, &refused)
		return e, &log.Error{Reason: refused.Reason, Detail: refused.Detail}
	}
	e.Heads, e.Grantor = read.Kind == spec.EntryHeads, read.Grantor
	if e.Heads {
		e.Root = log.Hash(digest(read.Root))
	}
	if read.Kind == spec.EntrySuccessor {
		e.Ends = read.Size
	}
	for _, l := range read.Links {
		e.Links = append(e.Links, monitor.Link{Chain: heads.Chain(digest(l.Chain)), Seq: l.Seq})
	}
	return e, nil
}

func digest(text string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "u"))
	return b[2:]
}

// theirs is a log that somebody else keeps, with what it says changed at will.
type theirs struct {
	t      testing.TB
	log    *log.Log
	signer *log.Signer
	dir    string
	heads  heads.Map
	seqs   map[string]int64
	edit   func(path string, data []byte) []byte
	reads  atomic.Int64
}

func signer(t testing.TB, seed byte) *log.Signer {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	s, err := log.NewSigner(origin, key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newLog(t testing.TB) *theirs {
	t.Helper()
	l := &theirs{t: t, signer: signer(t, 1), dir: t.TempDir(), seqs: map[string]int64{}}
	var err error
	l.log, err = log.Open(log.Options{Dir: filepath.Join(l.dir, "log"), Guard: filepath.Join(l.dir, "guard/checkpoint"), Signer: l.signer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.log.Close() })
	return l
}

func (l *theirs) Read(_ context.Context, path string, _ int64) ([]byte, error) {
	l.reads.Add(1)
	data, err := l.log.ReadTile(path)
	if errors.Is(err, log.ErrNotFound) {
		return nil, fs.ErrNotExist
	}
	if err == nil && l.edit != nil {
		data = l.edit(path, bytes.Clone(data))
	}
	return data, err
}

// append adds entries as they are.
func (l *theirs) append(entries ...[]byte) {
	l.t.Helper()
	c, err := l.log.Stage(l.log.Size(), entries)
	if err == nil {
		err = l.log.Keep(context.Background(), c)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// chain makes an entry on a chain called name, under its next number, and tells the map of heads.
func (l *theirs) chain(name string) []byte {
	l.seqs[name]++
	entry := event(name, l.seqs[name])
	return entry
}

func (l *theirs) add(name string) {
	entry := l.chain(name)
	if err := l.heads.Add(chainOf(name), heads.Head{Seq: l.seqs[name], Index: l.log.Size(), Leaf: log.RecordHash(entry)}); err != nil {
		l.t.Fatal(err)
	}
	l.append(entry)
}

func chainOf(name string) heads.Chain { return sha256.Sum256([]byte(name)) }

func event(name string, seq int64) []byte {
	e := spec.Entry{V: 1, Kind: spec.EntryEvent, Commitment: monitor.ChainText(sha256.Sum256(fmt.Append(nil, name, seq))),
		Links: []spec.Link{{Chain: monitor.ChainText(chainOf(name)), Seq: seq, State: monitor.ChainText(sha256.Sum256(fmt.Append(nil, seq, name)))}}}
	return e.Bytes()
}

func headsEntry(root log.Hash) []byte {
	e := spec.Entry{V: 1, Kind: spec.EntryHeads, Root: monitor.ChainText(heads.Chain(root))}
	return e.Bytes()
}

// successor is the entry that ends the log so many entries from here.
func (l *theirs) successor(more int64) []byte {
	return spec.Successor("log.example/two", l.signer.Verifier.String(), l.log.Size()+more).Bytes()
}

// publish ends with the heads and publishes.
func (l *theirs) publish() {
	l.t.Helper()
	l.append(headsEntry(l.heads.Root()))
	l.publishBare()
}

func (l *theirs) publishBare() {
	l.t.Helper()
	if _, err := l.log.Publish(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}
