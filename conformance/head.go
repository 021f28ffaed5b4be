package conformance

import (
	"encoding/json"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/verifier"
)

// Head is either entries of a log, whose heads give a root and a proof for the chain that is asked for; or head proofs for a trust
// file: one to check, or two that may contradict each other.
type Head struct {
	Entries []HeadEntry       `json:"entries,omitempty"`
	Chain   string            `json:"chain,omitempty"`
	Proofs  []json.RawMessage `json:"proofs,omitempty"`
	Trust   json.RawMessage   `json:"trust,omitempty"`
	Want    HeadEnd           `json:"want"`
}

// HeadEntry is what an entry says of one chain.
type HeadEntry struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Index int64  `json:"index"`
	Leaf  string `json:"leaf"`
}

// HeadEnd is, of entries, the root and the proof; of one proof, what it says; of two, that they contradict each other.
type HeadEnd struct {
	Root        string `json:"root,omitempty"`
	Proof       string `json:"proof,omitempty"`
	Seq         int64  `json:"seq,omitempty"`
	Index       int64  `json:"index,omitempty"`
	Relied      string `json:"relied,omitempty"`
	Contradicts bool   `json:"contradicts,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Pointer     string `json:"pointer,omitempty"`
}

func (h *Head) run() error { return difference("head", h.end(), h.Want) }

// end is what comes of it, with a refusal as an answer.
func (h *Head) end() HeadEnd {
	end, err := h.ask()
	if err != nil {
		r := refusalOf(err)
		return HeadEnd{Reason: r.reason, Pointer: r.pointer}
	}
	return end
}

func (h *Head) ask() (HeadEnd, error) {
	if len(h.Proofs) == 0 {
		return h.replay()
	}
	trust, err := verifier.ParseTrust(h.Trust)
	if err != nil {
		return HeadEnd{}, err
	}
	if len(h.Proofs) == 1 {
		a, err := verifier.CheckHead(h.Proofs[0], trust)
		return HeadEnd{Seq: a.Seq, Index: a.Index, Relied: a.Relied}, err
	}
	evidence, err := verifier.NewContradiction(h.Proofs[0], h.Proofs[1])
	if err != nil {
		return HeadEnd{}, err
	}
	_, err = verifier.CheckContradiction(evidence, trust)
	return HeadEnd{Contradicts: true}, err
}

// replay adds the entries to an empty map.
func (h *Head) replay() (HeadEnd, error) {
	var m heads.Map
	for _, e := range h.Entries {
		chain, err := jcs.ParseDigest(e.Chain)
		if err != nil {
			return HeadEnd{}, err
		}
		leaf, err := jcs.ParseDigest(e.Leaf)
		if err != nil {
			return HeadEnd{}, err
		}
		if err := m.Add(chain, heads.Head{Seq: e.Seq, Index: e.Index, Leaf: log.Hash(leaf)}); err != nil {
			return HeadEnd{}, err
		}
	}
	asked, err := jcs.ParseDigest(h.Chain)
	return HeadEnd{Root: jcs.FormatDigest(m.Root()), Proof: string(m.Prove(asked).Marshal())}, err
}
