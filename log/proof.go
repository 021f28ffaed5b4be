package log

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
)

const (
	proofHeader = "c2sp.org/tlog-proof@v1"

	// maxProofHashes is the height of the tallest tree: sizes are below 2^63.
	maxProofHashes = 63

	// maxExtraSize limits a proof's extra data, in bytes.
	maxExtraSize = 4096

	// MaxProofSize limits a tlog-proof, in bytes.
	MaxProofSize = MaxCheckpointSize + 16<<10
)

// InclusionProof is a tlog-proof (tlog-proof.md, "Format"): everything that shows an entry's place in a log,
// except the entry itself and the keys to trust.
type InclusionProof struct {
	Extra      []byte // opaque and unauthenticated; nil if there is none
	Index      int64  // the entry's index, ≥ 0
	Hashes     []Hash // from the leaf's sibling up to the root's child (RFC 6962 §2.1.1)
	Checkpoint []byte // the signed checkpoint, verbatim
}

// Marshal returns the proof's text.
func (p InclusionProof) Marshal() []byte {
	b := append(make([]byte, 0, 128+45*len(p.Hashes)+len(p.Checkpoint)), proofHeader+"\n"...)
	if len(p.Extra) > 0 {
		b = append(base64.StdEncoding.AppendEncode(append(b, "extra "...), p.Extra), '\n')
	}
	b = append(strconv.AppendInt(append(b, "index "...), p.Index, 10), '\n')
	for _, h := range p.Hashes {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), p.Checkpoint...)
}

// ParseProof reads a tlog-proof; Marshal gives the same bytes back. It checks form only.
// Reasons: proof-syntax, note-syntax, checkpoint-syntax.
func ParseProof(text []byte) (InclusionProof, error) { return ParseProofUnder(string(text), nil) }

// ParseProofUnder is ParseProof for proofs of which many end in one checkpoint: its text is not read again where it is the known one,
// which ParseProof or ReadCheckpoint has read before.
func ParseProofUnder(text string, known []byte) (InclusionProof, error) {
	if len(text) > MaxProofSize {
		return InclusionProof{}, fault("proof-syntax", "%d bytes, at most %d allowed", len(text), MaxProofSize)
	}
	head, checkpoint, found := strings.Cut(text, "\n\n")
	if !found {
		return InclusionProof{}, fault("proof-syntax", "no empty line before the checkpoint")
	}
	p, err := parseProofHead(strings.Split(head, "\n"))
	if err != nil {
		return InclusionProof{}, err
	}
	if known != nil && checkpoint == string(known) {
		p.Checkpoint = known
		return p, nil
	}
	p.Checkpoint = []byte(checkpoint)
	_, err = ReadCheckpoint(p.Checkpoint)
	return p, err
}

func parseProofHead(lines []string) (p InclusionProof, err error) {
	if lines[0] != proofHeader {
		return p, fault("proof-syntax", "the first line is not %s", proofHeader)
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		p.Extra, err = decodeBase64(strings.TrimPrefix(lines[0], "extra "))
		if err != nil || len(p.Extra) == 0 || len(p.Extra) > maxExtraSize {
			return p, fault("proof-syntax", "extra is not 1 to %d bytes in base64", maxExtraSize)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return p, fault("proof-syntax", "no line with the index")
	}
	if p.Index, err = parseDecimal(strings.TrimPrefix(lines[0], "index ")); err != nil {
		return p, fault("proof-syntax", "index: %v", err)
	}
	p.Hashes, err = parseHashes(lines[1:])
	return p, err
}

func parseHashes(lines []string) ([]Hash, error) {
	if len(lines) > maxProofHashes {
		return nil, fault("proof-syntax", "%d hashes, at most %d are possible", len(lines), maxProofHashes)
	}
	hashes := make([]Hash, 0, len(lines))
	for i, line := range lines {
		h, err := ParseHash(line)
		if err != nil {
			return nil, fault("proof-syntax", "hash %d: %v", i, err)
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// CheckInclusion checks that a proof shows the leaf (see RecordHash) in the log called origin, under a checkpoint
// that the policy accepts, and returns that checkpoint (tlog-proof.md, "Verifying a tlog proof", steps 2 to 4).
// Extra is not looked at. Reasons: those of Policy.Verify, and proof-inclusion.
func CheckInclusion(p InclusionProof, leaf Hash, origin string, policy *Policy) (Checkpoint, error) {
	c, err := policy.Verify(p.Checkpoint, origin)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := p.Shows(leaf, c); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// Shows checks that the proof leads from the leaf to the root of c (RFC 6962 §2.1.1). Whether c is to be believed, and is the proof's
// own checkpoint, is the caller's business. Reason: proof-inclusion.
func (p InclusionProof) Shows(leaf Hash, c Checkpoint) error {
	if p.Index < 0 || p.Index >= c.Size {
		return fault("proof-inclusion", "index %d is not in a log of %d entries", p.Index, c.Size)
	}
	err := proof.VerifyInclusion(treeHasher, uint64(p.Index), uint64(c.Size), leaf[:], slicesOf(p.Hashes), c.Root[:])
	if err != nil {
		return fault("proof-inclusion", "index %d of %d: %v", p.Index, c.Size, err)
	}
	return nil
}

// CheckConsistency checks that the tree of the newer checkpoint starts with that of the older one
// (RFC 6962 §2.1.2). Signatures are the caller's business. Reason: proof-consistency.
func CheckConsistency(older, newer Checkpoint, hashes []Hash) error {
	if older.Origin != newer.Origin {
		return fault("proof-consistency", "checkpoints of two logs, %s and %s", older.Origin, newer.Origin)
	}
	if older.Size < 0 || older.Size > newer.Size {
		return fault("proof-consistency", "the log shrank from %d to %d entries", older.Size, newer.Size)
	}
	if older.Size == 0 && older.Root != emptyRoot {
		return fault("proof-consistency", "an empty tree with a root of its own")
	}
	err := proof.VerifyConsistency(treeHasher, uint64(older.Size), uint64(newer.Size), slicesOf(hashes), older.Root[:], newer.Root[:])
	if err != nil {
		return fault("proof-consistency", "%d to %d: %v", older.Size, newer.Size, err)
	}
	return nil
}

func slicesOf(hashes []Hash) [][]byte {
	s := make([][]byte, len(hashes))
	for i := range hashes {
		s[i] = hashes[i][:]
	}
	return s
}
