package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// logName is a log that a ledger signs, or will sign: its origin, and the name of its key in the keystore.
type logName struct {
	Origin string `json:"origin"`
	Key    string `json:"key"`
}

// retiredLog is a log that has ended: its verifier key, and how many of its entries count.
type retiredLog struct {
	Origin string `json:"origin"`
	Key    string `json:"key"`
	Size   int64  `json:"size"`
}

// current is the log that signs now. The first one has the name that mandates use for ever.
func (id *identity) current() logName {
	if id.Signs != nil {
		return *id.Signs
	}
	return logName{id.Log, logKey}
}

// guard is the file that remembers what the current log published. Each log has its own, so that the last word of one that ended stays.
func (id *identity) guard() string {
	if n := len(id.Retired); n > 0 {
		return guardFile + "-" + strconv.Itoa(n+1)
	}
	return guardFile
}

// carry is what the current log carries on, nil for the first log of a ledger.
func (id *identity) carry() *journal.Carry {
	if len(id.Retired) == 0 {
		return nil
	}
	last := id.Retired[len(id.Retired)-1]
	return &journal.Carry{Origin: id.current().Origin, Entry: spec.Successor(last.Origin, last.Key, last.Size)}
}

// nextOrigin is what a successor is called where nobody says: the name with its last number one higher.
func (id *identity) nextOrigin() string {
	name := id.current().Origin
	stem := strings.TrimRight(name, "0123456789")
	n, err := strconv.Atoi(name[len(stem):])
	if err != nil {
		return name + "/2"
	}
	return stem + strconv.Itoa(n+1)
}

// checkOrigin refuses the name of a log that there has been, and what is no name.
func (id *identity) checkOrigin(origin string) error {
	used := origin == id.Log || origin == id.current().Origin
	for _, r := range id.Retired {
		used = used || r.Origin == origin
	}
	if used || origin == "" || strings.ContainsAny(origin, " +\t\n") {
		return usage(fmt.Errorf("origin: %q is the name of a log of this ledger already, or none at all", origin))
	}
	return nil
}

// writeIdentity replaces what the ledger is called, as a whole or not at all.
func (f *folder) writeIdentity() error {
	data, err := jcs.Marshal(f.identity)
	if err != nil {
		return err
	}
	return replace(f.path(identityFile), data)
}

// nextLog names the successor and makes its key, once: a run that was cut short finds both.
func (f *folder) nextLog(sys *system, origin string) error {
	if f.Next != nil {
		return nil
	}
	if origin == "" {
		origin = f.nextOrigin()
	}
	if err := f.checkOrigin(origin); err != nil {
		return err
	}
	next := logName{origin, logKey + "/" + strconv.Itoa(len(f.Retired)+2)}
	if _, err := f.keys.Signer(next.Key); err != nil {
		key, err := keys.Generate(keys.Ed25519, sys.random)
		if err != nil {
			return err
		}
		if err := f.keys.Add(map[string]*keys.Signer{next.Key: key}); err != nil {
			return err
		}
	}
	f.Next = &next
	return f.writeIdentity()
}

// retire makes the next log the one that signs, from the size on at which the present one ended.
func (f *folder) retire(size int64) error {
	present, err := f.signerOf(f.current())
	if err != nil {
		return err
	}
	f.Retired = append(f.Retired, retiredLog{f.current().Origin, present.Verifier.String(), size})
	f.Signs, f.Next = f.Next, nil
	return f.writeIdentity()
}

// signerOf signs the checkpoints of a log.
func (f *folder) signerOf(name logName) (*log.Signer, error) {
	key, err := f.keys.Signer(name.Key)
	if err != nil {
		return nil, err
	}
	public, err := key.Ed25519()
	if err != nil {
		return nil, err
	}
	return log.NewSigner(name.Origin, public, key.Sign)
}

// sayRetired tells the operator what readers need in their trust files.
func (f *folder) sayRetired(sys *system) error {
	signer, err := f.logSigner()
	if err != nil {
		return err
	}
	for _, r := range f.Retired {
		fmt.Fprintf(sys.out, "retired %s %d\n", r.Origin, r.Size)
	}
	fmt.Fprintf(sys.out, "log %s\n", signer.Verifier.String())
	last := f.Retired[len(f.Retired)-1]
	fmt.Fprintf(sys.err, "Readers, executors and this ledger itself need both lines in their trust files, told by another way than this server:\n"+
		"  \"policy\" with the new log line, and \"retired\":[{\"origin\":%q,\"size\":%d}]\n", last.Origin, last.Size)
	return nil
}

// publishedIn is the last published checkpoint in a data folder, whether a server runs on it or not.
func publishedIn(dir string) ([]byte, error) {
	path, err := guardIn(dir)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// guardIn is the file with the last published checkpoint in a data folder: that of the log that signs now.
func guardIn(dir string) (string, error) {
	id, err := readIdentity(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return filepath.Join(dir, filepath.FromSlash(id.guard())), nil
}
