package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/writ-trust/writ/log"
)

// logCmd is writ log. It reads tiles (C2SP tlog-tiles) and asks nobody for a proof: what it prints it has computed and checked.
type logCmd struct {
	Checkpoint logCheckpointCmd `cmd:"" help:"Print the newest published checkpoint."`
	Proof      logProofCmd      `cmd:"" help:"Print the inclusion proof of an entry."`
	Entry      logEntryCmd      `cmd:"" help:"Print an entry."`
	Export     logExportCmd     `cmd:"" help:"Write a static copy that any web server can serve."`
	Head       logHeadCmd       `cmd:"" help:"Show a chain's newest entry, or that it has none, proven by the log's heads."`
	Contradict contradictCmd    `cmd:"" help:"Put two head proofs that contradict each other into one file of evidence."`
	Monitor    logMonitorCmd    `cmd:"" help:"Follow another's log, and raise alarms."`
	Mirror     logMirrorCmd     `cmd:"" help:"Keep a copy of another's log, replay it and cosign that."`
	Check      logCheckCmd      `cmd:"" help:"Rebuild a log from its entries, and find what is damaged."`
	Succeed    logSucceedCmd    `cmd:"" help:"End the log and carry its tree on under another name and key."`

	TrillianSchema  logTrillianSchemaCmd  `cmd:"" help:"Print or apply what Writ needs in the database of Trillian."`
	TrillianMigrate logTrillianMigrateCmd `cmd:"" help:"Take the log of a data folder over to Trillian."`
	TrillianServe   logTrillianServeCmd   `cmd:"" help:"Serve the log of several machines from its database."`
}

const logHelp = `SOURCE is the address of a log, such as http://127.0.0.1:8467/log, or the data folder of a server. --key is the log's verifier
key (the trust file has it): without it the checkpoint is read, not trusted. Proofs and entries are computed from the tiles and
checked against the checkpoint's root.`

