package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// A server's data folder. journal and log are the backup unit: they are copied and restored together. The guard is not in it,
// since its purpose is to notice that the rest was restored.
const (
	journalFile   = "journal/writ.db"
	journalBoot   = "journal/boot"
	logFolder     = "log"
	guardFile     = "guard/checkpoint"
	guardBoot     = "guard/boot"
	keysFile      = "keys"
	passwordFile  = "passphrase"
	identityFile  = "ledger.json"
	trustName     = "trust.json"
	adminFile     = "admin.key"
	lockFile      = "lock"
	devMark       = "dev" // writ dev marks its folder
	maxTrustBytes = 256 << 10
)

// Names of the server's keys.
const (
	sealKey     = "seal"
	decisionKey = "decision"
	logKey      = "log"
)

// identity is what a ledger is called. Mandates name its DID and its first log, so these never change.
type identity struct {
	DID     string       `json:"did"`
	Log     string       `json:"log"` // origin
	Epoch   int64        `json:"epoch"`
	Signs   *logName     `json:"signs,omitempty"`   // the log that signs now, where it is a successor
	Next    *logName     `json:"next,omitempty"`    // its successor, while it is being made
	Retired []retiredLog `json:"retired,omitempty"` // the logs that ended, oldest first
}

// readIdentity fails with fs.ErrNotExist where there is no ledger yet.
func readIdentity(dir string) (identity, error) {
	data, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return identity{}, err
	}
	var id identity
	if err := jcs.Unmarshal(data, &id); err != nil {
		return identity{}, fmt.Errorf("%s: %w", identityFile, err)
	}
	return id, nil
}

// folder is an open data folder: locked, its keys readable.
type folder struct {
	dir  string
	lock io.Closer
	keys *keys.Store
	identity
}

// openFolder opens the data folder, or makes it: keys, then the identity that their names may depend on.
func openFolder(sys *system, s *settings) (*folder, error) {
	for _, sub := range []string{"journal", "guard"} {
		if err := makeFolder(filepath.Join(s.Data, sub)); err != nil {
			return nil, err
		}
	}
	lock, err := log.OS{}.Lock(filepath.Join(s.Data, lockFile))
	if err != nil {
		return nil, heldElsewhere(s.Data)
	}
	f := &folder{dir: s.Data, lock: lock}
	if err := f.open(sys, s); err != nil {
		lock.Close()
		return nil, err
	}
	return f, nil
}

// makeFolder makes a folder, and those above it, durably: syncing what is in a folder does not bring its own name to the disk.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if err := makeFolder(filepath.Dir(dir)); err != nil {
			return err
		}
		return makeFolder(dir)
	case err != nil:
		return err
	}
	return log.OS{}.SyncDir(filepath.Dir(dir))
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *folder) open(sys *system, s *settings) error {
	defer debug.FreeOSMemory() // deriving a key of the passphrase takes hundreds of megabytes, which nothing needs again
	words, err := f.passphrase(sys)
	if err != nil {
		return err
	}
	f.keys, err = keys.OpenStore(f.path(keysFile), words, keys.Options{})
	if reasonOf(err) == "key-file-missing" {
		f.keys, err = keys.CreateStore(f.path(keysFile), words, keys.Options{})
	}
	if err == nil && len(f.keys.List()) == 0 { // new, or a crash came between making the file and the keys
		err = f.makeKeys(sys)
	}
	if err != nil {
		return err
	}
	f.identity, err = readIdentity(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f.makeIdentity(s)
	}
	return err
}

// passphrase of the keystore: WRIT_PASSPHRASE, else the file beside it, made with the keys if there is neither.
func (f *folder) passphrase(sys *system) (string, error) {
	words, _, err := f.knownPassphrase()
	if _, missing := os.Stat(f.path(keysFile)); err == nil || missing == nil {
		return words, err
	}
	var random [24]byte
	if _, err := io.ReadFull(sys.random, random[:]); err != nil {
		return "", err
	}
	words = jcs.EncodeBase64(random[:])
	fmt.Fprintf(sys.err, "made a passphrase for the server's keys: %s; keep it elsewhere and set WRIT_PASSPHRASE\n", f.path(passwordFile))
	return words, writeNew(f.path(passwordFile), []byte(words+"\n"))
}

// knownPassphrase is the one that was given, and where it came from.
func (f *folder) knownPassphrase() (words, from string, err error) {
	if words, ok := os.LookupEnv("WRIT_PASSPHRASE"); ok {
		return words, "WRIT_PASSPHRASE", nil
	}
	data, err := os.ReadFile(f.path(passwordFile))
	if err != nil {
		return "", "", usage(fmt.Errorf("%s is encrypted: set WRIT_PASSPHRASE", f.path(keysFile)))
	}
	return strings.TrimSuffix(string(data), "\n"), f.path(passwordFile), nil
}

func (f *folder) makeKeys(sys *system) error {
	made := map[string]*keys.Signer{}
	for _, name := range []string{sealKey, decisionKey, logKey} {
		key, err := keys.Generate(keys.Ed25519, sys.random)
		if err != nil {
			return err
		}
		made[name] = key
	}
	return f.keys.Add(made)
}

