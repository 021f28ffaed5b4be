package log

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// MaxCheckpointSize limits a signed checkpoint, in bytes: room for more than 16 signatures of the longest
// assigned type (signed-note.md, "Format", which asks verifiers to accept at least 16).
const MaxCheckpointSize = 128 << 10

// Checkpoint is a log's tree head: the text of a signed note (tlog-checkpoint.md, "Note text").
type Checkpoint struct {
	Origin string // the log's name: a valid key name, so without spaces or plus
	Size   int64  // number of entries, ≥ 0
	Root   Hash   // RFC 6962 root of the first Size entries
}

// Text returns the note text, as it is signed: three lines.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// ParseCheckpoint reads the text of a checkpoint; Text gives the same bytes back.
//
// Extension lines are refused: no Writ log writes them and no monitor can audit them
// (tlog-checkpoint.md, "Note text", item 4: NOT RECOMMENDED). Reason: checkpoint-syntax.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fault("checkpoint-syntax", "want exactly three lines, origin, size and root")
	}
	c := Checkpoint{Origin: lines[0]}
	if !isKeyName(c.Origin) {
		return Checkpoint{}, fault("checkpoint-syntax", "origin %q is empty or has spaces, control characters or a plus", c.Origin)
	}
	var err error
	if c.Size, err = parseDecimal(lines[1]); err != nil {
		return Checkpoint{}, fault("checkpoint-syntax", "size: %v", err)
	}
	if c.Root, err = ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fault("checkpoint-syntax", "root: %v", err)
	}
	return c, nil
}

// Sign returns the checkpoint as a signed note. Ed25519 is deterministic: the same checkpoint gives the same bytes.
func (c Checkpoint) Sign(s *Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// OpenCheckpoint reads a signed checkpoint and requires a valid signature by at least one of the verifiers.
// Signatures of other keys are ignored; an invalid one by a listed key refuses the note
// (signed-note.md, "Signatures"). Reasons: note-syntax, checkpoint-syntax, checkpoint-signature.
func OpenCheckpoint(signed []byte, verifiers ...*Verifier) (Checkpoint, error) {
	c, _, err := openCheckpoint(signed, verifiers)
	return c, err
}

// ReadCheckpoint reads a signed checkpoint and checks no signature: for finding out whose it is and how far
// it reaches, never for relying on it.
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	n, err := openNote(signed, nil)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(n.Text)
}

// openCheckpoint returns also the keys, among the verifiers, that signed.
func openCheckpoint(signed []byte, verifiers []*Verifier) (Checkpoint, []*Verifier, error) {
	n, err := openNote(signed, verifiers)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	var by []*Verifier
	for _, s := range n.Sigs {
		for _, v := range verifiers {
			if v.name == s.Name && v.id == s.Hash {
				by = append(by, v)
			}
		}
	}
	if len(by) == 0 {
		return Checkpoint{}, nil, fault("checkpoint-signature", "not signed by any of the %d keys trusted for it", len(verifiers))
	}
	c, err := ParseCheckpoint(n.Text)
	return c, by, err
}

// openNote parses a signed note and verifies the signatures of the verifiers. A note without any is no error here.
// Stricter than the format in two ways, so that nobody can alter a note's bytes and keep it valid: base64 must be
// canonical, and no key signs twice.
func openNote(signed []byte, verifiers []*Verifier) (*note.Note, error) {
	if len(signed) > MaxCheckpointSize {
		return nil, fault("note-syntax", "%d bytes, at most %d allowed", len(signed), MaxCheckpointSize)
	}
	list := make([]note.Verifier, len(verifiers))
	for i, v := range verifiers {
		list[i] = v
	}
	n, err := note.Open(signed, note.VerifierList(list...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		n = unverified.Note
	case errors.As(err, &invalid):
		return nil, fault("checkpoint-signature", "the signature of %s does not verify", invalid.Name)
	case err != nil:
		return nil, fault("note-syntax", "%v", err)
	}
	return n, checkSignatureLines(n, len(signed))
}

func checkSignatureLines(n *note.Note, size int) error {
	want := len(n.Text) + 1
	for _, s := range append(n.Sigs[:len(n.Sigs):len(n.Sigs)], n.UnverifiedSigs...) {
		if _, err := decodeBase64(s.Base64); err != nil {
			return fault("note-syntax", "signature of %s: %v", s.Name, err)
		}
		want += len("— ") + len(s.Name) + 1 + len(s.Base64) + 1
	}
	if want != size {
		return fault("note-syntax", "a signature is given twice")
	}
	return nil
}

// decodeBase64 decodes standard base64 (RFC 4648 §4) and refuses any but the canonical form.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodeToString(b) != s {
		return nil, errors.New("not canonical base64")
	}
	return b, nil
}

// parseDecimal reads an ASCII decimal ≥ 0 without leading zeroes.
func parseDecimal(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("not a decimal number without leading zeroes")
	}
	return n, nil
}

// isKeyName reports whether a name may stand in a signature line (signed-note.md, "Format").
func isKeyName(s string) bool {
	forbidden := func(r rune) bool { return unicode.IsSpace(r) || r < 0x20 || r == '+' }
	return s != "" && utf8.ValidString(s) && strings.IndexFunc(s, forbidden) < 0
}
