package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// dataArg is the data folder of commands that work on one while no server runs on it.
type dataArg struct {
	Data string `placeholder:"DIR" env:"WRIT_DATA" default:"writ-data" help:"Data folder. Default writ-data."`
}

// openData opens an existing data folder for one command: its log and journal, and nothing that answers or decides.
func openData(ctx context.Context, sys *system, dir string, readOnly bool) (*ledger, error) {
	if _, err := readIdentity(dir); err != nil {
		return nil, usage(fmt.Errorf("%s is no data folder: %w", dir, err))
	}
	f, err := openFolder(sys, &settings{Data: dir})
	if err != nil {
		return nil, err
	}
	l := &ledger{folder: f, sys: sys, logger: slog.New(slog.NewTextHandler(sys.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
		made: []io.Closer{f.lock}, readOnly: readOnly}
	l.trust = newTrustFile(f.path(trustName), l.logger)
	for _, open := range []func(context.Context) error{func(ctx context.Context) error { return l.openLog(ctx, &settings{}) }, l.openJournal} {
		if err := open(ctx); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// backupCmd is writ backup.
type backupCmd struct {
	To      string `arg:"" help:"Folder to make; it must not exist."`
	dataArg `embed:""`
}

// Help is the long text of writ backup --help.
func (backupCmd) Help() string {
	return `Copies a ledger while its server runs. The copy is of one committed moment: the database, and beside it the encrypted keys, the
identity and the trust file. The tiles of the log are not in it: they are a function of the entries. Neither is the guard, whose purpose
is to notice a restore, nor the passphrase: keep it elsewhere, too.

A backup is marked as one. No server starts on it; writ restore makes a ledger of it, under a new epoch and a successor log.`
}

// manifest says what a backup has.
type manifest struct {
	DID    string `json:"did"`
	Log    string `json:"log"` // that signs
	Epoch  int64  `json:"epoch"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Sha256 string `json:"sha256"` // of the database, hexadecimal
}

func (c *backupCmd) Run(sys *system) error {
	id, err := readIdentity(c.Data)
	if err != nil {
		return usage(fmt.Errorf("%s is no data folder: %w", c.Data, err))
	}
	if _, err := os.Lstat(c.To); err == nil {
		return usage(fmt.Errorf("%s: %w", c.To, fs.ErrExist))
	}
	if err := makeFolder(filepath.Join(c.To, "journal")); err != nil {
		return err
	}
	head, err := journal.Backup(context.Background(), filepath.Join(c.Data, journalFile), filepath.Join(c.To, journalFile), sys.now().UnixMilli())
	if err != nil {
		return err
	}
	if err := copyFiles(c.Data, c.To, keysFile, identityFile, trustName); err != nil {
		return err
	}
	sum, err := sumOf(filepath.Join(c.To, journalFile))
	if err != nil {
		return err
	}
	data, err := jcs.Marshal(manifest{id.DID, id.current().Origin, id.Epoch, head.Size, head.Root.String(), sum})
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(c.To, manifestFile), data); err != nil { // last: without it the backup is not whole
		return err
	}
	_, err = fmt.Fprintf(sys.out, "%s\n", data)
	return err
}

// manifestFile is what makes a backup whole.
const manifestFile = "backup.json"

// copyFiles copies small files that exist from one folder to another, durably.
func copyFiles(from, to string, names ...string) error {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = writeNew(filepath.Join(to, name), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// restoreCmd is writ restore.
type restoreCmd struct {
	From    string `arg:"" help:"A backup, or a copy of a data folder."`
	Origin  string `placeholder:"NAME" help:"Name of the successor log, never used before. Default: derived from the log's name and chance."`
	Epoch   int64  `placeholder:"N" help:"The new epoch, higher than any before. Default: one more than the backup's. Say a higher one if you restored an older backup since."`
	dataArg `embed:""`
}

// Help is the long text of writ restore --help.
func (restoreCmd) Help() string {
	return `Makes a data folder of a backup. DIR must not be there yet: the folder that was lost or is in doubt stays as it is, as evidence.

What was logged after the backup is not in it, so the ledger cannot go on as if nothing had happened: it could decide twice, and its
log key would sign two histories. It goes on under a new epoch, which every decision names, and with a successor log of a new key. Of
the old log only the entries that the backup has count from now on. The command prints that size: readers, executors and this ledger
need it in their trust files under "retired", with the new log's key, told by another way than this server.

Ask the executors for what they executed since the backup: their reports are taken and charged where the decision is known, and what
they began on a lost decision must be settled by people. API keys that were revoked since must be revoked again.`
}

func (c *restoreCmd) Run(sys *system) error {
	if _, err := os.Lstat(c.Data); err == nil {
		return &exit{exitRefused, fmt.Errorf("%s is there: name a folder that is not, or move this one away and keep it as evidence", c.Data)}
	}
	id, err := readIdentity(c.From)
	if err != nil {
		return usage(fmt.Errorf("%s is no backup: %w", c.From, err))
	}
	if c.Epoch == 0 {
		c.Epoch = id.Epoch + 1
	}
	if c.Epoch <= id.Epoch {
		return usage(fmt.Errorf("epoch %d: the backup is of epoch %d already", c.Epoch, id.Epoch))
	}
	if err := c.whole(); err != nil {
		return err
	}
	size, err := c.fill(sys)
	if err != nil {
		return err
	}
	l, err := c.carryOn(sys, size)
	if err != nil {
		return err
	}
	if err := errors.Join(l.publishOnce(context.Background()), l.close()); err != nil {
		return err
	}
	fmt.Fprintf(sys.out, "epoch %d\n", l.Epoch)
	return l.sayRetired(sys)
}

// whole refuses a backup whose database is not the one that was written.
func (c *restoreCmd) whole() error {
	data, err := os.ReadFile(filepath.Join(c.From, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a copy that somebody made by hand
	}
	var m manifest
	if err == nil {
		err = jcs.Unmarshal(data, &m)
	}
	if err != nil {
		return err
	}
	sum, err := sumOf(filepath.Join(c.From, journalFile))
	if err == nil && sum != m.Sha256 {
		err = &exit{exitFails, fmt.Errorf("%s is damaged: its database is not the one that was backed up", c.From)}
	}
	return err
}

// fill makes the folder. Its identity comes last: until then nothing starts on it.
func (c *restoreCmd) fill(sys *system) (size int64, err error) {
	for _, sub := range []string{"journal", "guard"} {
		if err := makeFolder(filepath.Join(c.Data, sub)); err != nil {
			return 0, err
		}
	}
	head, err := journal.Restore(context.Background(), filepath.Join(c.From, journalFile), filepath.Join(c.Data, journalFile))
	if err == nil && head.Size == 0 {
		err = &exit{exitRefused, fmt.Errorf("%s has no entries: start a new ledger instead", c.From)}
	}
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(sys.err, "the database has %d entries under %s\n", head.Size, head.Origin)
	return head.Size, copyFiles(c.From, c.Data, keysFile, passwordFile, trustName, identityFile)
}

// carryOn retires the log that the backup is of, and opens its successor: all tiles are made anew from the entries.
func (c *restoreCmd) carryOn(sys *system, size int64) (*ledger, error) {
	f, err := openFolder(sys, &settings{Data: c.Data})
	if err != nil {
		return nil, err
	}
	origin := c.Origin
	if origin == "" {
		var chance [3]byte
		if _, err := io.ReadFull(sys.random, chance[:]); err != nil {
			return nil, errors.Join(err, f.lock.Close())
		}
		origin = f.nextOrigin() + "-" + hex.EncodeToString(chance[:])
	}
	f.Next, f.Epoch = nil, c.Epoch
	err = f.markBoot("", sys.random) // this database is the one that starts here
	if err == nil {
		err = f.nextLog(sys, origin)
	}
	if err == nil {
		err = f.retire(size)
	}
	if err := errors.Join(err, f.lock.Close()); err != nil {
		return nil, err
	}
	return openData(context.Background(), sys, c.Data, false)
}

// logSucceedCmd is writ log succeed.
type logSucceedCmd struct {
	Origin  string `placeholder:"NAME" help:"Name of the successor, never used before. Default: the log's name with its last number one higher."`
	dataArg `embed:""`
}

// Help is the long text of writ log succeed --help.
func (logSucceedCmd) Help() string {
	return `Ends the log of a stopped server and carries its tree on under another name and a new key: for a yearly shard, or where the log's key
must be given up. The last entry of the old log names the new one, the first that the new one adds names the old one and its size.
From then on the old key signs nothing, and what is ever found behind that size does not count. Mandates keep the log name that they
have. A run that was cut short is finished by another one.`
}

func (c *logSucceedCmd) Run(sys *system) error {
	ctx := context.Background()
	size, err := c.end(ctx, sys)
	if err != nil || size == 0 {
		return err
	}
	if err := c.switchTo(sys, size); err != nil {
		return err
	}
	l, err := openData(ctx, sys, c.Data, false) // which adds the new log's first entry
	if err != nil {
		return err
	}
	if err := errors.Join(l.publishOnce(ctx), l.close()); err != nil {
		return err
	}
	return l.sayRetired(sys)
}

// end logs and publishes the old log's last entry. A crash before the entry leaves a log that goes on, one behind it a log that is
// frozen, where only the rest is to be done. Size 0 says that all of it is done.
func (c *logSucceedCmd) end(ctx context.Context, sys *system) (size int64, err error) {
	l, err := openData(ctx, sys, c.Data, false)
	frozen := reasonOf(err) == "log-frozen"
	if frozen {
		l, err = openData(ctx, sys, c.Data, true)
	}
	if err != nil {
		return 0, err
	}
	begun, err := l.justBegun()
	if err != nil {
		return 0, errors.Join(err, l.close())
	}
	if begun { // an earlier run has done it, and nothing was logged since
		return 0, errors.Join(l.publishOnce(ctx), l.sayRetired(sys), l.close())
	}
	if err = l.nextLog(sys, c.Origin); err == nil && !frozen {
		err = l.freeze(ctx)
	}
	if err == nil {
		_, err = l.log.Publish(ctx)
	}
	return l.log.Size(), errors.Join(err, l.close())
}

// justBegun says whether all that the log added to the tree that it carries on is its first entry, and at most the heads behind it.
func (l *ledger) justBegun() (bool, error) {
	n := len(l.Retired)
	if n == 0 || l.Next != nil {
		return false, nil
	}
	first := l.Retired[n-1].Size
	if added := l.log.Size() - first; added != 2 {
		return added == 1, nil
	}
	data, err := l.log.Entry(first + 1)
	if err != nil {
		return false, err
	}
	e, err := spec.ParseEntry(data)
	return err == nil && e.Kind == spec.EntryHeads, err
}

func (l *ledger) freeze(ctx context.Context) error {
	next, err := l.signerOf(*l.Next)
	if err == nil {
		_, err = l.journal.Freeze(ctx, l.Next.Origin, next.Verifier.String())
	}
	return err
}

// switchTo gives the new log its guard, over the tree as the old one left it, and then the ledger its new log. Each may be done again.
func (c *logSucceedCmd) switchTo(sys *system, size int64) error {
	f, err := openFolder(sys, &settings{Data: c.Data})
	if err != nil {
		return err
	}
	last, err := os.ReadFile(f.path(f.guard()))
	if err == nil {
		err = f.hand(last, size)
	}
	return errors.Join(err, f.lock.Close())
}

// hand signs the last checkpoint of the old log under the name of the new one.
func (f *folder) hand(last []byte, size int64) error {
	c, err := log.ReadCheckpoint(last)
	if err != nil {
		return err
	}
	if c.Size != size {
		return ends(exitUnchecked, "%s published %d of its %d entries", c.Origin, c.Size, size)
	}
	next, err := f.signerOf(*f.Next)
	if err != nil {
		return err
	}
	signed, err := log.Checkpoint{Origin: f.Next.Origin, Size: c.Size, Root: c.Root}.Sign(next)
	if err != nil {
		return err
	}
	after := identity{Retired: append([]retiredLog{{}}, f.Retired...)} // whose guard is the next one
	if err := replace(f.path(after.guard()), signed); err != nil {
		return err
	}
	return f.retire(size)
}

var _ verifier.Succession = (*journal.Journal)(nil)
