package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/witness"
)

// witnessCmd is writ witness.
type witnessCmd struct {
	Data   string `default:"writ-witness" env:"WRIT_WITNESS_DATA" help:"Folder of the key and the state; made if missing."`
	Name   string `placeholder:"NAME" env:"WRIT_WITNESS_NAME" help:"Name of the witness, such as witness.example/w1, fixed at the first start."`
	Logs   string `required:"" placeholder:"FILE" help:"Policy (C2SP tlog-policy) whose log lines are the logs to witness."`
	Listen string `default:"127.0.0.1:8468" help:"Address to listen on; port 0 takes a free one."`
}

// Help is the long text of writ witness --help.
func (witnessCmd) Help() string {
	return `A witness (C2SP tlog-witness) cosigns a checkpoint of a log if it continues the one that it cosigned last, and nothing else. It says
nothing of what the entries say. FILE has the logs, each with the key whose name is its origin:

    log writ.acme.example/log1+…+…
    quorum none

Its verifier key, for the policies of others, and then its address are printed on standard output once it answers. Checkpoints go to
ADDRESS/add-checkpoint; monitors read ADDRESS/HASH/checkpoint, HASH being the SHA-256 of the origin in hexadecimal.

The folder has
    keys, passphrase    the key, encrypted; set WRIT_PASSPHRASE and keep the passphrase elsewhere
    witness.json        the name
    state/              what was cosigned last of each log. Never restore it from a backup: it could then cosign a fork. If it is
                        lost, make a new folder, which has a new key`
}

const (
	witnessKey      = "witness"
	witnessIdentity = "witness.json"
	witnessState    = "state"
)

// namedWitness is a witness's name, as witness.json has it.
type namedWitness struct {
	Name string `json:"name"`
}

func (c *witnessCmd) Run(sys *system) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(sys.err, nil))
	logs, err := c.logs()
	if err != nil {
		return usage(fmt.Errorf("%s: %w", c.Logs, err))
	}
	door, err := listen("listen", c.Listen) // before any folder is made
	if err != nil {
		return err
	}
	defer door.Close()
	key, err := c.openKey(sys)
	if err != nil {
		return err
	}
	w, err := witness.Open(witness.Options{Dir: (&folder{dir: c.Data}).path(witnessState), Key: key, Logs: logs, Now: sys.now})
	if err != nil {
		return err
	}
	fmt.Fprintf(sys.out, "%s\nhttp://%s\n", w.Key(), door.Addr())
	return errors.Join(serveWitness(ctx, w, door, logger), w.Close())
}

// logs are the keys of the policy's logs; its witnesses and its quorum are not a witness's business.
func (c *witnessCmd) logs() ([]*log.Verifier, error) {
	text, err := os.ReadFile(c.Logs)
	if err != nil {
		return nil, err
	}
	policy, err := log.ParsePolicy(text)
	if err == nil && len(policy.Logs()) == 0 {
		err = errors.New("it names no log")
	}
	if err != nil {
		return nil, err
	}
	return policy.Logs(), nil
}

// openKey opens the folder's key, or makes folder and key. The state is there before the key, so a key without it has lost it.
func (c *witnessCmd) openKey(sys *system) (*log.Cosigner, error) {
	f := &folder{dir: c.Data}
	state, err := os.Stat(f.path(witnessState))
	_, missing := os.Stat(f.path(keysFile))
	switch {
	case errors.Is(missing, fs.ErrNotExist):
		if err := makeFolder(f.path(witnessState)); err != nil {
			return nil, err
		}
	case err != nil || !state.IsDir():
		return nil, ends(exitRefused, "%s has a key, but what it cosigned is gone: begin with a new key in a new folder", c.Data)
	}
	name, err := c.fixName(f)
	if err != nil {
		return nil, err
	}
	signer, err := f.witnessSigner(sys)
	if err != nil {
		return nil, err
	}
	public, err := signer.Ed25519()
	if err != nil {
		return nil, err
	}
	return log.NewCosigner(name, public, signer.Sign)
}

// fixName is the witness's name: policies have it, so it never changes.
func (c *witnessCmd) fixName(f *folder) (string, error) {
	data, err := os.ReadFile(f.path(witnessIdentity))
	if errors.Is(err, fs.ErrNotExist) {
		if c.Name == "" || strings.ContainsAny(c.Name, " +\t\n") {
			return "", usage(errors.New("--name names the witness, without a space or a plus, such as witness.example/w1"))
		}
		if data, err = jcs.Marshal(namedWitness{c.Name}); err != nil {
			return "", err
		}
		return c.Name, writeNew(f.path(witnessIdentity), data)
	}
	var n namedWitness
	if err == nil {
		err = jcs.Unmarshal(data, &n)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", witnessIdentity, err)
	}
	if c.Name != "" && c.Name != n.Name {
		return "", ends(exitRefused, "%s is the witness %s; policies name it, so it never changes", c.Data, n.Name)
	}
	return n.Name, nil
}

// witnessSigner opens the one key of a witness, or makes it.
func (f *folder) witnessSigner(sys *system) (*keys.Signer, error) {
	words, err := f.passphrase(sys)
	if err != nil {
		return nil, err
	}
	f.keys, err = keys.OpenStore(f.path(keysFile), words, keys.Options{})
	if reasonOf(err) == "key-file-missing" {
		f.keys, err = keys.CreateStore(f.path(keysFile), words, keys.Options{})
	}
	if err != nil {
		return nil, err
	}
	if len(f.keys.List()) == 0 { // new, or a crash came between making the file and the key
		key, err := keys.Generate(keys.Ed25519, sys.random)
		if err != nil {
			return nil, err
		}
		if err := f.keys.Add(map[string]*keys.Signer{witnessKey: key}); err != nil {
			return nil, err
		}
	}
	return f.keys.Signer(witnessKey)
}

// serveWitness answers until ctx ends.
func serveWitness(ctx context.Context, w *witness.Witness, door net.Listener, logger *slog.Logger) error {
	server := &http.Server{Handler: w.Handler(logger), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(door) }()
	logger.Info("witnessing", "witness", w.Key().String())
	select {
	case err := <-failed:
		return ends(exitUnchecked, "%w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return server.Shutdown(patience)
}
