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

// The documents of each call (presentation, commit, decision, begin, report) are kept packed: a byte that says how, then DEFLATE
// (RFC 1951) under a dictionary of what such documents look like. Of a presentation the mandates that the journal has anyway are
// kept as their digests. All others are kept as they are; canonical text begins with '{', so the first byte tells. What is read
// back is held against its digest like any other body (parsedCache.parse).
const (
	packed1 = 1 // under dictionary1
	folded1 = 2 // likewise, with digests in the place of mandates
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

// pack is how a body is kept; kept says under which digest the journal has a mandate, if it has these very bytes.
func pack(d spec.Document, kept func(mandate []byte) (digest string, ok bool)) []byte {
	switch d.Type {
	case spec.TypePresentation:
		if folded, ok := fold(d, kept); ok {
			return deflate(folded1, folded)
		}
	case spec.TypeCommit, spec.TypeDecision, spec.TypeBegin, spec.TypeReport:
	default:
		return d.Bytes()
	}
	return deflate(packed1, d.Bytes())
}

func deflate(how byte, text []byte) []byte {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	p.out.Reset()
	p.out.WriteByte(how)
	p.w.Reset(&p.out)
	p.w.Write(text) // a buffer takes everything
	p.w.Close()
	return bytes.Clone(p.out.Bytes())
}

// fold takes the mandates out of a presentation, if the journal has all of them: their digests, a line feed, and the text up to
// the list of credentials, which is its last member.
func fold(presentation spec.Document, kept func([]byte) (string, bool)) ([]byte, bool) {
	list, _ := presentation.Value.Member("verifiableCredential")
	var digests []string
	for _, c := range list.Elements() {
		digest, ok := kept(c.Canonical())
		if !ok {
			return nil, false
		}
		digests = append(digests, digest)
	}
	before, last := bytes.CutSuffix(presentation.Bytes(), append(bytes.Clone(list.Canonical()), '}'))
	return slices.Concat([]byte(strings.Join(digests, " ")), []byte{'\n'}, before), last && len(digests) > 0
}

// unpack gives the canonical text back; find reads a mandate's.
func unpack(kept []byte, find func(digest string) ([]byte, error)) ([]byte, error) {
	if len(kept) == 0 || kept[0] != packed1 && kept[0] != folded1 {
		return kept, nil
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(kept[1:]), dictionary1), maxBody+1))
	if err != nil || len(text) > maxBody {
		return nil, errors.Join(errPacked, err)
	}
	if kept[0] == packed1 {
		return text, nil
	}
	return unfold(text, find)
}

func unfold(folded []byte, find func(string) ([]byte, error)) ([]byte, error) {
	digests, text, ok := bytes.Cut(folded, []byte{'\n'})
	if !ok {
		return nil, errPacked
	}
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
