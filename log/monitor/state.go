package monitor

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
)

// Files of a monitor's folder.
const (
	seenFile     = "seen"     // the newest checkpoint that was accepted, and when it was first served
	positionFile = "position" // how far the entries were replayed
	lockFile     = "lock"
)

// seen is the newest checkpoint that was found consistent with all before it.
type seen struct {
	log.Checkpoint
	signed []byte
	since  time.Time // when a checkpoint of this size was first served here
}

// marshal writes the time in a line, then the note as it was served.
func (s seen) marshal() []byte {
	return append([]byte(s.since.UTC().Format(time.RFC3339)+"\n"), s.signed...)
}

func parseSeen(data []byte) (s seen, err error) {
	line, signed, _ := bytes.Cut(data, []byte("\n"))
	if s.since, err = time.Parse(time.RFC3339, string(line)); err != nil {
		return s, damaged("%s begins with no time", seenFile)
	}
	s.signed = signed
	s.Checkpoint, err = log.ReadCheckpoint(signed)
	if err == nil && !bytes.Equal(s.marshal(), data) {
		err = damaged("%s is not as it was written", seenFile)
	}
	return s, err
}

// position is how far the entries were replayed, and what they came to: a function of the entries, but for broken.
type position struct {
	tree   tree
	heads  *heads.Map
	last   bool   // the newest entry is a heads entry
	broken string // the first alarm that no later entry can mend, or ""
}

const (
	positionMagic = "writ.monitor.v1\n"
	headSize      = 32 + 8 + 8 + 32
	maxBroken     = 1 << 10
)

// marshal writes size, the roots of the tree's perfect subtrees, the heads in order of their chains, and a digest of it all; numbers in eight bytes, big-endian.
func (p position) marshal() []byte {
	p.heads.Root()
	hashes := p.tree.hashes()
	b := make([]byte, 0, len(positionMagic)+64+32*len(hashes)+headSize*p.heads.Len())
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	b = append(b, positionMagic...)
	number(p.tree.size())
	number(int64(len(hashes)))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	number(map[bool]int64{true: 1}[p.last])
	number(int64(len(p.broken)))
	b = append(b, p.broken...)
	for c, h := range p.heads.All() {
		b = append(b, c[:]...)
		number(h.Seq)
		number(h.Index)
		b = append(b, h.Leaf[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func parsePosition(data []byte) (position, error) {
	p := position{heads: new(heads.Map)}
	r := &cursor{rest: data[:max(0, len(data)-sha256.Size)]}
	r.take(int64(len(positionMagic)))
	size := r.number()
	hashes := make([]log.Hash, max(0, min(r.number(), 64)))
	for i := range hashes {
		copy(hashes[i][:], r.take(sha256.Size))
	}
	p.last = r.number() == 1
	p.broken = string(r.take(min(r.number(), maxBroken)))
	p.heads.Load(func(yield func(heads.Chain, heads.Head) bool) {
		for !r.short && len(r.rest) > 0 {
			c := heads.Chain(r.take(sha256.Size))
			if !yield(c, heads.Head{Seq: r.number(), Index: r.number(), Leaf: log.Hash(r.take(sha256.Size))}) {
				return
			}
		}
	})
	var err error
	if p.tree, err = newTree(size, hashes); err != nil || r.short || !bytes.Equal(p.marshal(), data) { // digest and first line, too
		return p, damaged("%s is not as it was written", positionFile)
	}
	return p, nil
}

// cursor takes bytes from the front; beyond the end it gives zeros and is short.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.rest)) {
		c.short = true
		return make([]byte, max(0, min(n, sha256.Size)))
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) number() int64 { return int64(binary.BigEndian.Uint64(c.take(8))) }

func damaged(format string, args ...any) error {
	return &log.Error{Reason: "log-monitor-state", Detail: fmt.Sprintf(format, args...)}
}

// load reads a file of the folder; one that is not there is nil.
func load(files log.FS, dir, name string) ([]byte, error) {
	data, err := files.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// replace makes data, durably, the whole content of a file: after a crash it has all of it or the old content.
func replace(files log.FS, name string, data []byte) error {
	next := name + ".next"
	f, err := files.OpenFile(next)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return f.Truncate(0) },
		func() error { _, err := f.WriteAt(data, 0); return err },
		f.Sync,
	} {
		if err := step(); err != nil {
			f.Close()
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := files.Rename(next, name); err != nil {
		return err
	}
	return files.SyncDir(filepath.Dir(name))
}
