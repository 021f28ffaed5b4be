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
// look like. What was kept beside a decision (presentation, commit), and says much of the same, is packed with it, and its own row names
// the decision. Of a presentation the mandates that the journal has anyway are kept as their digests. All other documents are kept as
// they are; canonical text begins with '{', so the first byte tells. What is read back is held against its digest like any other body
// (parsedCache.parse).
const (
	packed1 = 1 // parts under dictionary1, each ended by a NUL: the document's own, then those kept beside it
	beside  = 2 // the number of the part, and the digest of the decision that has it
)

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

// An attachment is a document that is kept beside a decision, as a part of its body.
type attachment struct {
	spec.Document
	decision string // digest, "" where there is none
	part     int    // from 1
}

// body is how an attachment's own row is kept.
func (a attachment) body() []byte {
	if a.decision == "" {
		return a.Bytes()
	}
	return append([]byte{beside, byte(a.part)}, a.decision...)
}

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
	return bytes.Split(text, []byte{0}), nil
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

// unpack gives the canonical text back; find reads another body, as it is kept.
func unpack(kept []byte, find func(digest string) ([]byte, error)) (text []byte, err error) {
	if len(kept) == 0 || kept[0] == '{' {
		return kept, nil
	}
	part := 0
	if kept[0] == beside && len(kept) > 2 {
		if part = int(kept[1]); part == 0 {
			return nil, errPacked
		}
		if kept, err = find(string(kept[2:])); err != nil {
			return nil, err
		}
	}
	parts, err := inflate(kept)
	if err != nil || part >= len(parts) {
		return nil, errors.Join(errPacked, err)
	}
	if bytes.HasPrefix(parts[part], []byte{'{'}) {
		return parts[part], nil
	}
	return unfold(parts[part], find)
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
