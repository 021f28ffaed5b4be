package log

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight

	// MaxEntrySize limits an entry of this log, in bytes. (The bundle format allows 65,535.)
	MaxEntrySize = 2048
)

// Entries is the Level of entry bundles, which are tiles of entries instead of hashes.
const Entries = -1

// Tile names one resource of a tiled log (tlog-tiles.md, "Merkle Tree" and "Log entries").
type Tile struct {
	Level int   // 0 to 63, or Entries
	Index int64 // ≥ 0
	Width int   // 1 to 256 hashes or entries; 256 is a full tile
}

// Path returns the tile's path below the log's prefix, such as tile/0/x001/067.p/8.
func (t Tile) Path() string {
	level := "entries"
	if t.Level != Entries {
		level = strconv.Itoa(t.Level)
	}
	path := fmt.Sprintf("%03d", t.Index%1000)
	for n := t.Index / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if t.Width < tileWidth {
		path += ".p/" + strconv.Itoa(t.Width)
	}
	return "tile/" + level + "/" + path
}

// ParseTile reads a tile's path; Path gives the same bytes back. Reason: tile-path.
func ParseTile(path string) (Tile, error) {
	t, ok := parseTile(path)
	if !ok || t.Path() != path {
		return Tile{}, fault("tile-path", "%.80q is not tile/<level or entries>/<index>[.p/<width>]", path)
	}
	return t, nil
}

// parseTile reads what Path may have written; the caller compares, which refuses every other spelling of a number.
func parseTile(path string) (t Tile, ok bool) {
	elements := strings.Split(path, "/")
	if len(path) > 64 || len(elements) < 3 || elements[0] != "tile" {
		return t, false
	}
	level, index := elements[1], elements[2:]
	if t.Level, ok = parseLevel(level); !ok {
		return t, false
	}
	t.Width = tileWidth
	if n := len(index); n >= 2 && strings.HasSuffix(index[n-2], ".p") {
		width, err := strconv.ParseUint(index[n-1], 10, tileHeight)
		if err != nil || width == 0 {
			return t, false
		}
		t.Width = int(width)
		index = append(index[:n-2:n-2], strings.TrimSuffix(index[n-2], ".p"))
	}
	t.Index, ok = parseIndex(index)
	return t, ok
}

func parseLevel(s string) (int, bool) {
	if s == "entries" {
		return Entries, true
	}
	n, err := strconv.ParseUint(s, 10, 6) // 0 to 63
	return int(n), err == nil
}

// parseIndex reads up to six elements of three digits: as many as surely fit an int64.
func parseIndex(elements []string) (index int64, ok bool) {
	if len(elements) > 6 {
		return 0, false
	}
	for _, e := range elements {
		n, err := strconv.ParseUint(strings.TrimPrefix(e, "x"), 10, 16)
		if err != nil || n > 999 {
			return 0, false
		}
		index = index*1000 + int64(n)
	}
	return index, true
}

// tileAt names the tile of a level (or bundle) that holds the node or entry at position i of that level, full.
func tileAt(level int, i int64) Tile {
	return Tile{Level: level, Index: i / tileWidth, Width: tileWidth}
}

// widthAt returns how many hashes or entries, 0 to 256, the tile has in a tree of the given size
// (tlog-tiles.md, "Partial Tiles").
func (t Tile) widthAt(size int64) int {
	if t.Level > 7 { // 256^8 entries do not fit an int64
		return 0
	}
	n := size >> (tileHeight * max(t.Level, 0))
	if t.Index > n/tileWidth {
		return 0
	}
	return int(min(n-t.Index*tileWidth, tileWidth))
}

// AppendEntry appends an entry to a bundle: its length as a big-endian uint16, then its bytes
// (tlog-tiles.md, "Log entries"). It panics if the entry is longer than 65,535 bytes.
func AppendEntry(bundle, entry []byte) []byte {
	if len(entry) > 0xffff {
		panic("log: entry too long for a bundle")
	}
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
}

// ParseBundle returns the entries of a bundle, 1 to 256, which share its memory. Appending them again gives the
// same bytes. Reason: bundle-syntax.
func ParseBundle(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for rest := bundle; len(rest) > 0; {
		entry, after, ok := cutEntry(rest)
		if !ok || len(entries) == tileWidth {
			return nil, fault("bundle-syntax", "entry %d is cut short or more than %d entries", len(entries), tileWidth)
		}
		entries, rest = append(entries, entry), after
	}
	if len(entries) == 0 {
		return nil, fault("bundle-syntax", "no entries")
	}
	return entries, nil
}

func cutEntry(bundle []byte) (entry, rest []byte, ok bool) {
	if len(bundle) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < end {
		return nil, nil, false
	}
	return bundle[2:end:end], bundle[end:], true
}
