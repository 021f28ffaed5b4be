package monitor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
)

// CheckOptions say which log is checked.
type CheckOptions struct {
	// Source is the log. Growing says that its partial tiles and bundles may have more behind them, as in a server's folder.
	Source  Source
	Growing bool
	// Partial are tiles and bundles that lie about besides: they must begin the ones that the checkpoint has.
	Partial []log.Tile
	// Policy and Origin say whose checkpoint it must be: what is not signed, or lacks the quorum, is damage.
	Policy *log.Policy
	Origin string
	// Parse reads an entry; nil rebuilds the tree alone.
	Parse func(entry []byte) (Entry, error)
	// Journal, if not nil, gives the entries that the log's journal has, one after the other; it may have more than the log.
	Journal func() (entry []byte, ok bool, err error)
	// Entry, if not nil, is handed each entry that Parse could read.
	Entry func(index int64, leaf log.Hash, e Entry) error
	// Found is told of each damage; Progress, if not nil, how many entries were read.
	Found    func(Damage) error
	Progress func(done, of int64)
}

// Damage is a place where a log's files are not what its checkpoint signs, or what its entries say is against the rules.
type Damage struct {
	File   string `json:"file"`             // path below the log, or "checkpoint"
	Offset int64  `json:"offset"`           // of the first byte that differs
	Index  *int64 `json:"index,omitempty"`  // of the entry
	Reason string `json:"reason,omitempty"` // code of an alarm, or of a parser
	Detail string `json:"detail"`
}

// checker rebuilds a log from its entries.
type checker struct {
	CheckOptions
	ctx     context.Context
	head    log.Checkpoint
	entries tree // from the entries; where a bundle cannot be read, from the stored hashes
	stored  tree // from the stored leaf hashes
	levels  []level
	rules   *replay
	unsure  []pair // leaf hashes that differ from their entries: which of the two is wrong only the root says
	damaged int
	short   bool // the journal has ended
}

// level is the tile of a level that grows, from the entries, and from the stored leaf hashes where these differ.
type level struct {
	index  int64
	hashes []log.Hash
}

// pair is an entry that is not the one of its leaf hash.
type pair struct{ bundle, tile Damage }

// Check rebuilds the tree and the heads of a log from its entries, holds every tile, bundle and the checkpoint against them, and
// returns the checkpoint. What could not be read is damage too; an error is that of Found, or of the context.
func Check(ctx context.Context, o CheckOptions) (log.Checkpoint, error) {
	c := &checker{CheckOptions: o, ctx: ctx, rules: &replay{parse: o.Parse, heads: new(heads.Map)}}
	c.entries, c.stored = tree{ranges.NewEmptyRange(0)}, tree{ranges.NewEmptyRange(0)}
	signed, err := o.Source.Read(ctx, "checkpoint", maxRoot)
	if err != nil {
		return c.head, c.found(Damage{File: "checkpoint", Detail: err.Error()})
	}
	if c.head, err = o.Policy.Verify(signed, o.Origin); err != nil {
		return c.head, c.found(Damage{File: "checkpoint", Reason: reasonOf(err), Detail: err.Error()})
	}
	for first := int64(0); first < c.head.Size; first += tileWidth {
		if err := errors.Join(c.bundle(first), ctx.Err()); err != nil {
			return c.head, err
		}
		if o.Progress != nil {
			o.Progress(min(first+tileWidth, c.head.Size), c.head.Size)
		}
	}
	return c.head, c.end()
}

func (c *checker) found(d Damage) error {
	c.damaged++
	return c.Found(d)
}

// bundle checks a bundle, its tile of leaf hashes, and the tiles that it fills above.
func (c *checker) bundle(first int64) error {
	width := int(min(tileWidth, c.head.Size-first))
	b := log.Tile{Level: log.Entries, Index: first / tileWidth, Width: width}
	t := log.Tile{Level: 0, Index: first / tileWidth, Width: width}
	hashes, errTile := c.tile(t)
	entries, errBundle := c.read(b)
	if errBundle != nil && errTile != nil {
		return errors.Join(c.found(Damage{File: c.name(b), Detail: errBundle.Error()}), c.found(Damage{File: c.name(t), Detail: errTile.Error()}),
			c.grow(make([]log.Hash, width), make([]log.Hash, width)))
	}
	if errBundle != nil {
		return errors.Join(c.found(Damage{File: c.name(b), Reason: reasonOf(errBundle), Detail: errBundle.Error()}), c.grow(hashes, hashes))
	}
	var own []log.Hash
	for i, e := range entries {
		own = append(own, log.RecordHash(e))
		if err := errors.Join(c.rule(b, first+int64(i), e), c.journal(first+int64(i), e)); err != nil {
			return err
		}
	}
	if errTile != nil {
		return errors.Join(c.found(Damage{File: c.name(t), Detail: errTile.Error()}), c.grow(own, own))
	}
	c.compare(first, entries, b, t, own, hashes)
	return c.grow(own, hashes)
}