// logSource is the part of the command line that the three share.
type logSource struct {
	Source string `arg:"" help:"Address of the log, or data folder of the server."`
	Key    string `placeholder:"VKEY" help:"The log's verifier key, NAME+ID+KEY."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

type logCheckpointCmd struct {
	logSource `embed:""`
}

// Help is the long text of writ log checkpoint --help.
func (logCheckpointCmd) Help() string { return logHelp }

func (c logCheckpointCmd) Run(sys *system) error {
	l, err := c.open(sys)
	if err != nil {
		return err
	}
	return l.print(sys, c.JSON)
}

// print is the checkpoint for people and programs.
func (l *tiledLog) print(sys *system, asJSON bool) error {
	if asJSON {
		return printJSON(sys.out, map[string]any{"origin": l.head.Origin, "size": l.head.Size, "root": l.head.Root.String(), "checkpoint": string(l.signed)})
	}
	_, err := sys.out.Write(l.signed)
	return err
}

type logProofCmd struct {
	logSource `embed:""`
	Index     int64 `arg:"" help:"Index of the entry, from 0."`
}

// Help is the long text of writ log proof --help.
func (logProofCmd) Help() string { return logHelp }

func (c logProofCmd) Run(sys *system) error {
	l, err := c.open(sys)
	if err != nil {
		return err
	}
	proof, err := l.prove(c.Index)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(sys.out, map[string]any{"index": c.Index, "proof": string(proof)})
	}
	_, err = sys.out.Write(proof)
	return err
}

type logEntryCmd struct {
	logSource `embed:""`
	Index     int64 `arg:"" help:"Index of the entry, from 0."`
}

// Help is the long text of writ log entry --help.
func (logEntryCmd) Help() string {
	return logHelp + `

An entry is a commitment: it says that something was recorded, on which chains, and not what. It is one line of JSON.`
}

func (c logEntryCmd) Run(sys *system) error {
	l, err := c.open(sys)
	if err != nil {
		return err
	}
	entry, err := l.entry(c.Index)
	if err == nil {
		_, err = fmt.Fprintf(sys.out, "%s\n", entry)
	}
	return err
}

// tiledLog is a log as a stranger reads it.
type tiledLog struct {
	read   func(path string) ([]byte, error) // of the log, such as checkpoint or tile/0/000
	signed []byte
	head   log.Checkpoint
}

func (c logSource) open(sys *system) (*tiledLog, error) {
	l := &tiledLog{read: folderReader(c.Source)}
	if strings.HasPrefix(c.Source, "http://") || strings.HasPrefix(c.Source, "https://") {
		l.read = httpReader(strings.TrimSuffix(c.Source, "/"))
	}
	var err error
	if l.signed, err = l.read("checkpoint"); err != nil {
		return nil, &exit{exitUnchecked, err}
	}
	if c.Key == "" {
		fmt.Fprintln(sys.err, "signature not checked: name the log's key with --key")
		l.head, err = log.ReadCheckpoint(l.signed)
		return l, err
	}
	key, err := log.ParseVerifier(c.Key)
	if err != nil {
		return nil, usage(err)
	}
	if l.head, err = log.OpenCheckpoint(l.signed, key); err != nil {
		return nil, &exit{exitFails, err}
	}
	return l, nil
}

// folderReader reads the log of a data folder: tiles stand there in one file each, as if full, and the last published checkpoint
// beside them in the guard.
func folderReader(dir string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if path == "checkpoint" {
			return publishedIn(dir)
		}
		if path == metadataName {
			return os.ReadFile(filepath.Join(dir, path))
		}
		full, _, _ := strings.Cut(path, ".p/")
		return os.ReadFile(filepath.Join(dir, logFolder, filepath.FromSlash(full)))
	}
}

// logPatience is how long one file of a log is waited for.
const logPatience = 30 * time.Second

func httpReader(url string) func(string) ([]byte, error) {
	client := &http.Client{Timeout: logPatience}
	return func(path string) ([]byte, error) {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/"+path, nil)
		if err != nil {
			return nil, err
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return nil, fmt.Errorf("%s/%s: %w", url, path, fs.ErrNotExist)
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s/%s: %s", url, path, response.Status)
		}
		return io.ReadAll(io.LimitReader(response.Body, maxBundle))
	}
}

// Height is the height of C2SP's tiles: 256 hashes each.
func (l *tiledLog) Height() int { return 8 }

// SaveTiles keeps nothing.
func (l *tiledLog) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader, which then checks the tiles against the root.
func (l *tiledLog) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := l.read(log.Tile{Level: t.L, Index: t.N, Width: t.W}.Path())
		if err != nil {
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, errors.New("a tile is shorter than the checkpoint says")
		}
		all = append(all, data[:t.W*tlog.HashSize])
	}
	return all, nil
}

func (l *tiledLog) hashes() tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: l.head.Size, Hash: tlog.Hash(l.head.Root)}, l)
}

func (l *tiledLog) check(index int64) error {
	if index < 0 || index >= l.head.Size {
		return ends(exitFails, "the log has %d entries, from index 0", l.head.Size)
	}
	return nil
}

func (l *tiledLog) prove(index int64) ([]byte, error) {
	if err := l.check(index); err != nil {
		return nil, err
	}
	hashes, err := tlog.ProveRecord(l.head.Size, index, l.hashes())
	if err != nil {
		return nil, &exit{exitUnchecked, err}
	}
	p := log.InclusionProof{Index: index, Checkpoint: l.signed}
	for _, h := range hashes {
		p.Hashes = append(p.Hashes, log.Hash(h))
	}
	return p.Marshal(), nil
}

// entry reads an entry out of its bundle and holds it against the leaf hash that the root covers.
func (l *tiledLog) entry(index int64) ([]byte, error) {
	if err := l.check(index); err != nil {
		return nil, err
	}
	const perTile = 256
	tile := log.Tile{Level: log.Entries, Index: index / perTile}
	tile.Width = int(min(perTile, l.head.Size-tile.Index*perTile))
	bundle, err := l.read(tile.Path())
	if err != nil {
		return nil, &exit{exitUnchecked, err}
	}
	entries, err := log.ParseBundle(bundle)
	if err != nil {
		return nil, err
	}
	leaf, err := l.hashes().ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return nil, &exit{exitUnchecked, err}
	}
	if at := int(index % perTile); at >= len(entries) || tlog.Hash(log.RecordHash(entries[at])) != leaf[0] {
		return nil, ends(exitFails, "entry %d is not the one that the root %s covers", index, base64.StdEncoding.EncodeToString(leaf[0][:]))
	}
	return entries[index%perTile], nil
}
