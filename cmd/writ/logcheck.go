package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/monitor"
)

type logCheckCmd struct {
	Source string `arg:"" help:"Data folder of a server, folder with a copy of a log, or address of a log."`
	Key    string `placeholder:"VKEY" xor:"whose" help:"The log's verifier key, NAME+ID+KEY."`
	Policy string `placeholder:"FILE" xor:"whose" help:"Instead of --key: a C2SP tlog-policy, whose quorum the checkpoint must meet."`
	Origin string `placeholder:"NAME" help:"Which log of the policy, where it has several."`
	Plain  bool   `help:"Rebuild the tree alone: a log that is none of Writ's."`
	JSON   bool   `name:"json" help:"Print a JSON object a damage, and one of the summary."`
}

// Help is the long text of writ log check --help.
func (logCheckCmd) Help() string {
	return `Rebuilds the tree and the heads of a log from its entries, and holds every tile, every bundle of entries, the checkpoint and, in a
data folder, the journal's entries against them. A changed bit in any of them is found, and its file and place are said: where an
entry and its leaf hash differ, the signed root says which of the two is wrong. It changes nothing and may run beside a server.

The key of a data folder's log is read from its keys, for which the passphrase must be known (WRIT_PASSPHRASE, or the file beside
them); or it is given with --key or --policy.

Exit codes: 0 the log is what was signed; 1 something is damaged or against the rules; 2 usage; 3 the log's key is not known;
4 it could not be read.`
}

// checkedLog is the summary of a check.
type checkedLog struct {
	Origin      string `json:"origin"`
	Size        int64  `json:"size"`
	Root        string `json:"root"`
	Journal     bool   `json:"journal"`               // it was there, too
	Unpublished int64  `json:"unpublished,omitempty"` // entries of the journal beyond the checkpoint
	Damages     int    `json:"damages"`
}

func (c logCheckCmd) Run(sys *system) error {
	o, err := c.options(sys)
	if err != nil {
		return err
	}
	var sum checkedLog
	o.Found = func(d monitor.Damage) error {
		sum.Damages++
		if c.JSON {
			return printLine(sys.out, d)
		}
		_, err := fmt.Fprintln(sys.out, damageLine(d))
		return err
	}
	entries, stop, err := c.journal()
	if err != nil {
		return err
	}
	defer stop()
	o.Journal, sum.Journal = entries, entries != nil
	head, err := monitor.Check(context.Background(), o)
	if err != nil {
		return &exit{exitUnchecked, err}
	}
	sum.Origin, sum.Size, sum.Root = head.Origin, head.Size, head.Root.String()
	if sum.Damages == 0 && entries != nil {
		if sum.Unpublished, err = count(entries); err != nil {
			return &exit{exitUnchecked, err}
		}
	}
	return c.print(sys, sum)
}

func (c logCheckCmd) print(sys *system, sum checkedLog) error {
	var err error
	if c.JSON {
		err = printLine(sys.out, map[string]checkedLog{"summary": sum})
	} else if sum.Damages == 0 {
		rows := [][]string{{"log", sum.Origin}, {"entries", fmt.Sprint(sum.Size)}, {"root", sum.Root}}
		if sum.Journal {
			rows = append(rows, []string{"journal", fmt.Sprintf("agrees, and has %d entries that no published checkpoint covers", sum.Unpublished)})
		}
		table(sys.out, rows)
	}
	if err == nil && sum.Damages > 0 {
		err = silent(exitFails)
	}
	return err
}

// damageLine is a damage for people: file, place, and what is wrong.
func damageLine(d monitor.Damage) string {
	where := []string{d.File}
	if d.Index != nil {
		where = append(where, fmt.Sprintf("entry %d", *d.Index))
	}
	if d.Offset > 0 {
		where = append(where, fmt.Sprintf("byte %d", d.Offset))
	}
	text := strings.Join(where, ", ") + ": " + d.Detail
	if d.Reason != "" {
		text += " (" + d.Reason + ")"
	}
	return text
}

func (c logCheckCmd) options(sys *system) (o monitor.CheckOptions, err error) {
	o = monitor.CheckOptions{Parse: entryOf, Progress: advances(sys, "checking entries")}
	if c.Plain {
		o.Parse = nil
	}
	if strings.HasPrefix(c.Source, "http://") || strings.HasPrefix(c.Source, "https://") {
		o.Source = logAt(c.Source)
	} else {
		folder, err := c.folder()
		if err == nil {
			_, err = os.Stat(folder.Checkpoint)
		}
		if err != nil {
			return o, &exit{exitUnchecked, err}
		}
		o.Source, o.Growing = folder, folder.Growing
		if !folder.Growing {
			if o.Partial, err = folder.Files(); err != nil {
				return o, &exit{exitUnchecked, err}
			}
		}
	}
	o.Policy, o.Origin, err = c.whose()
	return o, err
}

func (c logCheckCmd) served() bool {
	_, err := os.Stat(filepath.Join(c.Source, identityFile))
	return err == nil
}

// folder is the log in a data folder, or in a folder that is a copy of one.
func (c logCheckCmd) folder() (monitor.Folder, error) {
	if c.served() {
		guard, err := guardIn(c.Source)
		return monitor.Folder{Dir: filepath.Join(c.Source, logFolder), Checkpoint: guard, Growing: true}, err
	}
	return monitor.Folder{Dir: c.Source, Checkpoint: filepath.Join(c.Source, "checkpoint")}, nil
}

// whose is the policy that the checkpoint must meet.
func (c logCheckCmd) whose() (*log.Policy, string, error) {
	if c.Key != "" || c.Policy != "" {
		return policyFrom(c.Key, c.Policy, c.Origin)
	}
	if !c.served() {
		return nil, "", ends(exitTrust, "whose log is it? --key or --policy says so")
	}
	f := &folder{dir: c.Source}
	words, _, err := f.knownPassphrase()
	if err != nil {
		return nil, "", ends(exitTrust, "the log's key is not known: give --key, or %w", err)
	}
	if f.keys, err = keys.OpenStore(f.path(keysFile), words, keys.Options{}); err != nil {
		return nil, "", &exit{exitTrust, err}
	}
	if f.identity, err = readIdentity(c.Source); err != nil {
		return nil, "", &exit{exitTrust, err}
	}
	signer, err := f.logSigner()
	if err != nil {
		return nil, "", &exit{exitTrust, err}
	}
	return log.NewPolicy(&signer.Verifier), signer.Name(), nil
}

// journal gives the entries of the data folder's journal, one after the other; nil where there is none.
func (c logCheckCmd) journal() (next func() ([]byte, bool, error), stop func(), err error) {
	path := filepath.Join(c.Source, filepath.FromSlash(journalFile))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, func() {}, nil
	} else if err != nil {
		return nil, nil, &exit{exitUnchecked, err}
	}
	pull, stop := iter.Pull2(journal.Entries(context.Background(), path))
	return func() ([]byte, bool, error) {
		entry, err, ok := pull()
		return entry, ok, err
	}, stop, nil
}

// count is how many entries follow.
func count(next func() ([]byte, bool, error)) (n int64, err error) {
	for {
		_, ok, err := next()
		if err != nil || !ok {
			return n, err
		}
		n++
	}
}
