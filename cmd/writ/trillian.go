package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/trillian"
)

// openTrillian opens the log over Trillian in place of the one on files.
func (l *ledger) openTrillian(ctx context.Context, s *settings, signer *log.Signer) error {
	opened, err := leaseTrillian(ctx, l.logger, trillian.Options{Signer: signer, Database: s.TrillianDB, Server: s.Trillian}, l.dir)
	if err != nil {
		return err
	}
	l.log, l.follower, l.settled = opened.Log, opened, opened.Settled
	l.made = append(l.made, opened)
	return nil
}

// leaseTrillian waits while another replica's lease lasts. A replica is a data folder on a machine, which one process at a time has open.
func leaseTrillian(ctx context.Context, logger *slog.Logger, o trillian.Options, dir string) (*trillian.Log, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	o.Logger, o.Holder = logger, host+":"+dir
	for {
		opened, err := trillian.Open(ctx, o)
		if reasonOf(err) != "log-leased" {
			return opened, err
		}
		logger.Info("waiting for the lease of the log", "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(leasePause):
		}
	}
}

// leasePause is how long a replica that stands by waits before it asks again.
const leasePause = 2 * time.Second

// logTrillianSchemaCmd is writ log trillian-schema.
type logTrillianSchemaCmd struct {
	Apply string `placeholder:"URI" help:"Apply it to this PostgreSQL database, rather than print it."`
	Base  string `placeholder:"FILE" help:"Trillian's own schema, which is applied first where its tables are missing."`
}

// Help is the long text of writ log trillian-schema --help.
func (logTrillianSchemaCmd) Help() string {
	return `What Writ needs in the database of Trillian v1.8.0, behind Trillian's own schema (storage/postgresql/schema/storage.sql of its module):

    a trigger on TreeHead, the fence   two signers may then run at once, as they do whenever one takes over from another. Without it
                                       they can leave a tree that no signer ever gets past
    a check on Trees                   a PREORDERED_LOG has max_root_duration 0
    the tables writ.log_lease and writ.log_file, of the lease and the tiles

Applying it again changes nothing. All of it is applied, or nothing.`
}

func (c logTrillianSchemaCmd) Run(sys *system) error {
	if c.Apply == "" {
		_, err := fmt.Fprint(sys.out, trillian.Schema)
		return err
	}
	var base []byte
	if c.Base != "" {
		var err error
		if base, err = os.ReadFile(c.Base); err != nil {
			return usage(err)
		}
	}
	if err := trillian.ApplySchema(context.Background(), c.Apply, string(base)); err != nil {
		return err
	}
	fmt.Fprintln(sys.err, "applied")
	return nil
}

// logTrillianMigrateCmd is writ log trillian-migrate.
type logTrillianMigrateCmd struct {
	Data       string `required:"" placeholder:"DIR" help:"Data folder of the server, which must be stopped."`
	Trillian   string `required:"" placeholder:"ADDR" env:"WRIT_TRILLIAN" help:"Address of Trillian's log server."`
	TrillianDB string `required:"" name:"trillian-db" placeholder:"URI" env:"WRIT_TRILLIAN_DB" help:"PostgreSQL database with the tables of writ log trillian-schema."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of writ log trillian-migrate --help.
func (logTrillianMigrateCmd) Help() string {
	return `Takes the log in the data folder over to Trillian: the same entries under the same origin, and in the end the very checkpoint that was
published last, byte for byte. Begun and not finished, it goes on where it was. Afterwards start writ serve with --trillian and
--trillian-db; the journal stays where it is, and log/ in the data folder is no longer written.`
}

func (c logTrillianMigrateCmd) Run(sys *system) error {
	ctx := context.Background()
	f, err := openFolder(sys, &settings{Data: c.Data})
	if err != nil {
		return err
	}
	defer f.lock.Close()
	signer, err := f.logSigner()
	if err != nil {
		return err
	}
	from, err := log.Open(log.Options{Dir: f.path(logFolder), Guard: f.path(f.guard()), Signer: signer})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := leaseTrillian(ctx, slog.New(slog.NewTextHandler(sys.err, nil)),
		trillian.Options{Signer: signer, Database: c.TrillianDB, Server: c.Trillian}, c.Data)
	if err != nil {
		return err
	}
	defer to.Close()
	bar := progress(sys, int(from.Size()), "taking over")
	if err := trillian.Migrate(ctx, from, to, func(n int64) { bar.Set64(n) }); err != nil {
		return err
	}
	bar.Finish()
	published := &tiledLog{signed: to.Published()}
	if published.head, err = log.ReadCheckpoint(published.signed); err != nil {
		return err
	}
	return published.print(sys, c.JSON)
}

// logTrillianServeCmd is writ log trillian-serve.
type logTrillianServeCmd struct {
	TrillianDB string `required:"" name:"trillian-db" placeholder:"URI" env:"WRIT_TRILLIAN_DB" help:"PostgreSQL database with the tables of writ log trillian-schema."`
	Origin     string `required:"" placeholder:"NAME" help:"Name of the log."`
	Listen     string `default:"127.0.0.1:8468" placeholder:"ADDR" help:"Address to listen on; port 0 takes a free one."`
}

// Help is the long text of writ log trillian-serve --help.
func (logTrillianServeCmd) Help() string {
	return `Serves the published log at /log/checkpoint and /log/tile/… from the database, on any machine, as the replica that writes it does at the
same paths. It has no key and needs no lease. The address is printed on standard output once requests are answered.`
}

func (c logTrillianServeCmd) Run(sys *system) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := trillian.OpenReader(ctx, c.TrillianDB, c.Origin)
	if err != nil {
		return err
	}
	defer r.Close()
	listener, err := listen("listen", c.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: tileHandler(r.ReadTile), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	fmt.Fprintf(sys.out, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tileHandler answers as writ serve does below /log/.
func tileHandler(read func(ctx context.Context, path string) ([]byte, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /log/{path...}", func(w http.ResponseWriter, r *http.Request) {
		path := r.PathValue("path")
		data, err := read(r.Context(), path)
		switch {
		case errors.Is(err, log.ErrNotFound) || reasonOf(err) == "tile-path":
			http.NotFound(w, r)
			return
		case err != nil:
			http.Error(w, "could not read the log", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if path == "checkpoint" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", "no-cache")
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data)
	})
	return mux
}
