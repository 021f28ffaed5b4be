package trillian

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/writ-trust/writ/log"
)

// Reader serves the published log from PostgreSQL. Any replica may, beside the one that writes. It trusts the database: who reads from
// it checks what it gets, as with any log.
type Reader struct {
	pool   *pgxpool.Pool
	origin string
}

// OpenReader connects to the database that has the log called origin.
func OpenReader(ctx context.Context, database, origin string) (*Reader, error) {
	pool, err := openPool(ctx, database)
	if err != nil {
		return nil, err
	}
	return &Reader{pool, origin}, nil
}

// Close ends the connections.
func (r *Reader) Close() { r.pool.Close() }

// ReadTile returns a resource of the published log by its path below the log's prefix, as log.Log.ReadTile does: checkpoint, or a tile
// or entry bundle of at most the published width. Reasons: tile-path, log-damaged.
func (r *Reader) ReadTile(ctx context.Context, path string) ([]byte, error) {
	signed, err := r.read(ctx, guard)
	if err != nil || path == "checkpoint" {
		return signed, err
	}
	name, err := log.ParseTile(path)
	if err != nil {
		return nil, err
	}
	c, err := log.ReadCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	if int64(name.Width) > published(name, c.Size) {
		return nil, fmt.Errorf("%w: %s is not in the published tree of %d entries", log.ErrNotFound, path, c.Size)
	}
	full := name
	full.Width = bundleWidth
	data, err := r.read(ctx, tiles+"/"+full.Path())
	if err != nil {
		return nil, err
	}
	end, ok := cut(name, data)
	if !ok {
		return nil, fault("log-damaged", "%s is shorter than the checkpoint says", path)
	}
	return data[:end], nil
}

// read returns a file of the log; what is not there yet is not found.
func (r *Reader) read(ctx context.Context, name string) ([]byte, error) {
	data, err := loadFile(ctx, r.pool, r.origin, name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %s", log.ErrNotFound, name)
	}
	return data, err
}

// published is how many hashes or entries of a tile a tree of this size has; more than a tile has counts as much.
func published(name log.Tile, size int64) int64 {
	for range max(name.Level, 0) {
		size /= bundleWidth
	}
	return size - name.Index*bundleWidth
}

// cut finds where the first hashes or entries of a file end: it may have more, of a tree that is not published.
func cut(name log.Tile, data []byte) (end int, ok bool) {
	if name.Level != log.Entries {
		end = name.Width * len(log.Hash{})
		return end, end <= len(data)
	}
	for range name.Width {
		if len(data) < end+2 {
			return 0, false
		}
		end += 2 + int(binary.BigEndian.Uint16(data[end:]))
	}
	return end, end <= len(data)
}
