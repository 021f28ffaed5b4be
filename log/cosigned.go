package log

import (
	"encoding/binary"
	"slices"
	"time"
)

// CosignedAt returns the time as of which the policy's quorum had cosigned a signed checkpoint: the latest T such that cosignatures of
// T or later meet it (tlog-cosignature.md, "Format"). It is false where the quorum is none or not met. What Verify refuses is refused.
func (p *Policy) CosignedAt(signed []byte, origin string) (time.Time, bool, error) {
	if _, err := p.Verify(signed, origin); err != nil || !p.Witnessed() {
		return time.Time{}, false, err
	}
	keys := p.keysFor(origin)
	n, err := openNote(signed, keys)
	if err != nil {
		return time.Time{}, false, err
	}
	times := map[uint32]int64{}
	for _, s := range n.Sigs {
		b, err := decodeBase64(s.Base64)
		if err != nil || len(b) < 12 {
			continue // a log's own signature is longer, and has no time
		}
		times[s.Hash] = int64(binary.BigEndian.Uint64(b[4:]))
	}
	seconds := p.cosigned(p.quorum, times)
	return time.Unix(seconds, 0).UTC(), seconds > 0, nil
}

// cosigned is when the named witness or group had cosigned, 0 if it has not.
func (p *Policy) cosigned(name string, times map[uint32]int64) int64 {
	m := p.members[name]
	if m.key != nil {
		return times[m.key.id]
	}
	var all []int64
	for _, of := range m.of {
		all = append(all, p.cosigned(of, times))
	}
	slices.Sort(all)
	return all[len(all)-m.threshold]
}
