package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
)

const words = "correct horse battery staple"

// quick is for tests alone: a passphrase under it costs nothing to guess.
var quick = Options{WorkFactor: 2}

var _ interface {
	Public() did.PublicKey
	Sign(message []byte) ([]byte, error)
} = (*Signer)(nil)

func generate(t *testing.T, keyType string) *Signer {
	t.Helper()
	s, err := Generate(keyType, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantReason fails unless err is an Error with the reason.
func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Reason != reason {
		t.Errorf("got %v, want reason %s", err, reason)
	}
}

func TestSign(t *testing.T) {
	for _, keyType := range []string{Ed25519, P256} {
		s, other := generate(t, keyType), generate(t, keyType)
		if s.Public().Type() != keyType {
			t.Errorf("%s: public half is of type %s", keyType, s.Public().Type())
		}
		message := []byte("pay")
		signature, err := s.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if len(signature) != 64 || !s.Public().Verify(message, signature) {
			t.Errorf("%s: signature of %d bytes does not verify", keyType, len(signature))
		}
		if s.Public().Verify([]byte("pat"), signature) || other.Public().Verify(message, signature) {
			t.Errorf("%s: verifies another message or by another key", keyType)
		}
		if again, _ := s.Sign(message); !bytes.Equal(again, signature) {
			t.Errorf("%s: two signatures of one message differ", keyType)
		}
	}
}

// TestSignShortHalves signs until r and s have each begun with a zero byte, which r || s must keep.
func TestSignShortHalves(t *testing.T) {
	s := generate(t, P256)
	var shortR, shortS bool
	for i := 0; !shortR || !shortS; i++ {
		message := fmt.Appendf(nil, "%d", i)
		signature, err := s.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Public().Verify(message, signature) {
			t.Fatalf("message %d does not verify", i)
		}
		shortR, shortS = shortR || signature[0] == 0, shortS || signature[32] == 0
	}
}

func TestGenerateIsFromItsBytes(t *testing.T) {
	for _, keyType := range []string{Ed25519, P256} {
		one, err1 := Generate(keyType, bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
		two, err2 := Generate(keyType, bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
		if err1 != nil || err2 != nil || one.Public() != two.Public() {
			t.Errorf("%s: same bytes, other key: %v %v", keyType, err1, err2)
		}
		if _, err := Generate(keyType, bytes.NewReader(make([]byte, 31))); err == nil {
			t.Errorf("%s: made a key of 31 bytes", keyType)
		}
	}
	// A scalar of zero is no key, so the next 32 bytes are drawn.
	drawn, err := Generate(P256, bytes.NewReader(append(make([]byte, 32), bytes.Repeat([]byte{7}, 32)...)))
	want, _ := Generate(P256, bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil || drawn.Public() != want.Public() {
		t.Errorf("after a scalar out of range: %v", err)
	}
	_, err = Generate("RSA", rand.Reader)
	wantReason(t, err, "key-type")
}

func TestEd25519(t *testing.T) {
	s := generate(t, Ed25519)
	public, err := s.Ed25519()
	if err != nil || did.FromEd25519(public) != s.Public() {
		t.Errorf("raw public half is %x: %v", public, err)
	}
	_, err = generate(t, P256).Ed25519()
	wantReason(t, err, "key-type")
}

// TestNothingShowsASecret prints every exported type in every way that could end up in a log.
func TestNothingShowsASecret(t *testing.T) {
	for _, keyType := range []string{Ed25519, P256} {
		s := generate(t, keyType)
		secret, err := s.secret()
		if err != nil {
			t.Fatal(err)
		}
		store := newStore(t)
		if err := store.Add(map[string]*Signer{"seal": s}); err != nil {
			t.Fatal(err)
		}
		values := []any{s, *s, store, store.List(), quick, &Error{Reason: "key-type"}, []*Signer{s}, map[string]any{"a": s, "b": *s}, store.passphrase}
		printed := printAll(t, values)
		if !strings.Contains(printed, s.Public().Multikey()) {
			t.Error("not even the public half is printed: is anything?")
		}
		for form, spelt := range spellings(secret) {
			if strings.Contains(printed, spelt) {
				t.Errorf("%s: the secret is printed as %s", keyType, form)
			}
		}
		if strings.Contains(printed, words) || strings.Contains(printed, hex.EncodeToString([]byte(words))) {
			t.Errorf("%s: the passphrase is printed", keyType)
		}
	}
}

func printAll(t *testing.T, values []any) string {
	var out strings.Builder
	text, structured := slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text.Info("value", "v", v)
		structured.Info("value", "v", v)
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Logf("json: %v", err) // a refusal shows nothing
		}
		out.Write(encoded)
	}
	return out.String()
}

// spellings are the ways in which bytes come out of fmt, encoding/json and us.
func spellings(secret []byte) map[string]string {
	decimal := strings.Trim(fmt.Sprint(secret), "[]")
	return map[string]string{
		"hex": hex.EncodeToString(secret), "HEX": strings.ToUpper(hex.EncodeToString(secret)),
		"base64": base64.RawStdEncoding.EncodeToString(secret), "base64url": base64.RawURLEncoding.EncodeToString(secret),
		"bytes": decimal, "Go syntax": strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"), "text": string(secret), "quoted": strings.Trim(fmt.Sprintf("%q", secret), `"`),
	}
}

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := CreateStore(filepath.Join(t.TempDir(), "keys"), words, quick)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	store := newStore(t)
	keys := map[string]*Signer{"seal": generate(t, Ed25519), "log": generate(t, Ed25519), "agent/treasury": generate(t, P256)}
	if err := store.Add(keys); err != nil {
		t.Fatal(err)
	}
	again, err := OpenStore(store.path, words, quick)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.List(), store.List()) || len(again.List()) != len(keys) {
		t.Errorf("on disk: %v, in memory: %v", again.List(), store.List())
	}
	if !slices.IsSortedFunc(again.List(), func(a, b NamedPublicKey) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not by name: %v", again.List())
	}
	for name, key := range keys {
		read, err := again.Signer(name)
		if err != nil || read.Public() != key.Public() {
			t.Fatalf("%s: %v", name, err)
		}
		signature, err := read.Sign([]byte("pay"))
		if err != nil || !key.Public().Verify([]byte("pay"), signature) {
			t.Errorf("%s: the key read signs otherwise: %v", name, err)
		}
	}
	_, err = again.Signer("decision")
	wantReason(t, err, "key-unknown")
}

func TestStoreReplacesNoKey(t *testing.T) {
	store := newStore(t)
	first := generate(t, Ed25519)
	if err := store.Add(map[string]*Signer{"seal": first}); err != nil {
		t.Fatal(err)
	}
	wantReason(t, store.Add(map[string]*Signer{"log": generate(t, Ed25519), "seal": generate(t, Ed25519)}), "key-exists")
	for _, name := range []string{"", "Seal", "a b", "a\nb", "/a", "é", strings.Repeat("a", 65)} {
		wantReason(t, store.Add(map[string]*Signer{name: first}), "key-name")
	}
	again, err := OpenStore(store.path, words, quick)
	if err != nil {
		t.Fatal(err)
	}
	if list := again.List(); len(list) != 1 || list[0].Key != first.Public() {
		t.Errorf("after refusals: %v", list)
	}
	_, err = CreateStore(store.path, words, quick)
	wantReason(t, err, "key-exists")
}

// TestStoreNoticesAnotherWriter keeps one process from losing the keys of another.
func TestStoreNoticesAnotherWriter(t *testing.T) {
	store := newStore(t)
	other, err := OpenStore(store.path, words, quick)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Add(map[string]*Signer{"seal": generate(t, Ed25519)}); err != nil {
		t.Fatal(err)
	}
	wantReason(t, store.Add(map[string]*Signer{"log": generate(t, Ed25519)}), "key-file-changed")
	if _, err := store.Signer("log"); err == nil {
		t.Error("a key that is not on disk is in memory")
	}
}

func TestStoreManyAdders(t *testing.T) {
	store := newStore(t)
	keys := map[string]*Signer{}
	for i := range 8 {
		keys[fmt.Sprintf("agent/%d", i)] = generate(t, Ed25519)
	}
	var adders sync.WaitGroup
	for name, key := range keys {
		adders.Go(func() {
			if err := store.Add(map[string]*Signer{name: key}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			store.List()
		})
	}
	adders.Wait()
	again, err := OpenStore(store.path, words, quick)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(again.List()), len(keys); got != want {
		t.Errorf("%d keys on disk, want %d", got, want)
	}
}

// TestReadingWaitsForNoAdder: while keys are being added, which takes long, those that are there can be read.
func TestReadingWaitsForNoAdder(t *testing.T) {
	store, err := CreateStore(filepath.Join(t.TempDir(), "keys"), words, Options{WorkFactor: 17})
	if err != nil {
		t.Fatal(err)
	}
	key := generate(t, Ed25519)
	if err := store.Add(map[string]*Signer{"agent/a": key}); err != nil {
		t.Fatal(err)
	}
	begun, added := time.Now(), make(chan error, 1)
	go func() { added <- store.Add(map[string]*Signer{"agent/b": key}) }()
	for longest := time.Duration(0); ; {
		start := time.Now()
		if _, err := store.Signer("agent/a"); err != nil || len(store.List()) == 0 {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(start))
		select {
		case err := <-added:
			if took := time.Since(begun); err != nil || longest > took/2 {
				t.Errorf("a key was read after %v, while another was added in %v: %v", longest, took, err)
			}
			return
		default:
		}
	}
}

func TestPersonal(t *testing.T) {
	for _, keyType := range []string{Ed25519, P256} {
		path := filepath.Join(t.TempDir(), "treasurer.key")
		key := generate(t, keyType)
		if err := WritePersonal(path, words, "treasurer", key, quick); err != nil {
			t.Fatal(err)
		}
		name, read, err := ReadPersonal(path, words)
		if err != nil || name != "treasurer" || read.Public() != key.Public() {
			t.Fatalf("%s: read %q: %v", keyType, name, err)
		}
		wantReason(t, WritePersonal(path, words, "treasurer", key, quick), "key-exists")
		_, err = OpenStore(path, words, quick)
		wantReason(t, err, "key-file-syntax") // one kind of file is not the other
	}
	store := newStore(t)
	_, _, err := ReadPersonal(store.path, words)
	wantReason(t, err, "key-file-syntax")
}

func TestOpenRefuses(t *testing.T) {
	rows := map[string]struct {
		reason string
		words  string
		spoil  func(path string) error
	}{
		"other passphrase":  {"key-passphrase", "correct horse battery stapler", nil},
		"no passphrase":     {"key-passphrase", "", nil},
		"no file":           {"key-file-missing", words, os.Remove},
		"readable by group": {"key-file-mode", words, func(path string) error { return os.Chmod(path, 0o640) }},
		"readable by all":   {"key-file-mode", words, func(path string) error { return os.Chmod(path, 0o604) }},
		"a folder":          {"key-file-mode", words, func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }},
		"empty":             {"key-file-syntax", words, func(path string) error { return os.Truncate(path, 0) }},
		"too large":         {"key-file-size", words, func(path string) error { return os.Truncate(path, MaxFileSize+1) }},
		"not encrypted":     {"key-file-syntax", words, func(path string) error { return os.WriteFile(path, []byte(storeHeader+"\n"), 0o600) }},
		"cut off":           {"key-file-syntax", words, func(path string) error { return cut(path, 1) }},
		"a byte changed":    {"key-file-syntax", words, flipLast},
		"costs too much":    {"key-file-syntax", words, askForWork},
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			row := rows[name]
			if row.spoil != nil {
				if err := row.spoil(store.path); err != nil {
					t.Fatal(err)
				}
			}
			_, err := OpenStore(store.path, row.words, quick)
			wantReason(t, err, row.reason)
			if err != nil && strings.Contains(err.Error(), words) {
				t.Errorf("the error tells the passphrase: %v", err)
			}
		})
	}
}

func cut(path string, bytes int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()-bytes)
}

func flipLast(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)-1] ^= 1
	return os.WriteFile(path, data, 0o600)
}

// askForWork rewrites the scrypt stanza so that trying a passphrase would take 2 GiB.
func askForWork(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, _ := strings.Cut(string(data), " 2\n")
	return os.WriteFile(path, []byte(head+" 21\n"+rest), 0o600)
}

func TestWorkFactor(t *testing.T) {
	for _, factor := range []int{-1, maxWorkFactor + 1} {
		_, err := CreateStore(filepath.Join(t.TempDir(), "keys"), words, Options{WorkFactor: factor})
		wantReason(t, err, "key-work-factor")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if _, err := CreateStore(path, words, Options{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if stanza := strings.Split(string(data), "\n")[1]; !strings.HasSuffix(stanza, " 18") {
		t.Errorf("default cost is in %q, want 18", stanza)
	}
}

// TestFilesOnDisk looks at what is left in the folder: one file, for its owner, and nothing beside it, also after a failed write.
func TestFilesOnDisk(t *testing.T) {
	store := newStore(t)
	if err := store.Add(map[string]*Signer{"seal": generate(t, Ed25519)}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(store.path)
	info, err := os.Stat(store.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
	if err := createFile(store.path, []byte("x")); err == nil {
		t.Error("replaced a file")
	}
	occupied := filepath.Join(folder, "occupied")
	if err := os.MkdirAll(filepath.Join(occupied, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(occupied, []byte("x")); err == nil {
		t.Error("replaced a folder")
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("in the folder: %v, want the keys and the occupied name", entries)
	}
	if err := createFile(filepath.Join(folder, "none", "keys"), nil); err == nil {
		t.Error("wrote into a folder that does not exist")
	}
}

func FuzzParse(f *testing.F) {
	secret := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	for _, seed := range []string{
		storeHeader, storeHeader + "\n", personalHeader + "\n",
		storeHeader + "\nagent/a P-256 " + secret + "\nseal Ed25519 " + secret + "\n",
		storeHeader + "\nseal Ed25519 " + secret + "\nseal Ed25519 " + secret + "\n",
		storeHeader + "\nb Ed25519 " + secret + "\na Ed25519 " + secret + "\n",
		storeHeader + "\nseal Ed25519 " + secret,
		storeHeader + "\nseal Ed25519 " + secret + "=\n",
		storeHeader + "\nseal Ed25519 " + secret[:len(secret)-1] + "F\n",
		storeHeader + "\nseal  Ed25519 " + secret + "\n\n",
		storeHeader + "\r\nseal RSA " + secret + "\r\n",
		storeHeader + "\nseal P-256 " + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		keys, err := parse(storeHeader, plain)
		if err != nil {
			wantReason(t, err, "key-file-syntax")
			return
		}
		again, err := format(storeHeader, keys)
		if err != nil || !bytes.Equal(again, plain) {
			t.Errorf("%q came back as %q: %v", plain, again, err)
		}
	})
}

func TestParse(t *testing.T) {
	secret := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	rows := map[string]struct {
		body string
		keys int // −1: refused
	}{
		"none":                     {"", 0},
		"two":                      {"agent/a P-256 " + secret + "\nseal Ed25519 " + secret + "\n", 2},
		"twice":                    {"seal Ed25519 " + secret + "\nseal Ed25519 " + secret + "\n", -1},
		"out of order":             {"b Ed25519 " + secret + "\na Ed25519 " + secret + "\n", -1},
		"no newline":               {"seal Ed25519 " + secret, -1},
		"padded":                   {"seal Ed25519 " + secret + "=\n", -1},
		"other last character":     {"seal Ed25519 " + secret[:len(secret)-1] + "F\n", -1},
		"two spaces":               {"seal  Ed25519 " + secret + "\n", -1},
		"carriage return":          {"seal Ed25519 " + secret + "\r\n", -1},
		"empty line":               {"\n", -1},
		"unknown type":             {"seal RSA " + secret + "\n", -1},
		"short":                    {"seal Ed25519 AQEB\n", -1},
		"short scalar":             {"seal P-256 AQEB\n", -1},
		"scalar of zero":           {"seal P-256 " + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + "\n", -1},
		"something behind the end": {"seal Ed25519 " + secret + "\nx", -1},
	}
	for name, row := range rows {
		keys, err := parse(storeHeader, []byte(storeHeader+"\n"+row.body))
		if row.keys < 0 {
			wantReason(t, err, "key-file-syntax")
			if err == nil {
				t.Errorf("%s: parsed", name)
			} else if strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("%s: the error tells the secret: %v", name, err)
			}
		} else if err != nil || len(keys) != row.keys {
			t.Errorf("%s: %d keys: %v", name, len(keys), err)
		}
	}
}
