// Package conformance runs the vectors: files that each make one mistake, or none, and say what every implementation of Writ must
// answer. README.md describes the format for implementations in other languages; this runner needs nothing but the files.
//
// Files are made by go generate and never edited by hand. Start with Load and Vector.Run.
package conformance

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

//go:generate go test -run ^TestFiles$ -update .

//go:embed vectors bundles
var files embed.FS

// Kinds of vector.
const (
	KindDocument = "document" // bytes for one parser
	KindRule     = "rule"     // a constraint and an action, a window, or an action pattern
	KindBundle   = "bundle"   // a bundle for one trust file
	KindTrace    = "trace"    // a ledger's life, step by step
	KindHead     = "head"     // the map of heads, and proofs in it
)

// Vector is one file. Exactly the part that Kind names is there.
type Vector struct {
	Title    string    `json:"title"`   // a sentence: what is wrong, and what must come of it
	Section  string    `json:"section"` // the clause that says so
	Kind     string    `json:"kind"`
	Document *Document `json:"document,omitempty"`
	Rule     *Rule     `json:"rule,omitempty"`
	Bundle   *Bundle   `json:"bundle,omitempty"`
	Trace    *Trace    `json:"trace,omitempty"`
	Head     *Head     `json:"head,omitempty"`

	Path string `json:"-"` // group/name.json
}

// Group is the folder of the vector.
func (v Vector) Group() string { return path.Dir(v.Path) }

// Load reads all vectors, in the order of their paths.
func Load() ([]Vector, error) {
	names, err := fs.Glob(files, "vectors/*/*.json")
	if err != nil {
		return nil, err
	}
	var all []Vector
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		v := Vector{Path: strings.TrimPrefix(name, "vectors/")}
		if err := decode(data, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, v)
	}
	return all, nil
}

// decode reads a file of ours: unknown members are mistakes of the generator.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Run holds this implementation against the vector; the error names the first difference.
func (v Vector) Run() error {
	switch {
	case v.Kind == KindDocument && v.Document != nil:
		return v.Document.run()
	case v.Kind == KindRule && v.Rule != nil:
		return v.Rule.run()
	case v.Kind == KindBundle && v.Bundle != nil:
		return v.Bundle.run()
	case v.Kind == KindTrace && v.Trace != nil:
		return v.Trace.run()
	case v.Kind == KindHead && v.Head != nil:
		return v.Head.run()
	}
	return fmt.Errorf("no part for kind %q", v.Kind)
}

// Input is bytes: as text where they are UTF-8, else in base64; then Pad spaces.
type Input struct {
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
	Pad    int    `json:"pad,omitempty"`
}

func (i Input) bytes() []byte {
	data := i.Base64
	if data == nil {
		data = []byte(i.Text)
	}
	return append(data, bytes.Repeat([]byte(" "), i.Pad)...)
}

// refusal is an error as a vector names it: reason, place, and what is hidden behind not-entitled.
type refusal struct{ reason, pointer, because string }

func refusalOf(err error) refusal {
	var e *spec.Error
	var l *log.Error
	var n *verifier.NotEntitledError
	switch {
	case errors.As(err, &n):
		return refusal{reason: n.Error(), because: n.Reason}
	case errors.As(err, &e):
		return refusal{reason: e.Reason, pointer: e.Pointer}
	case errors.As(err, &l):
		return refusal{reason: l.Reason}
	}
	return refusal{reason: "?", because: err.Error()}
}

// difference compares two values for a message; nil where they are equal.
func difference[T comparable](what string, got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %v, want %v", what, got, want)
}
