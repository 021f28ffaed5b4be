package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/writ-trust/writ/log"
)

// Source gives the resources of a tiled log by their path below its prefix: checkpoint, or a tile or entry bundle
// (tlog-tiles.md, "APIs"). What it does not have is fs.ErrNotExist. At most limit bytes are read: what is longer is an error.
type Source interface {
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
}

// HTTP is a log at an address.
type HTTP struct {
	URL    string // prefix, without a slash behind it
	Client *http.Client
}

// Read implements Source. The client's transport decompresses what is sent with gzip; the limit is that of what comes out.
func (h HTTP) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := h.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s/%s: %w", h.URL, path, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("%s/%s: %s", h.URL, path, response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s/%s: more than %d bytes", h.URL, path, limit)
	}
	return data, err
}

// Limits of resources, in bytes.
const (
	tileWidth   = 256
	maxTile     = tileWidth * 32
	maxBundle   = tileWidth * (2 + 0xffff) // the format's limit: an entry above Writ's own must be seen to be reported
	maxRoot     = log.MaxCheckpointSize
	partialMark = ".p/"
)

// tileAt reads a tile or bundle of which at least width hashes or entries are wanted. A partial one that is gone is cut from the
// full one (tlog-tiles.md, "Partial Tiles").
func tileAt(ctx context.Context, s Source, t log.Tile) ([]byte, error) {
	limit := int64(maxTile)
	if t.Level == log.Entries {
		limit = maxBundle
	}
	data, err := s.Read(ctx, t.Path(), limit)
	if errors.Is(err, fs.ErrNotExist) && t.Width < tileWidth {
		full, _, _ := strings.Cut(t.Path(), partialMark)
		data, err = s.Read(ctx, full, limit)
	}
	return data, err
}

// bundle reads the first width entries of a bundle. What is no bundle is a *log.Error.
func bundle(ctx context.Context, s Source, t log.Tile) ([][]byte, error) {
	data, err := tileAt(ctx, s, t)
	if err != nil {
		return nil, err
	}
	return cut(data, t)
}

// cut returns the entries of a bundle that the tile names; the file may have more behind them.
func cut(data []byte, t log.Tile) ([][]byte, error) {
	var entries [][]byte
	for range t.Width {
		if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
			return nil, &log.Error{Reason: "bundle-syntax", Detail: fmt.Sprintf("%s ends before entry %d of it", t.Path(), len(entries))}
		}
		end := 2 + int(data[0])<<8 + int(data[1])
		entries, data = append(entries, data[2:end:end]), data[end:]
	}
	return entries, nil
}
