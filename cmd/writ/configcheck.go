package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
)

type configCheckCmd struct {
	settings `embed:""`
	JSON     bool `name:"json" help:"Print JSON."`
}

// Help is the long text of writ config check --help.
func (configCheckCmd) Help() string {
	return `Tries what writ serve does before it answers, and leaves everything as it was:

    settings    each has its form, and the folder keeps the ledger that they ask for
    folder      it can be written, or made
    lock        no other process has it open
    keys        the passphrase (WRIT_PASSPHRASE, or the file beside) opens them
    trust file  it reads, if it is there
    witnesses   their policy reads; nobody is asked
    mirrors     the same
    addresses   they can be listened on

` + configHelp
}

// A tried is one line of the answer.
type tried struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func (c *configCheckCmd) Run(sys *system, ctx *kong.Context) error {
	if _, err := c.resolve(ctx); err != nil {
		return err
	}
	var all []tried
	var failed error
	for _, t := range []struct {
		name string
		try  func() (string, error)
	}{{"settings", c.trySettings}, {"folder", c.tryFolder}, {"lock", c.tryLock}, {"keys", c.tryKeys}, {"trust file", c.tryTrust}, {"witnesses", func() (string, error) { return tryPolicy(c.Witnesses) }},
		{"mirrors", func() (string, error) { return tryPolicy(c.Mirrors) }}, {"addresses", c.tryAddresses}} {
		saw, err := t.try()
		if err != nil {
			saw = err.Error()
		}
		if failed == nil {
			failed = err
		}
		all = append(all, tried{t.name, err == nil, saw})
	}
	return errors.Join(c.print(sys, all, failed == nil), failed)
}

func (c *configCheckCmd) print(sys *system, all []tried, ok bool) error {
	if c.JSON {
		return printJSON(sys.out, map[string]any{"ok": ok, "checks": all})
	}
	var rows [][]string
	for _, t := range all {
		rows = append(rows, []string{t.Name, map[bool]string{true: "ok", false: "fails"}[t.OK], t.Detail})
	}
	table(sys.out, rows)
	return nil
}

func (c *configCheckCmd) trySettings() (string, error) {
	_, err := c.check()
	return "each has its form", err
}

// tryFolder writes into the folder, or, where there is none yet, into the one in which it would be made.
func (c *configCheckCmd) tryFolder() (string, error) {
	dir, saw := c.Data, c.Data+" can be written"
	for {
		_, err := os.Stat(dir)
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir, saw = filepath.Dir(dir), c.Data+" is not there: writ serve makes it"
	}
	f, err := os.CreateTemp(dir, ".writ-check-")
	if err != nil {
		return "", ends(exitUnchecked, "%s cannot be written: %w", dir, err)
	}
	return saw, errors.Join(f.Close(), os.Remove(f.Name()))
}

func (c *configCheckCmd) tryLock() (string, error) {
	path := filepath.Join(c.Data, lockFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "nobody has opened it yet", nil
	}
	lock, err := log.OS{}.Lock(path)
	if err != nil {
		return "", heldElsewhere(c.Data)
	}
	return "no other process has it open", lock.Close()
}

func heldElsewhere(dir string) error {
	return ends(exitRefused, "another writ serve has %s open: one process keeps a ledger", dir)
}

// tryKeys opens the server's keys with the passphrase that writ serve would use.
func (c *configCheckCmd) tryKeys() (string, error) {
	f := &folder{dir: c.Data}
	if _, err := os.Stat(f.path(keysFile)); errors.Is(err, fs.ErrNotExist) {
		return "there are none yet: writ serve makes them", nil
	}
	words, from, err := f.knownPassphrase()
	if err != nil {
		return "", err
	}
	store, err := keys.OpenStore(f.path(keysFile), words, keys.Options{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s opens %d", from, len(store.List())), nil
}

func (c *configCheckCmd) tryTrust() (string, error) {
	t := newTrustFile(filepath.Join(c.Data, trustName), nil)
	trust, err := t.read()
	if errors.Is(err, fs.ErrNotExist) {
		return "there is none: nobody is trusted yet", nil
	}
	if err != nil {
		return "", &exit{exitTrust, fmt.Errorf("%s: %w", t.path, err)}
	}
	return trust.Fingerprint(), nil
}

func tryPolicy(file string) (string, error) {
	if file == "" {
		return "there are none", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", usage(err)
	}
	policy, err := log.ParsePolicy(text)
	if err != nil {
		return "", usage(fmt.Errorf("%s: %w", file, err))
	}
	return fmt.Sprintf("%s names %d", file, len(policy.Witnesses())), nil
}

func (c *configCheckCmd) tryAddresses() (string, error) {
	d, err := c.openDoors()
	if err != nil {
		return "", err
	}
	defer d.close()
	return strings.TrimSuffix(c.Listen+" and "+c.MetricsListen, " and "), nil
}
