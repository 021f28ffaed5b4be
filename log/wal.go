package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
)

// The write-ahead record of an Appender is two files that take turns: while the tiles of what one holds are made durable, records
// go to the other. A record is one batch, and starts on a page of its own, so that no write touches bytes synced before. The root
// that the batch gives is its checksum: it covers every entry, and every batch before.
//
//	first page   'R'  first entry's index uint64  bytes of the bundle uint32  root [32]byte  CRC-32C of these uint32  bundle…
//	later pages  'c'  bundle…
//
// Each page says by its first byte which it is, so that no entry can pass for a record. Records are read from page 0 on. What does
// not hold is what a power cut left of the last batch, which nobody was told of, and is cut off. Unless a record for a later entry
// stands behind it: then bytes that were durable have changed.
const (
	walPage   = 4096
	walHeader = 1 + 8 + 4 + len(Hash{}) + 4
	walFirst  = walPage - walHeader // bundle bytes in a record's first page
	walLater  = walPage - 1         // and in each later one

	// maxWAL is the length, in bytes, from which on an Appender publishes by itself. Start-up reads at most about twice as much.
	maxWAL = 64 << 20
	// keptWAL is the length, in bytes, up to which a file is kept and written over when all it holds is published: that is faster to
	// sync than writing behind the end.
	keptWAL = 2 << 20

	kindRecord    = 'R'
	kindContinued = 'c'
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	walFiles   = [2]string{"wal.0", "wal.1"}
)

// walRecord is a batch as it was recorded.
type walRecord struct {
	first  int64
	root   Hash
	bundle []byte // its entries, in the form of tlog-tiles.md, "Log entries"
}

