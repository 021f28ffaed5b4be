package journal

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/writ-trust/writ/spec"
)

// The documents of each call are kept packed: a byte that says how, then DEFLATE (RFC 1951) under a dictionary of what such documents
// look like. What is kept beside a decision (presentation, commit), and says much of the same, is packed with it and has no row of its own.
// Of a presentation the mandates that the journal has anyway are kept as their digests. All other documents are kept as they are;
// canonical text begins with '{', so the first byte tells. What is read back is held against its digest like any other body
// (parsedCache.parse, among).
const packed1 = 1 // parts under dictionary1, each ended by a NUL: the document's own, then those kept beside it

// dictionary1 must never change: what was packed with it is read with it. A better one is dictionary2.
//
//go:embed body1.txt
var dictionary1 []byte

// maxBody bounds what is unpacked, in bytes: far more than a document may have.
const maxBody = 1 << 20

var errPacked = errors.New("a packed body does not read")

type packer struct {
	out bytes.Buffer
	w   *flate.Writer
}

var packers = sync.Pool{New: func() any {
	p := &packer{}
	p.w, _ = flate.NewWriterDict(&p.out, 2, dictionary1) // fails for other levels only
	return p
}}

// pack is how a document with an entry is kept, with what is beside it; kept says under which digest the journal has a mandate, if it
// has these very bytes.
func pack(d spec.Document, attached []spec.Document, kept func(mandate []byte) (digest string, ok bool)) []byte {
	switch d.Type {
	case spec.TypeDecision, spec.TypeBegin, spec.TypeReport:
	default:
		return d.Bytes()
	}
	parts := [][]byte{d.Bytes()}
	for _, a := range attached {
		parts = append(parts, fold(a, kept))
	}
	return deflate(parts)
}

func deflate(parts [][]byte) []byte {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	p.out.Reset()
	p.out.WriteByte(packed1)
	p.w.Reset(&p.out)
	for _, part := range parts { // a buffer takes everything
		p.w.Write(part)
		p.w.Write([]byte{0})
	}
	p.w.Close()
	return bytes.Clone(p.out.Bytes())
}

// inflate returns the parts.
func inflate(kept []byte) ([][]byte, error) {
	if len(kept) == 0 || kept[0] != packed1 {
		return nil, errPacked
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(kept[1:]), dictionary1), maxBody+1))
	if err != nil || len(text) > maxBody {
		return nil, errors.Join(errPacked, err)
	}
	parts := bytes.Split(text, []byte{0})
	if len(parts) < 2 {
		return nil, errPacked
	}
	return parts, nil
}

// fold takes the mandates out of a presentation, if the journal has all of them: their digests, a line feed, and the text up to
// the list of credentials, which is its last member. Any other document stays as it is.
func fold(d spec.Document, kept func([]byte) (string, bool)) []byte {
	list, _ := d.Value.Member("verifiableCredential")
	var digests []string
	for _, c := range list.Elements() {
		digest, ok := kept(c.Canonical())
		if !ok {
			return d.Bytes()
		}
		digests = append(digests, digest)
	}
	before, last := bytes.CutSuffix(d.Bytes(), append(bytes.Clone(list.Canonical()), '}'))
	if !last || len(digests) == 0 {
		return d.Bytes()
	}
	return slices.Concat([]byte(strings.Join(digests, " ")), []byte{'\n'}, before)
}

// unpack gives the canonical text of a document with an entry back.
func unpack(kept []byte) ([]byte, error) {
	if len(kept) == 0 || kept[0] == '{' {
		return kept, nil
	}
	parts, err := inflate(kept)
	if err != nil {
		return nil, err
	}
	return parts[0], nil
}

// unpackBeside gives the canonical texts of what is kept beside it; find reads a mandate's body.
func unpackBeside(kept []byte, find func(digest string) ([]byte, error)) (texts [][]byte, err error) {
	if len(kept) == 0 || kept[0] == '{' {
		return nil, nil
	}
	parts, err := inflate(kept)
	if err != nil {
		return nil, err
	}
	for _, text := range parts[1 : len(parts)-1] { // behind the last NUL is nothing
		if !bytes.HasPrefix(text, []byte{'{'}) {
			if text, err = unfold(text, find); err != nil {
				return nil, err
			}
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func unfold(folded []byte, find func(string) ([]byte, error)) ([]byte, error) {
	digests, text, ok := bytes.Cut(folded, []byte{'\n'})
	if !ok {
		return nil, errPacked
	}
	text = bytes.Clone(text)
	next := byte('[')
	for digest := range strings.FieldsSeq(string(digests)) {
		mandate, err := find(digest)
		if err != nil {
			return nil, fmt.Errorf("mandate %s of a presentation: %w", digest, err)
		}
		text = append(append(text, next), mandate...)
		next = ','
	}
	return append(text, "]}"...), nil
}
