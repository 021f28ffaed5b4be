package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

var update = flag.Bool("update", false, "write the vector files anew")

// TestFiles makes every file anew, from fixed seeds, and fails if a committed one differs: no file is edited by hand.
func TestFiles(t *testing.T) {
	b := &book{t: t, made: map[string][]byte{}}
	for _, group := range []func(*book){jcsVectors, moneyVectors, actionVectors, credentialVectors, rosterVectors, wordVectors, entryVectors,
		keyVectors, proofVectors, statusVectors, logVectors, logFormatVectors, windowVectors, constraintVectors, credentialRules, trustVectors, bundleVectors, suppliedBundle, credentialTraces, templateVectors,
		approvalTraces, delegationTraces, requestTraces, executionTraces, recoveryTraces, revocationTraces, policyVectors, reconciliationTraces, refusalTraces, recoveryKeyTraces, headVectors, lifeVectors} {
		group(b)
	}
	if *update {
		b.write()
		return
	}
	for _, name := range slices.Sorted(maps.Keys(b.made)) {
		if data, err := os.ReadFile(name); err != nil || !bytes.Equal(data, b.made[name]) {
			t.Errorf("%s is not what go generate makes (%v)", name, err)
		}
	}
	for _, name := range b.present() {
		if _, ok := b.made[name]; !ok {
			t.Errorf("%s is made by nothing", name)
		}
	}
}

// book gathers the files, by their paths.
type book struct {
	t    *testing.T
	made map[string][]byte
}

func (b *book) present() []string {
	var names []string
	for _, root := range []string{"vectors", "bundles"} {
		err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				names = append(names, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return names
}

func (b *book) write() {
	for _, name := range b.present() {
		if _, ok := b.made[name]; !ok {
			b.must(os.Remove(name))
		}
	}
	for name, data := range b.made {
		b.must(os.MkdirAll(filepath.Dir(name), 0o755))
		b.must(os.WriteFile(name, data, 0o644))
	}
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

var kebab = regexp.MustCompile(`^[a-z]+/[a-z0-9]+(-[a-z0-9]+)*$`)

// put adds a vector; its path is group/mistake.
func (b *book) put(path string, v Vector) {
	b.t.Helper()
	name := "vectors/" + path + ".json"
	if _, twice := b.made[name]; twice || !kebab.MatchString(path) {
		b.t.Fatalf("%s: twice, or no group/mistake", path)
	}
	b.made[name] = b.indent(v)
}

func (b *book) indent(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	b.must(e.Encode(v))
	return out.Bytes()
}

// doc adds a document vector. The title says the mistake.
func (b *book) doc(path, section, title, parser, text string, want DocumentEnd) {
	b.t.Helper()
	d := &Document{Parser: parser, Want: want}
	if d.Text = text; !utf8.ValidString(text) {
		d.Text, d.Base64 = "", []byte(text)
	}
	b.put(path, Vector{Title: title, Section: section, Kind: KindDocument, Document: d})
}

func no(reason, pointer string) DocumentEnd { return DocumentEnd{Reason: reason, Pointer: pointer} }

var taken = DocumentEnd{Accept: true}

// good is what a document of Writ is taken as.
func good(d spec.Document) DocumentEnd {
	end := DocumentEnd{Accept: true, Digest: d.Digest}
	if slices.Contains(approved, d.Type) {
		end.Content = spec.ContentDigest(d.Value)
	}
	return end
}

func set(path string, value any) Edit { return Edit{Op: "set", Path: path, Value: raw(value)} }
func add(path string, value any) Edit { return Edit{Op: "add", Path: path, Value: raw(value)} }
func remove(path string) Edit         { return Edit{Op: "remove", Path: path} }
func move(from, path string) Edit     { return Edit{Op: "move", Path: path, From: from} }
func parse(text string) jcs.Value     { return writtest.JSON(text) }
func document(body spec.Body) spec.Document {
	d, err := spec.New(body)
	if err != nil {
		panic(err)
	}
	return d
}

// raw is a value as JSON; a json.RawMessage stays as it is.
func raw(value any) json.RawMessage {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

// changed is a document's text after edits, whatever that makes of it.
func (b *book) changed(d spec.Document, edits ...Edit) string {
	b.t.Helper()
	data, err := applyEdits(d.Bytes(), edits)
	b.must(err)
	v, err := jcs.Parse(data)
	b.must(err)
	return string(v.Canonical())
}

// world draws the nonces and salts of documents far from where the ledger of the same seed draws its own.
func world(seed string) *writtest.World {
	w := writtest.Acme(seed)
	if _, err := w.Read(make([]byte, 32<<12)); err != nil {
		panic(err)
	}
	return w
}