func (f *folder) makeIdentity(s *settings) error {
	decision, err := f.keys.Signer(decisionKey)
	if err != nil {
		return err
	}
	f.identity = identity{DID: s.DID, Log: s.LogOrigin, Epoch: 1}
	if f.DID == "" {
		f.DID = decision.Public().DID()
	}
	if f.Log == "" {
		f.Log = originOf(f.DID)
	}
	data, err := jcs.Marshal(f.identity)
	if err != nil {
		return err
	}
	return writeNew(f.path(identityFile), data)
}

// originOf derives the name of a ledger's log: the host of a did:web, the last letters of another DID.
func originOf(id string) string {
	if host, ok := strings.CutPrefix(id, "did:web:"); ok {
		host, _, _ = strings.Cut(host, ":")
		return strings.ReplaceAll(host, "%3A", ":") + "/log1"
	}
	return "localhost/" + id[len(id)-12:]
}

// logSigner signs checkpoints.
func (f *folder) logSigner() (*log.Signer, error) {
	return f.signerOf(f.current())
}

// sealID is how the seal's key is called in rosters and proofs.
func sealID(seal *keys.Signer) string { return did.MethodID(seal.Public().DID()) }

// boots are the starts that one side of the backup unit's border remembers. The newest is remembered on both sides: a database that
// was restored from a backup knows an older one than the guard does.
type boots struct {
	Boots []string `json:"boots"`
}

// checkBoot refuses a database that is not the one that was started last.
func (f *folder) checkBoot() (last string, err error) {
	var guard boots
	data, err := os.ReadFile(f.path(guardBoot))
	if err == nil {
		err = json.Unmarshal(data, &guard)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", f.path(guardBoot), err)
	}
	known, err := os.ReadFile(f.path(journalBoot))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	switch {
	case slices.Contains(guard.Boots, string(known)):
		return string(known), nil
	case len(guard.Boots) == 0 && len(known) == 0 && f.entries() == 0:
		return "", nil // never started
	}
	return "", &exit{exitRefused, spec.Refuse("database-other", "", "the database in %s has %d entries and was started as %q; the one started last in this folder was %q. "+
		"Starting it could decide twice", f.dir, f.entries(), known, strings.Join(guard.Boots, " or "))}
}

// entries is how many the database has, 0 where there is none.
func (f *folder) entries() int64 {
	c, err := journal.Tip(context.Background(), f.path(journalFile))
	if err != nil {
		return 0
	}
	return c.Size
}

// markBoot remembers this start, once the database is known to be the right one.
//
// Order: the guard learns of the new start, then the journal's side, then the guard forgets the old. A crash in between leaves a
// guard that knows both.
func (f *folder) markBoot(last string, random io.Reader) error {
	var id [16]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return err
	}
	next := jcs.EncodeBase64(id[:])
	for _, step := range []func() error{
		func() error { return f.writeBoots(last, next) },
		func() error { return replace(f.path(journalBoot), []byte(next)) },
		func() error { return f.writeBoots(next) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) writeBoots(all ...string) error {
	data, err := json.Marshal(boots{all})
	if err != nil {
		return err
	}
	return replace(f.path(guardBoot), data)
}

// writeNew writes a file that only its owner may read and that must not exist, as a whole or not at all; when it returns nil the
// bytes are on disk.
func writeNew(path string, data []byte) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	return replace(path, data)
}

func writeOwn(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

// replace writes a file as a whole or not at all, durably.
func replace(path string, data []byte) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeOwn(temporary, data); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return log.OS{}.SyncDir(filepath.Dir(path))
}

// trustFile is the ledger's own trust file, read again whenever it changes. Absent, it trusts nobody; what cannot be read trusts
// nobody either, since unknown means no.
type trustFile struct {
	path   string
	logger *slog.Logger

	mu    sync.Mutex
	seen  string // what the file looked like when it was read
	trust *verifier.Trust
	bad   bool // it is there and does not read
}

func newTrustFile(path string, logger *slog.Logger) *trustFile {
	return &trustFile{path: path, logger: logger, trust: &verifier.Trust{}}
}

// get is what the file says now.
func (t *trustFile) get() *verifier.Trust {
	t.mu.Lock()
	defer t.mu.Unlock()
	looks := "absent"
	if info, err := os.Stat(t.path); err == nil {
		looks = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	}
	if looks == t.seen {
		return t.trust
	}
	trust, err := t.read()
	t.bad = err != nil && !errors.Is(err, fs.ErrNotExist)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		trust = &verifier.Trust{}
	case err != nil:
		t.logger.Error("the trust file cannot be read, so nobody is trusted", "file", t.path, "err", err)
		trust = &verifier.Trust{}
	default:
		t.logger.Info("trust file read", "file", t.path, "fingerprint", trust.Fingerprint(), "rosters", len(trust.Rosters))
	}
	t.seen, t.trust = looks, trust
	return trust
}

// reads says whether the file reads, if it is there.
func (t *trustFile) reads() bool {
	t.get()
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.bad
}

func (t *trustFile) read() (*verifier.Trust, error) {
	info, err := os.Stat(t.path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxTrustBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxTrustBytes)
	}
	data, err := os.ReadFile(t.path)
	if err != nil {
		return nil, err
	}
	return verifier.ParseTrust(data)
}