func (c *checker) rule(b log.Tile, index int64, entry []byte) error {
	if c.Parse == nil {
		return nil
	}
	for _, a := range c.rules.entry(index, entry) {
		reason := a.Code
		if a.Reason != "" {
			reason = a.Reason
		}
		if err := c.found(Damage{File: c.name(b), Index: &index, Reason: reason, Detail: a.Detail}); err != nil {
			return err
		}
	}
	if c.Entry == nil {
		return nil
	}
	e, err := c.Parse(entry)
	if err != nil {
		return nil // which was found
	}
	return c.Entry(index, log.RecordHash(entry), e)
}

// journal holds an entry against the journal's.
func (c *checker) journal(index int64, entry []byte) error {
	if c.Journal == nil || c.short {
		return nil
	}
	journalled, ok, err := c.Journal()
	switch {
	case err != nil:
		return err
	case !ok:
		c.short = true
		return c.found(Damage{File: "journal", Index: &index, Detail: fmt.Sprintf("it ends before this entry; the log has %d", c.head.Size)})
	case !bytes.Equal(journalled, entry):
		return c.found(Damage{File: "journal", Index: &index, Detail: "its entry is not the log's"})
	}
	return nil
}

// compare notes the entries that are not those of their leaf hashes.
func (c *checker) compare(first int64, entries [][]byte, b, t log.Tile, own, stored []log.Hash) {
	offset := int64(0)
	for i, e := range entries {
		if index := first + int64(i); own[i] != stored[i] {
			c.unsure = append(c.unsure, pair{
				Damage{File: c.name(b), Offset: offset, Index: &index, Detail: "the entry is not the one whose hash is in the tree"},
				Damage{File: c.name(t), Offset: int64(i * sha256.Size), Index: &index, Detail: "the leaf hash is not that of the entry"}})
		}
		offset += 2 + int64(len(e))
	}
}

// grow adds leaf hashes to both trees, and checks the tiles that these fill.
func (c *checker) grow(own, stored []log.Hash) error {
	for i := range own {
		if err := errors.Join(c.entries.add(own[i]), c.stored.add(stored[i])); err != nil {
			return err
		}
	}
	if len(own) < tileWidth {
		return nil
	}
	return c.above(0, fold(own), fold(stored))
}

// above adds the node over a full tile to the level above. Where the two candidates differ the stored tile above says which is right,
// which the root has the last word on; so only what agrees with neither is damage of the tile above.
func (c *checker) above(below int, own, stored log.Hash) error {
	if len(c.levels) == below {
		c.levels = append(c.levels, level{})
	}
	l := &c.levels[below]
	l.hashes = append(l.hashes, own)
	if own != stored {
		t, err := c.tile(c.wide(below+1, l.index))
		if err == nil && t[len(l.hashes)-1] == stored {
			l.hashes[len(l.hashes)-1] = stored
		}
	}
	if len(l.hashes) < tileWidth {
		return nil
	}
	root := fold(l.hashes)
	if err := c.upper(below + 1); err != nil {
		return err
	}
	l.index, l.hashes = l.index+1, nil
	return c.above(below+1, root, root)
}

// upper checks the tile of a level above the leaves against what the levels below gave.
func (c *checker) upper(of int) error {
	l := c.levels[of-1]
	t := log.Tile{Level: of, Index: l.index, Width: len(l.hashes)}
	hashes, err := c.tile(t)
	if err != nil {
		return c.found(Damage{File: c.name(t), Detail: err.Error()})
	}
	for i, h := range hashes {
		if h != l.hashes[i] {
			return c.found(Damage{File: c.name(t), Offset: int64(i * sha256.Size), Detail: "the hash is not that of the tile below"})
		}
	}
	return nil
}

