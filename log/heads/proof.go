package heads

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/log"
)

const proofHeader = "writ/heads-proof/v1"

// MaxProofSize limits a proof, in bytes: one of 256 steps has less.
const MaxProofSize = 16 << 10

// Proof shows, under a root, the leaf to which the search for a chain leads (spec/protocol.md 16.4). If that is the chain's own it
// shows its head; if it is another's, the chain has no entry. Under one root, whoever computed it, never both can be shown.
type Proof struct {
	Chain Chain    // whose leaf it is
	Value log.Hash // what the map holds there (Head.Value); zero for the empty map
	Steps []Step   // from the leaf up to the root; none in a map of one chain
}

// Step is a branch on the way.
type Step struct {
	Depth   uint8    // of the branch: smaller at each step
	Sibling log.Hash // the node beside the way
}

// Marshal returns the proof's text.
func (p Proof) Marshal() []byte {
	b := append(make([]byte, 0, 128+50*len(p.Steps)), proofHeader+"\n"...)
	if p.isEmpty() {
		return b
	}
	b = append(base64.StdEncoding.AppendEncode(b, p.Chain[:]), ' ')
	b = append(base64.StdEncoding.AppendEncode(b, p.Value[:]), '\n')
	for _, s := range p.Steps {
		b = append(strconv.AppendUint(b, uint64(s.Depth), 10), ' ')
		b = append(base64.StdEncoding.AppendEncode(b, s.Sibling[:]), '\n')
	}
	return b
}

func (p Proof) isEmpty() bool { return p.Value == log.Hash{} }

// ParseProof reads a proof's text; Marshal gives the same bytes back. It checks form only. Reason: heads-proof-syntax.
func ParseProof(text []byte) (Proof, error) {
	if len(text) > MaxProofSize {
		return Proof{}, fault("heads-proof-syntax", "%d bytes, at most %d allowed", len(text), MaxProofSize)
	}
	lines := strings.Split(string(text), "\n")
	if lines[0] != proofHeader || len(lines) < 2 || lines[len(lines)-1] != "" {
		return Proof{}, fault("heads-proof-syntax", "the first line is not %s, or the last one does not end", proofHeader)
	}
	lines = lines[1 : len(lines)-1]
	if len(lines) == 0 {
		return Proof{}, nil
	}
	p, err := parseLeaf(lines[0])
	if err != nil {
		return Proof{}, err
	}
	for above, line := range lines[1:] {
		s, err := parseStep(line)
		if err != nil {
			return Proof{}, err
		}
		if above > 0 && s.Depth >= p.Steps[above-1].Depth {
			return Proof{}, fault("heads-proof-syntax", "the depth %d does not follow %d", s.Depth, p.Steps[above-1].Depth)
		}
		p.Steps = append(p.Steps, s)
	}
	return p, nil
}

func parseLeaf(line string) (Proof, error) {
	chain, value, _ := strings.Cut(line, " ")
	c, err := log.ParseHash(chain)
	if err != nil {
		return Proof{}, fault("heads-proof-syntax", "chain: %v", err)
	}
	p := Proof{Chain: Chain(c)}
	if p.Value, err = log.ParseHash(value); err != nil || p.isEmpty() {
		return Proof{}, fault("heads-proof-syntax", "the value is not a base64 SHA-256 hash")
	}
	return p, nil
}

func parseStep(line string) (Step, error) {
	depth, sibling, _ := strings.Cut(line, " ")
	d, err := strconv.ParseUint(depth, 10, 8)
	if err != nil || strconv.FormatUint(d, 10) != depth {
		return Step{}, fault("heads-proof-syntax", "%q is not a depth from 0 to 255", depth)
	}
	s := Step{Depth: uint8(d)}
	if s.Sibling, err = log.ParseHash(sibling); err != nil {
		return Step{}, fault("heads-proof-syntax", "depth %d: %v", d, err)
	}
	return s, nil
}

// root computes the root that the proof leads to.
func (p Proof) root() log.Hash {
	if p.isEmpty() {
		return EmptyRoot
	}
	h := leafHash(&p.Chain, p.Value)
	for _, s := range p.Steps {
		if p.Chain.bit(int(s.Depth)) == 0 {
			h = branchHash(s.Depth, h, s.Sibling)
		} else {
			h = branchHash(s.Depth, s.Sibling, h)
		}
	}
	return h
}

// CheckHead checks that under root the newest entry of chain c is h. Reason: heads-proof.
func (p Proof) CheckHead(root log.Hash, c Chain, h Head) error {
	if p.isEmpty() || p.Chain != c {
		return fault("heads-proof", "it shows that chain %x has no entry", c)
	}
	if p.Value != h.Value() {
		return fault("heads-proof", "the newest entry of chain %x is not number %d, at index %d", c, h.Seq, h.Index)
	}
	return p.checkRoot(root)
}

// CheckAbsent checks that under root chain c has no entry. Reason: heads-proof.
func (p Proof) CheckAbsent(root log.Hash, c Chain) error {
	if !p.isEmpty() && p.Chain == c {
		return fault("heads-proof", "it shows that chain %x has an entry", c)
	}
	for _, s := range p.Steps {
		if p.Chain.bit(int(s.Depth)) != c.bit(int(s.Depth)) {
			return fault("heads-proof", "the search for chain %x takes another way at depth %d", c, s.Depth)
		}
	}
	return p.checkRoot(root)
}

func (p Proof) checkRoot(root log.Hash) error {
	if got := p.root(); got != root {
		return fault("heads-proof", "it leads to the root %s, not %s", got, root)
	}
	return nil
}
