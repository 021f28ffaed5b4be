package keys

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/writ-trust/writ/did"
)

// A Store is a file of named keys, one for a data folder. Names are lower-case words such as "seal", "decision", "log" or
// "agent/treasury". One process writes it at a time; a change by another is noticed and refused. It is safe for concurrent use.
type Store struct {
	path       string
	passphrase passphrase

	adding sync.Mutex // held while the file is replaced, about a second; guards sealed
	sealed []byte     // the file's bytes as last read or written

	mu   sync.RWMutex // never held while encrypting: reading a key waits for no other being added
	keys []namedKey   // by name, rising; replaced as a whole, by who holds adding
}

// A NamedPublicKey is the public half of a key in a Store.
type NamedPublicKey struct {
	Name string
	Key  did.PublicKey
}

// CreateStore makes a file with no key in it. It replaces nothing (reason key-exists).
func CreateStore(path, words string, o Options) (*Store, error) {
	p, err := newPassphrase(words, o)
	if err != nil {
		return nil, err
	}
	sealed, err := seal(p, storeHeader, nil)
	if err != nil {
		return nil, err
	}
	if err := createFile(path, sealed); err != nil {
		return nil, err
	}
	return &Store{path: path, passphrase: p, sealed: sealed}, nil
}

// OpenStore reads a file that CreateStore made. Reasons: key-file-missing, key-file-mode, key-file-size, key-file-syntax, key-passphrase.
func OpenStore(path, words string, o Options) (*Store, error) {
	p, err := newPassphrase(words, o)
	if err != nil {
		return nil, err
	}
	keys, sealed, err := open(path, p, storeHeader)
	if err != nil {
		return nil, err
	}
	return &Store{path: path, passphrase: p, keys: keys, sealed: sealed}, nil
}

// List returns the public halves, by name.
func (s *Store) List() []NamedPublicKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]NamedPublicKey, len(s.keys))
	for i, k := range s.keys {
		list[i] = NamedPublicKey{k.name, k.signer.public}
	}
	return list
}

// Signer returns the key of that name. Reason: key-unknown.
func (s *Store) Signer(name string) (*Signer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, found := slices.BinarySearchFunc(s.keys, name, byName)
	if !found {
		return nil, &Error{Reason: "key-unknown", Path: s.path, Detail: fmt.Sprintf("has no key %q", name)}
	}
	return s.keys[i].signer, nil
}

func byName(k namedKey, name string) int { return cmp.Compare(k.name, name) }

// Add puts keys into the file, all of them or none; when it returns nil they are on disk. It replaces none.
// Encrypting takes as long as opening does, so add together what is made together; keys can be read meanwhile. Reasons: key-name, key-exists, key-file-changed.
func (s *Store) Add(signers map[string]*Signer) error {
	s.adding.Lock()
	defer s.adding.Unlock()
	keys := slices.Clone(s.keys)
	for name, signer := range signers {
		if !nameForm.MatchString(name) {
			return &Error{Reason: "key-name", Path: s.path, Detail: fmt.Sprintf("%q is not like \"agent/treasury\"", name)}
		}
		i, found := slices.BinarySearchFunc(keys, name, byName)
		if found {
			return &Error{Reason: "key-exists", Path: s.path, Detail: fmt.Sprintf("has a key %q; it is not replaced", name)}
		}
		keys = slices.Insert(keys, i, namedKey{name, signer})
	}
	return s.replace(keys)
}

// replace makes keys the content of the file, then of the Store. The caller holds adding.
func (s *Store) replace(keys []namedKey) error {
	onDisk, err := readFile(s.path)
	if err != nil {
		return err
	}
	if !bytes.Equal(onDisk, s.sealed) {
		return &Error{Reason: "key-file-changed", Path: s.path, Detail: "another process wrote it; open it again"}
	}
	sealed, err := seal(s.passphrase, storeHeader, keys)
	if err != nil {
		return err
	}
	if err := replaceFile(s.path, sealed); err != nil {
		return err
	}
	s.sealed = sealed
	s.mu.Lock()
	s.keys = keys
	s.mu.Unlock()
	return nil
}

// Format prints where the keys are and how many, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keystore %s (%d keys)", s.path, len(s.List()))
}

// WritePersonal makes a file with one key of one person, for `writ approve --key`. It replaces nothing (reason key-exists).
func WritePersonal(path, words, name string, signer *Signer, o Options) error {
	if !nameForm.MatchString(name) {
		return &Error{Reason: "key-name", Path: path, Detail: fmt.Sprintf("%q is not like \"treasurer\"", name)}
	}
	p, err := newPassphrase(words, o)
	if err != nil {
		return err
	}
	sealed, err := seal(p, personalHeader, []namedKey{{name, signer}})
	if err != nil {
		return err
	}
	return createFile(path, sealed)
}

// ReadPersonal reads what WritePersonal wrote: the name and the key. Reasons as for OpenStore.
func ReadPersonal(path, words string) (string, *Signer, error) {
	p, err := newPassphrase(words, Options{})
	if err != nil {
		return "", nil, err
	}
	keys, _, err := open(path, p, personalHeader)
	if err != nil {
		return "", nil, err
	}
	if len(keys) != 1 {
		return "", nil, &Error{Reason: "key-file-syntax", Path: path, Detail: "a person's file has exactly one key"}
	}
	return keys[0].name, keys[0].signer, nil
}

func seal(p passphrase, header string, keys []namedKey) ([]byte, error) {
	plain, err := format(header, keys)
	if err != nil {
		return nil, err
	}
	return p.encrypt(plain)
}

// open reads, decrypts and parses a file; its errors name the path.
func open(path string, p passphrase, header string) (keys []namedKey, sealed []byte, err error) {
	sealed, err = readFile(path)
	if err != nil {
		return nil, nil, err
	}
	plain, err := p.decrypt(sealed)
	if err == nil {
		keys, err = parse(header, plain)
	}
	var refusal *Error
	if errors.As(err, &refusal) {
		refusal.Path = path
	}
	return keys, sealed, err
}