// end checks the tiles that are not full, and then the root: it says what is wrong where entries and leaf hashes differ.
func (c *checker) end() error {
	for i := range c.levels {
		if len(c.levels[i].hashes) > 0 {
			if err := c.upper(i + 1); err != nil {
				return err
			}
		}
	}
	for _, t := range c.Partial {
		if err := c.partial(t); err != nil {
			return err
		}
	}
	right := c.entries.root() == c.head.Root
	for _, p := range c.unsure {
		wrong := []Damage{p.bundle, p.tile}
		switch {
		case right:
			wrong = wrong[1:]
		case c.stored.root() == c.head.Root:
			wrong = wrong[:1]
		}
		for _, d := range wrong {
			if err := c.found(d); err != nil {
				return err
			}
		}
	}
	if !right && c.damaged == 0 {
		return c.found(Damage{File: "checkpoint", Reason: "log-root-mismatch", Detail: fmt.Sprintf("it signs the root %s; %d entries give %s", c.head.Root, c.head.Size, c.entries.root())})
	}
	if c.Parse != nil && c.head.Size > 0 && !c.rules.last {
		index := c.head.Size - 1
		return c.found(Damage{File: "checkpoint", Index: &index, Reason: HeadsOrder, Detail: "the last entry under it is no heads entry"})
	}
	return nil
}

// wide is the tile or bundle as wide as the checkpoint has it.
func (c *checker) wide(level int, index int64) log.Tile {
	return log.Tile{Level: level, Index: index, Width: int(min(tileWidth, c.head.Size>>(8*max(level, 0))-index*tileWidth))}
}

// name is the file of a tile or bundle.
func (c *checker) name(t log.Tile) string {
	if c.Growing {
		t.Width = tileWidth
	}
	return t.Path()
}

func (c *checker) exact(t log.Tile) bool { return t.Width == tileWidth || !c.Growing }

// partial checks what lies about of tiles and bundles that have grown since. Those that the checkpoint has were checked before.
func (c *checker) partial(t log.Tile) error {
	at := c.wide(t.Level, t.Index)
	if t.Width >= at.Width {
		return nil
	}
	data, err := c.Source.Read(c.ctx, t.Path(), maxBundle)
	if err != nil {
		return c.found(Damage{File: c.name(t), Detail: err.Error()})
	}
	wide, err := tileAt(c.ctx, c.Source, at)
	if err != nil {
		return nil // which was found before
	}
	length := t.Width * sha256.Size
	if t.Level == log.Entries {
		entries, err := cut(wide, t)
		if err != nil {
			return nil // which was found before
		}
		length = 0
		for _, e := range entries {
			length += 2 + len(e)
		}
	}
	if length > len(wide) || !bytes.Equal(data, wide[:length]) {
		return c.found(Damage{File: c.name(t), Detail: "it does not begin " + at.Path()})
	}
	return nil
}

// tile reads the hashes of a tile.
func (c *checker) tile(t log.Tile) ([]log.Hash, error) {
	data, err := tileAt(c.ctx, c.Source, t)
	if err != nil {
		return nil, err
	}
	if want := t.Width * sha256.Size; len(data) < want || c.exact(t) && len(data) != want {
		return nil, fmt.Errorf("%d bytes, want %d", len(data), want)
	}
	hashes := make([]log.Hash, t.Width)
	for i := range hashes {
		copy(hashes[i][:], data[i*sha256.Size:])
	}
	return hashes, nil
}

// read reads the entries of a bundle.
func (c *checker) read(t log.Tile) ([][]byte, error) {
	data, err := tileAt(c.ctx, c.Source, t)
	if err != nil {
		return nil, err
	}
	entries, err := cut(data, t)
	if err != nil {
		return nil, err
	}
	var again []byte
	for _, e := range entries {
		again = log.AppendEntry(again, e)
	}
	if c.exact(t) && !bytes.Equal(again, data) {
		return nil, fmt.Errorf("%d bytes behind the last entry", len(data)-len(again))
	}
	return entries, nil
}

// Folder is a log in a folder: as a server keeps it, where each tile is one file named as if full, or as any web server serves it.
type Folder struct {
	Dir        string
	Checkpoint string // file of the checkpoint
	Growing    bool   // tiles are files named as if full
}

// Read implements Source.
func (f Folder) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	name := filepath.Join(f.Dir, filepath.FromSlash(path))
	if path == "checkpoint" {
		name = f.Checkpoint
	} else if full, _, partial := strings.Cut(path, partialMark); partial && f.Growing {
		name = filepath.Join(f.Dir, filepath.FromSlash(full))
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return os.ReadFile(name)
}

// Files returns the resources that the folder has, by their path below the log; others, such as hidden files, are no part of it.
func (f Folder) Files() (tiles []log.Tile, err error) {
	err = fs.WalkDir(os.DirFS(f.Dir), "tile", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if t, err := log.ParseTile(path); err == nil {
			tiles = append(tiles, t)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return tiles, err
}
