package verifier

import (
	"context"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// Types of document that show heads; neither is signed by itself.
const (
	TypeHeadProof     = "HeadProof"
	TypeContradiction = "Contradiction"
)

// HeadProof is a Head of one chain by itself, for whoever asks for it (protocol.md 16.6).
type HeadProof struct {
	Type    string `json:"type"`
	Version string `json:"version"`
	Head
}

// Contradiction is two head proofs of one chain that cannot both be of an honest log: evidence against it (protocol.md 16.7).
type Contradiction struct {
	Type    string      `json:"type"`
	Version string      `json:"version"`
	Proofs  []jcs.Value `json:"proofs"` // HeadProof, two
}

// ShowHead writes the HeadProof of a chain. The newest entry's state is opened where the chain is org's; entry gives the bytes of others.
// Reason: heads-not-ready.
func ShowHead(ctx context.Context, source Heads, org, chain string, entry, prove func(index int64) ([]byte, error)) ([]byte, error) {
	h, _, err := showHead(ctx, source, org, []string{chain}, entry, prove)
	if err != nil {
		return nil, err
	}
	return jcs.Marshal(HeadProof{Type: TypeHeadProof, Version: spec.Version, Head: *h})
}

// HeadAnswer is what a HeadProof says to one reader.
type HeadAnswer struct {
	Chain  string        `json:"chain"`
	Origin string        `json:"origin"`
	Relied string        `json:"relied"` // Asserted or Replayed
	Entry  int64         `json:"entry"`  // index of the heads entry
	Seq    int64         `json:"seq"`    // of the chain's newest entry; 0 if it has none
	Index  int64         `json:"index"`  // of that entry in the log; -1 if there is none
	State  *spec.Opening `json:"state,omitempty"`

	leaf log.Hash
}

// CheckHead verifies a HeadProof from its bytes and the trust file alone: the checkpoint is one that the trust file's policy takes, the
// heads entry is under it, and the map says what is shown. Reasons: those of the bytes, of proofs and of the policy; heads-entry,
// heads-chains, heads-proof, heads-proof-syntax, entry-opened.
func CheckHead(data []byte, trust *Trust) (HeadAnswer, error) {
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return HeadAnswer{}, err
	}
	c := &checking{trust: trust}
	a, err := c.headProof(v)
	if err != nil {
		return a, err
	}
	if _, err := trust.logs.Verify(c.checkpoint, c.origin); err != nil {
		return a, asSpec(err)
	}
	a.Relied, err = c.replayedHeads()
	return a, asSpec(err)
}

// headProof checks a HeadProof down to the checkpoint, and not who signed that.
func (c *checking) headProof(v jcs.Value) (a HeadAnswer, err error) {
	var p HeadProof
	if err := v.Decode(&p); err != nil {
		return a, err
	}
	if p.Type != TypeHeadProof || p.Version != spec.Version {
		return a, spec.Refuse("type-unknown", "/type", "a head proof of version 1 is wanted")
	}
	if len(p.Chains) != 1 || len(p.Windows) > 0 {
		return a, spec.Refuse("heads-chains", "/chains", "a head proof is of one chain, and opens no windows")
	}
	shown, entry, err := c.readHead(&p.Head)
	if err != nil {
		return a, err
	}
	s := shown[p.Chains[0].Chain]
	a = HeadAnswer{Chain: p.Chains[0].Chain, Origin: c.origin, Entry: entry, Seq: s.Seq, Index: s.Index, State: s.opened, leaf: s.Leaf}
	if s.Seq == 0 {
		a.Index = -1
	}
	return a, nil
}

// NewContradiction puts two head proofs into one document. It does not look at what they say: see CheckContradiction.
func NewContradiction(first, second []byte) ([]byte, error) {
	x := Contradiction{Type: TypeContradiction, Version: spec.Version}
	for _, data := range [][]byte{first, second} {
		v, err := jcs.ParseDocument(data)
		if err != nil {
			return nil, err
		}
		x.Proofs = append(x.Proofs, v)
	}
	return jcs.MarshalBundle(x)
}

// CheckContradiction verifies that a Contradiction holds: two head proofs, both under checkpoints that the log's key signed, that no one
// history of the chain has. It says in words what they contradict each other in. Witnesses are not asked: the log is accused by its own
// signature. Reasons: those of CheckHead; contradiction-other (of two chains or logs), contradiction-none (both can be true).
func CheckContradiction(data []byte, trust *Trust) (string, error) {
	v, err := jcs.ParseBundle(data)
	if err != nil {
		return "", err
	}
	var x Contradiction
	if err := v.Decode(&x); err != nil {
		return "", err
	}
	if x.Type != TypeContradiction || x.Version != spec.Version || len(x.Proofs) != 2 {
		return "", spec.Refuse("type-unknown", "/type", "a contradiction of version 1, of two proofs, is wanted")
	}
	var said [2]HeadAnswer
	for i, p := range x.Proofs {
		if said[i], err = signedHead(p, trust); err != nil {
			return "", placed("/proofs/"+strconv.Itoa(i), err)
		}
	}
	if said[0].Origin != said[1].Origin || said[0].Chain != said[1].Chain {
		return "", spec.Refuse("contradiction-other", "/proofs", "the proofs are of two chains, or of two logs")
	}
	how := contradict(said[0], said[1])
	if how == "" {
		return "", spec.Refuse("contradiction-none", "/proofs", "both can be true of one history")
	}
	return how, nil
}

// signedHead checks a HeadProof and that the log's own key signed its checkpoint.
func signedHead(v jcs.Value, trust *Trust) (HeadAnswer, error) {
	c := &checking{trust: trust}
	a, err := c.headProof(v)
	if err != nil {
		return a, err
	}
	var keys []*log.Verifier
	for _, key := range trust.logs.Logs() {
		if key.Name() == c.origin {
			keys = append(keys, key)
		}
	}
	_, err = log.OpenCheckpoint(c.checkpoint, keys...)
	return a, asSpec(err)
}

// contradict says what in two heads of one chain cannot both be of one history in which the chain only grows, "" if all can.
func contradict(a, b HeadAnswer) string {
	if a.Entry > b.Entry {
		a, b = b, a
	}
	same := heads.Head{Seq: a.Seq, Index: a.Index, Leaf: a.leaf} == heads.Head{Seq: b.Seq, Index: b.Index, Leaf: b.leaf}
	number := func(h HeadAnswer) string {
		return strconv.FormatInt(h.Seq, 10) + " at index " + strconv.FormatInt(h.Index, 10) + " as of entry " + strconv.FormatInt(h.Entry, 10)
	}
	switch {
	case a.Seq == b.Seq && !same:
		return "two newest entries of one number: " + number(a) + ", " + number(b)
	case a.Entry == b.Entry && !same:
		return "two heads in one heads entry: " + number(a) + ", " + number(b)
	case a.Seq > b.Seq:
		return "the chain went back: " + number(a) + ", " + number(b)
	case a.Seq < b.Seq && b.Index < a.Entry:
		return "an entry was there and not shown: " + number(b) + ", but " + number(a)
	}
	return ""
}
