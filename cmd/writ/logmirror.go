package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/monitor"
)

type logMirrorCmd struct {
	followed  `embed:""`
	Dir       string `required:"" placeholder:"DIR" help:"Folder of the copy; made if missing. One folder a mirror key, never restored from a backup."`
	MirrorKey string `required:"" placeholder:"FILE" help:"Key file (writ key new) of the key that cosigns here, and nowhere else."`
	Name      string `required:"" placeholder:"NAME" help:"The mirror's name in its cosignatures: an address without scheme, such as mirror.example/acme."`
	Listen    string `placeholder:"ADDR" help:"Serve the copy over HTTP at this address."`
}

// Help is the long text of writ log mirror --help.
func (logMirrorCmd) Help() string {
	return `Holds the entries of another's log, replays them as writ log monitor does, and cosigns each checkpoint whose entries it holds and
whose replay found nothing wrong. What its cosignature says is in protocol.md 18.3: trust files count mirrors on it. A log that was
found broken is never cosigned again, and of a fork only the side that was seen first.

    writ key new mirror.key --name mirror
    writ log mirror https://writ.acme.example/log --key writ.acme.example/log1+… --dir acme --mirror-key mirror.key \
        --name mirror.example/acme --listen 127.0.0.1:8480

The copy is in DIR/public, below the hexadecimal SHA-256 of the log's origin (C2SP tlog-mirror): checkpoint, with the cosignature,
and tiles. Any web server may serve it. The mirror's verifier key is printed on standard error; readers put it into their policy.

` + followHelp
}

func (c logMirrorCmd) Run(sys *system) error {
	cosigner, err := c.cosigner(sys)
	if err != nil {
		return err
	}
	o, err := c.options(sys, c.Dir)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		door, err := listen("listen", c.Listen)
		if err != nil {
			return err
		}
		server := c.serve(door)
		defer server.Close()
		fmt.Fprintf(sys.err, "serving http://%s/%s\n", door.Addr(), filepath.Base(monitor.Prefix(o.Origin)))
	}
	fmt.Fprintf(sys.err, "mirror key: %s\n", &cosigner.Verifier)
	return c.follow(sys, o, func(o monitor.Options) (steps, error) { return monitor.OpenMirror(o, cosigner.Cosign) })
}

func (c logMirrorCmd) cosigner(sys *system) (*log.Cosigner, error) {
	_, signer, err := readKey(sys, c.MirrorKey)
	if err != nil {
		return nil, err
	}
	public, err := signer.Ed25519()
	if err != nil {
		return nil, err
	}
	return log.NewCosigner(c.Name, public, signer.Sign)
}

// serve serves the copy to everybody who reaches the address. Full tiles and bundles never change; the rest does.
func (c logMirrorCmd) serve(door net.Listener) *http.Server {
	files := http.FileServer(http.Dir(filepath.Join(c.Dir, "public")))
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			if filepath.Base(r.URL.Path) == "checkpoint" {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				w.Header().Set("Cache-Control", "no-cache")
			}
			files.ServeHTTP(w, r)
		})}
	go func() {
		if err := server.Serve(door); !errors.Is(err, http.ErrServerClosed) {
			door.Close()
		}
	}()
	return server
}
