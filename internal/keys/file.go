package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
)

// First lines of the plaintext: what kind of file it is.
const (
	storeHeader    = "writ-keystore/v1"
	personalHeader = "writ-key/v1"
)

// MaxFileSize is the largest key file read or written, in bytes: room for about 8,000 keys.
const MaxFileSize = 1 << 20

// Work factors of scrypt: a passphrase costs 2^factor blocks of 1 KiB to try. A file that asks for more than the largest is refused,
// since reading it would take all memory (2^20: 1 GiB).
const (
	defaultWorkFactor = 18 // 256 MiB, about a second
	maxWorkFactor     = 20
)

// Options of a key file. The zero value is right outside tests.
type Options struct {
	// WorkFactor is the logarithm (base 2) of scrypt's cost, 1 to 20. Zero means 18; below 15 a passphrase can be guessed.
	WorkFactor int
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._/-]{0,63}$`)

// A namedKey is one line of a key file.
type namedKey struct {
	name   string
	signer *Signer
}

// A passphrase encrypts and decrypts. Both halves keep the words to themselves, behind pointers.
type passphrase struct {
	recipient *age.ScryptRecipient
	identity  *age.ScryptIdentity
}

func newPassphrase(words string, o Options) (passphrase, error) {
	factor := o.WorkFactor
	if factor == 0 {
		factor = defaultWorkFactor
	}
	if factor < 1 || factor > maxWorkFactor {
		return passphrase{}, &Error{Reason: "key-work-factor", Detail: fmt.Sprintf("not between 1 and %d", maxWorkFactor)}
	}
	recipient, err := age.NewScryptRecipient(words)
	if err != nil {
		return passphrase{}, &Error{Reason: "key-passphrase", Detail: "is empty"}
	}
	identity, err := age.NewScryptIdentity(words)
	if err != nil {
		return passphrase{}, &Error{Reason: "key-passphrase", Detail: "is empty"}
	}
	recipient.SetWorkFactor(factor)
	identity.SetMaxWorkFactor(maxWorkFactor)
	return passphrase{recipient, identity}, nil
}

func (p passphrase) encrypt(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, p.recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypt keys: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("encrypt keys: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt keys: %w", err)
	}
	if out.Len() > MaxFileSize {
		return nil, &Error{Reason: "key-file-size", Detail: fmt.Sprintf("more than %d bytes", MaxFileSize)}
	}
	return out.Bytes(), nil
}

// decrypt returns the plaintext. Reasons: key-passphrase, key-file-syntax.
func (p passphrase) decrypt(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), p.identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, &Error{Reason: "key-passphrase", Detail: "does not open the file"}
	}
	if err != nil {
		return nil, &Error{Reason: "key-file-syntax", Detail: err.Error()}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, &Error{Reason: "key-file-syntax", Detail: err.Error()}
	}
	return plain, nil
}

// format writes the plaintext: the header, then a line a key (NAME TYPE SECRET, the secret in base64url), in the order given.
func format(header string, keys []namedKey) ([]byte, error) {
	out := []byte(header + "\n")
	for _, k := range keys {
		secret, err := k.signer.secret()
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.name, err)
		}
		out = fmt.Appendf(out, "%s %s %s\n", k.name, k.signer.public.Type(), base64.RawURLEncoding.EncodeToString(secret))
	}
	return out, nil
}

// parse reads what format writes and nothing else: what it takes, format writes again byte for byte. Names rise strictly.
// Reason: key-file-syntax, with the line's number and never its text.
func parse(header string, plain []byte) ([]namedKey, error) {
	body, ok := strings.CutPrefix(string(plain), header+"\n")
	if !ok {
		return nil, refuseLine(1, "is not "+header)
	}
	var keys []namedKey
	for i, line := range slices.Collect(strings.Lines(body)) {
		key, err := parseLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, refuseLine(i+2, err.Error())
		}
		if n := len(keys); n > 0 && keys[n-1].name >= key.name {
			return nil, refuseLine(i+2, "name is not after the one before")
		}
		keys = append(keys, key)
	}
	again, err := format(header, keys)
	if err != nil || !bytes.Equal(again, plain) {
		return nil, &Error{Reason: "key-file-syntax", Detail: "not in the one form that is written"}
	}
	return keys, nil
}

func refuseLine(number int, detail string) error {
	return &Error{Reason: "key-file-syntax", Detail: fmt.Sprintf("line %d: %s", number, detail)}
}

func parseLine(line string) (namedKey, error) {
	fields := strings.Split(line, " ")
	if len(fields) != 3 || !nameForm.MatchString(fields[0]) {
		return namedKey{}, errors.New("not a name, a type and a secret")
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(fields[2])
	if err != nil {
		return namedKey{}, errors.New("secret is not base64url") // err would say where, which is more than nothing
	}
	signer, err := fromSecret(fields[1], secret)
	if err != nil {
		return namedKey{}, err
	}
	return namedKey{fields[0], signer}, nil
}

// readFile returns the file's bytes. Reasons: key-file-missing, key-file-mode (others than the owner may touch it), key-file-size.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Reason: "key-file-missing", Path: path, Detail: "no such file"}
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat() // of the open file: a name may come to mean another
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, &Error{Reason: "key-file-mode", Path: path, Detail: fmt.Sprintf("is %v; must be a file that only its owner may read (chmod 600)", mode)}
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if len(data) > MaxFileSize {
		return nil, &Error{Reason: "key-file-size", Path: path, Detail: fmt.Sprintf("more than %d bytes", MaxFileSize)}
	}
	return data, nil
}

// createFile writes a file that must not exist (reason key-exists); replaceFile one that may. Both are atomic and durable: after a crash
// at any point the name means the old bytes or the new ones, whole; what may stay behind is a temporary file that nobody reads.
func createFile(path string, data []byte) error {
	err := place(path, data, func(temporary string) error {
		defer os.Remove(temporary)
		return os.Link(temporary, path) // unlike a rename, it does not replace
	})
	if errors.Is(err, fs.ErrExist) {
		return &Error{Reason: "key-exists", Path: path, Detail: "the file exists; it is not replaced"}
	}
	return err
}

func replaceFile(path string, data []byte) error {
	return place(path, data, func(temporary string) error { return os.Rename(temporary, path) })
}

// place writes data durably under a temporary name beside path (mode 0600), lets put give it its name, and makes the name durable.
func place(path string, data []byte, put func(temporary string) error) error {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".key-*")
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	err = writeDurably(file, data)
	if err == nil {
		err = put(file.Name())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write keys: %w", err), removeIfThere(file.Name()))
	}
	return syncFolder(folder)
}

func writeDurably(file *os.File, data []byte) error {
	_, err := file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}
