package witness

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/log"
)

const (
	maxProofLines = 63 // tlog-witness.md, "add-checkpoint"

	// MaxRequestSize limits the body of an add-checkpoint request, in bytes.
	MaxRequestSize = 4<<10 + log.MaxCheckpointSize
)

// Request is the body of an add-checkpoint request (tlog-witness.md, "add-checkpoint").
type Request struct {
	Old        int64      // size of the checkpoint that the witness cosigned last, ≥ 0
	Proof      []log.Hash // RFC 6962 §2.1.2, from Old to the checkpoint; at most 63
	Checkpoint []byte     // a signed note
}

// Marshal returns the body.
func (r Request) Marshal() []byte {
	b := append(strconv.AppendInt([]byte("old "), r.Old, 10), '\n')
	for _, h := range r.Proof {
		b = append(append(b, h.String()...), '\n')
	}
	return append(append(b, '\n'), r.Checkpoint...)
}

// ParseRequest reads a body; Marshal gives the same bytes back. The checkpoint is cut off and not read.
// Reason: request-syntax.
func ParseRequest(body []byte) (r Request, err error) {
	if len(body) > MaxRequestSize {
		return r, fault("request-syntax", "%d bytes, at most %d allowed", len(body), MaxRequestSize)
	}
	head, checkpoint, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return r, fault("request-syntax", "no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if r.Old, err = parseSize(size); err != nil || !found {
		return r, fault("request-syntax", "the first line is not old and a size")
	}
	if len(lines)-1 > maxProofLines {
		return r, fault("request-syntax", "%d lines of proof, at most %d allowed", len(lines)-1, maxProofLines)
	}
	for i, line := range lines[1:] {
		h, err := log.ParseHash(line)
		if err != nil {
			return r, fault("request-syntax", "line %d of the proof: %v", i+1, err)
		}
		r.Proof = append(r.Proof, h)
	}
	r.Checkpoint = bytes.Clone(checkpoint)
	return r, nil
}

// parseSize reads an ASCII decimal ≥ 0 without leading zeroes.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return n, nil
}

func fault(reason, format string, args ...any) error {
	return &log.Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
