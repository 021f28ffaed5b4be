package log

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"
)

// Cosigner makes timestamped signatures over the checkpoints of others (tlog-cosignature.md, "Ed25519 signed message").
// Whoever calls Cosign has made sure of what a cosignature says.
type Cosigner struct {
	Verifier
	sign func(message []byte) ([]byte, error)
}

// NewCosigner returns the cosigner called name. sign makes Ed25519 signatures that public verifies. The key must be
// of this cosigner alone: what it signs does not name it ("Additional statements"). Reason: key-syntax.
func NewCosigner(name string, public ed25519.PublicKey, sign func(message []byte) ([]byte, error)) (*Cosigner, error) {
	if !isKeyName(name) {
		return nil, fault("key-syntax", "key name %q is empty or has spaces, control characters or a plus", name)
	}
	if len(public) != ed25519.PublicKeySize || sign == nil {
		return nil, fault("key-syntax", "a cosigner's key must be Ed25519")
	}
	return &Cosigner{*newVerifier(name, typeCosignature, public), sign}, nil
}

// Cosign returns the signature line over a note text, as of a time in whole seconds after 1970.
func (c *Cosigner) Cosign(text string, at time.Time) ([]byte, error) {
	seconds := at.Unix()
	if seconds <= 0 {
		return nil, fault("cosignature-time", "a cosignature's time is after 1970, not %s", at.UTC().Format(time.RFC3339))
	}
	signature, err := c.sign([]byte("cosignature/v1\ntime " + strconv.FormatInt(seconds, 10) + "\n" + text))
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32(nil, c.id)
	b = append(binary.BigEndian.AppendUint64(b, uint64(seconds)), signature...)
	return []byte("— " + c.name + " " + base64.StdEncoding.EncodeToString(b) + "\n"), nil
}

// A PolicyWitness is a witness line of a policy (tlog-policy.md, "Defining a witness").
type PolicyWitness struct {
	Name string // of the policy's own, for groups and quorum
	Key  *Verifier
	URL  string // submission prefix of tlog-witness.md, or empty
}

// Witnesses returns the policy's witnesses in the order of their lines.
func (p *Policy) Witnesses() []PolicyWitness {
	var all []PolicyWitness
	for _, name := range p.order {
		if m := p.members[name]; m.key != nil {
			all = append(all, PolicyWitness{name, m.key, p.urls[m.key]})
		}
	}
	return all
}
