package verifier

import (
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
)

// ReproveBundle gives each proof of a bundle anew, so that all of them end in another checkpoint; nothing else changes. So a bundle can
// be made now and be proven once others have cosigned a checkpoint that covers it. Reasons: those of the bundle's form; proof-syntax.
func ReproveBundle(data []byte, prove func(index int64) ([]byte, error)) ([]byte, error) {
	v, err := jcs.ParseBundle(data)
	if err != nil {
		return nil, err
	}
	var b Bundle
	if err := v.Decode(&b); err != nil {
		return nil, err
	}
	proofs := b.Head.proofs()
	for i := range b.Logged {
		proofs = append(proofs, &b.Logged[i].Proof)
	}
	for i := range b.Successors {
		proofs = append(proofs, &b.Successors[i].Proof)
	}
	if err := reprove(proofs, prove); err != nil {
		return nil, err
	}
	return jcs.MarshalBundle(&b)
}

// ReproveHead is ReproveBundle for a HeadProof.
func ReproveHead(data []byte, prove func(index int64) ([]byte, error)) ([]byte, error) {
	var p HeadProof
	if err := jcs.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	if err := reprove(p.proofs(), prove); err != nil {
		return nil, err
	}
	return jcs.Marshal(p)
}

// proofs are the proofs of a head, of which there may be none.
func (h *Head) proofs() []*string {
	if h == nil {
		return nil
	}
	all := []*string{&h.Heads.Proof}
	for i := range h.Chains {
		if n := h.Chains[i].Newest; n != nil {
			all = append(all, &n.Proof)
		}
	}
	return all
}

func reprove(proofs []*string, prove func(index int64) ([]byte, error)) error {
	for _, proof := range proofs {
		p, err := log.ParseProof([]byte(*proof))
		if err != nil {
			return asSpec(err)
		}
		text, err := prove(p.Index)
		if err != nil {
			return err
		}
		*proof = string(text)
	}
	return nil
}