// appendTo appends the record's pages.
func (r walRecord) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, kindRecord)
	b = binary.BigEndian.AppendUint64(b, uint64(r.first))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.bundle)))
	b = append(b, r.root[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	n := min(walFirst, len(r.bundle))
	b = append(b, r.bundle[:n]...)
	for rest := r.bundle[n:]; len(rest) > 0; rest = rest[n:] {
		n = min(walLater, len(rest))
		b = append(append(b, kindContinued), rest[:n]...)
	}
	return append(b, make([]byte, -(len(b)-start)&(walPage-1))...)
}

// readHeader reads what the first page of a record says: the record without its bundle, and the bundle's length.
func readHeader(page []byte) (r walRecord, length int, ok bool) {
	if len(page) < walPage || page[0] != kindRecord {
		return r, 0, false
	}
	sum := walHeader - 4
	if binary.BigEndian.Uint32(page[sum:]) != crc32.Checksum(page[:sum], castagnoli) {
		return r, 0, false
	}
	r.first = int64(binary.BigEndian.Uint64(page[1:]))
	copy(r.root[:], page[13:])
	return r, int(binary.BigEndian.Uint32(page[9:])), r.first >= 0
}

// readRecord reads the record at the start of some pages, and returns the pages behind it. Whether the bundle is the one that was
// written, only the root can say.
func readRecord(pages []byte) (r walRecord, rest []byte, ok bool) {
	r, length, ok := readHeader(pages)
	if !ok {
		return r, pages, false
	}
	later := (max(length-walFirst, 0) + walLater - 1) / walLater
	if later > len(pages)/walPage-1 {
		return r, pages, false
	}
	r.bundle = append(make([]byte, 0, length), pages[walHeader:walHeader+min(walFirst, length)]...)
	for i := range later {
		page := pages[(1+i)*walPage : (2+i)*walPage]
		if page[0] != kindContinued {
			return r, pages, false
		}
		r.bundle = append(r.bundle, page[1:1+min(walLater, length-len(r.bundle))]...)
	}
	return r, pages[(1+later)*walPage:], true
}

// wal writes the record. It is used by one goroutine at a time.
type wal struct {
	files  [2]File
	active int      // the file that is written
	ends   [2]int64 // where the records of each end
	held   bool     // the other file has what may not be published yet
	buffer []byte
}

// openWAL makes both files, with data as the whole content of the first, durably.
func openWAL(fs FS, dir string, data []byte) (*wal, error) {
	w := &wal{ends: [2]int64{int64(len(data)), 0}}
	for i, content := range [2][]byte{data, nil} {
		name := filepath.Join(dir, walFiles[i])
		if err := replaceFile(fs, name, content); err != nil {
			return nil, errors.Join(err, w.close())
		}
		var err error
		if w.files[i], err = fs.OpenFile(name); err != nil {
			w.files[i] = nil
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// append makes a batch durable.
func (w *wal) append(r walRecord) error {
	w.buffer = r.appendTo(w.buffer[:0])
	if _, err := w.files[w.active].WriteAt(w.buffer, w.ends[w.active]); err != nil {
		return err
	}
	w.ends[w.active] += int64(len(w.buffer))
	return syncRecord(w.files[w.active])
}

// turn lets the other file take over, unless it still has what is not published.
func (w *wal) turn() {
	if !w.held {
		w.active, w.held = 1-w.active, true
		w.ends[w.active] = 0
	}
}

// published gives up what the other file has. Its records need not vanish durably: they are of entries that the guard covers.
func (w *wal) published() error {
	w.held = false
	if other := 1 - w.active; w.ends[other] > keptWAL {
		return w.files[other].Truncate(0)
	}
	return nil
}

func (w *wal) close() error {
	var failed error
	for _, f := range w.files {
		if f != nil {
			failed = errors.Join(failed, f.Close())
		}
	}
	return failed
}

// readWAL returns the entries that were recorded beyond the tree.
// Reason: log-record-damaged (a record is missing or damaged that a later one follows).
func readWAL(files FS, dir string, tree edge) (bundle []byte, err error) {
	var pages [2][]byte
	for i, name := range walFiles {
		pages[i], err = files.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("log: record: %w", err)
		}
	}
	older, _, inFirst := readHeader(pages[0])
	newer, _, inSecond := readHeader(pages[1])
	if inFirst && inSecond && older.first > newer.first {
		pages[0], pages[1] = pages[1], pages[0]
	}
	re := replay{tree: tree.clone(), filled: map[Tile]hashTile{}}
	for _, p := range pages {
		re.file(p)
	}
	for i, p := range pages {
		if at, beyond := laterRecord(p, re.tree.size()); beyond {
			return nil, fault("log-record-damaged", "the write-ahead record in %s (file %d of 2 by age) ends at entry %d but has entry %d: what stood between was durable and has changed",
				dir, i+1, re.tree.size(), at)
		}
	}
	return re.bundle, nil
}

// replay is the tree that the records give so far.
type replay struct {
	tree   edge
	filled map[Tile]hashTile
	bundle []byte // the entries beyond the tree that it started from
}

// file takes over the records of one file, in order, until one does not hold.
func (re *replay) file(pages []byte) {
	for {
		r, rest, ok := readRecord(pages)
		if !ok || r.first > re.tree.size() || !re.record(r) {
			return
		}
		pages = rest
	}
}

// record takes over what a record has beyond the tree, if it gives the record's root.
func (re *replay) record(r walRecord) bool {
	tree, bundle := re.tree.clone(), re.bundle
	rest, ok := r.bundle, true
	for at := r.first; len(rest) > 0; at++ {
		var entry []byte
		if entry, rest, ok = cutEntry(rest); !ok || len(entry) > MaxEntrySize {
			return false
		}
		if at >= re.tree.size() {
			tree, bundle = tree.grow(RecordHash(entry), re.filled), AppendEntry(bundle, entry)
		}
	}
	if tree.size() > re.tree.size() && tree.root() != r.root {
		return false
	}
	re.tree, re.bundle = tree, bundle
	return true
}

// laterRecord finds a record of an entry beyond size, on any page.
func laterRecord(pages []byte, size int64) (first int64, found bool) {
	for ; len(pages) >= walPage; pages = pages[walPage:] {
		if r, _, ok := readHeader(pages); ok && r.first > size {
			return r.first, true
		}
	}
	return 0, false
}
