package vc

import (
	"math/big"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// The names that a Data Integrity proof of Writ may have.
const (
	proofType     = "DataIntegrityProof"
	suiteEd25519  = "eddsa-jcs-2022"
	suiteP256     = "ecdsa-jcs-2019"
	signatureSize = 64 // bytes, of both suites
)

// A Signer holds one private key. Sign returns a signature over message as did.PublicKey.Verify
// expects it; P-256 signers may give either s.
type Signer interface {
	Public() did.PublicKey
	Sign(message []byte) ([]byte, error)
}

// ProofOptions is what a signer states beside the document.
type ProofOptions struct {
	VerificationMethod string    // DID URL of the signer's key
	Purpose            string    // did.AssertionMethod, did.Authentication or did.CapabilityDelegation
	Created            time.Time // written in UTC, without a fraction of a second if it has none
	Expires            time.Time // presentations only
	Domain             string    // presentations only: whom the presentation is for
	Challenge          string    // presentations only, optional
}

// Proof is a Data Integrity proof (VC Data Integrity 1.0 §2.1) in Writ's closed form.
type Proof struct {
	Cryptosuite        string // eddsa-jcs-2022 or ecdsa-jcs-2019
	Created            time.Time
	VerificationMethod string
	ProofPurpose       string
	ProofValue         string    // multibase base58btc of 64 bytes
	Domain             string    // presentations only
	Challenge          string    // presentations only, may be empty
	Expires            time.Time // presentations only
}

// proofMembers is a proof as it stands in a document.
type proofMembers struct {
	Context            jcs.Value `json:"@context,omitempty"`
	Type               string    `json:"type"`
	Cryptosuite        string    `json:"cryptosuite"`
	Created            string    `json:"created"`
	VerificationMethod string    `json:"verificationMethod"`
	ProofPurpose       string    `json:"proofPurpose"`
	ProofValue         string    `json:"proofValue,omitempty"`
	Domain             string    `json:"domain,omitempty"`
	Challenge          string    `json:"challenge,omitempty"`
	Expires            string    `json:"expires,omitempty"`
}

// Sign returns doc with a proof by s added: eddsa-jcs-2022 (VC-DI-EDDSA §3.3) for an Ed25519 key,
// ecdsa-jcs-2019 (VC-DI-ECDSA §3.3) for a P-256 key. proof.@context is the document's, if it has
// one. It refuses what ReadProof would (a document that has a proof already: proof-present) and
// passes the signer's error on.
func Sign(doc jcs.Value, o ProofOptions, s Signer) (jcs.Value, error) {
	if _, signed := doc.Member("proof"); signed {
		return jcs.Value{}, refuse("proof-present", "/proof", "the document is signed already")
	}
	suite, ok := suites[s.Public().Type()]
	if !ok {
		return jcs.Value{}, refuse("proof-key", "", "the signer has no key of a known type")
	}
	members := o.members(suite, doc)
	config, err := jcs.ValueOf(members)
	if err != nil {
		return jcs.Value{}, err
	}
	signature, err := s.Sign(hashData(config, doc))
	if err != nil {
		return jcs.Value{}, err
	}
	if members.ProofValue, err = proofValue(suite, signature); err != nil {
		return jcs.Value{}, err
	}
	proof, err := jcs.ValueOf(members)
	if err != nil {
		return jcs.Value{}, err
	}
	signed := doc.With("proof", proof)
	if _, err := ReadProof(signed); err != nil {
		return jcs.Value{}, err
	}
	return signed, nil
}

// members returns the proof configuration for doc: everything but proofValue.
func (o ProofOptions) members(suite string, doc jcs.Value) proofMembers {
	context, _ := doc.Member("@context")
	return proofMembers{
		Context:            context,
		Type:               proofType,
		Cryptosuite:        suite,
		Created:            formatTime(o.Created),
		VerificationMethod: o.VerificationMethod,
		ProofPurpose:       o.Purpose,
		Domain:             o.Domain,
		Challenge:          o.Challenge,
		Expires:            formatTime(o.Expires),
	}
}

// suites is the cryptosuite of each key type.
var suites = map[string]string{"Ed25519": suiteEd25519, "P-256": suiteP256}

// proofValue encodes a signature, the lower s of the two if it is ECDSA.
func proofValue(suite string, signature []byte) (string, error) {
	if len(signature) != signatureSize {
		return "", refuse("proof-value", "/proof/proofValue", "the signer gave no 64-byte signature")
	}
	if suite == suiteP256 {
		signature = LowS(signature)
	}
	return jcs.EncodeBase58(signature), nil
}

// hashData is the message of both suites: SHA-256 of the proof without its value, then SHA-256 of the
// document without the proof, each canonicalised (VC-DI-EDDSA §3.3.4, VC-DI-ECDSA §3.3.4).
func hashData(proof, doc jcs.Value) []byte {
	proofHash := proof.SumWithout("", "proofValue")
	documentHash := doc.SumWithout("", "proof")
	return append(proofHash[:], documentHash[:]...)
}

// ReadProof reads the only proof of doc without checking the signature. It is stricter than VC
// Data Integrity: one proof, not a set; exactly the members type, cryptosuite, created,
// verificationMethod, proofPurpose and proofValue, all of known form, and for presentations (which
// must have them) domain and expires, with an optional challenge; @context equal to the
// document's, absent if the document has none. So nothing can be added to a signed document or its
// proof that one library reads and another does not.
// Reasons: proof-missing, proof-not-single, proof-empty, proof-context, proof-type, proof-suite,
// proof-audience, proof-time, proof-value, proof-high-s, and those of jcs.Value.Decode.
func ReadProof(doc jcs.Value) (Proof, error) {
	p, _, err := readProof(doc)
	return p, err
}

// readProof is ReadProof with the signature decoded.
func readProof(doc jcs.Value) (Proof, []byte, error) {
	v, ok := doc.Member("proof")
	if !ok {
		return Proof{}, nil, refuse("proof-missing", "", "the document has no proof")
	}
	if v.Kind() != jcs.Object {
		return Proof{}, nil, refuse("proof-not-single", "/proof", "not one proof")
	}
	var m proofMembers
	if err := v.Decode(&m); err != nil {
		return Proof{}, nil, within("/proof", err)
	}
	for _, member := range v.Members() {
		if text, ok := member.Value.Text(); ok && text == "" {
			return Proof{}, nil, refuse("proof-empty", "/proof/"+member.Name, "an empty string")
		}
	}
	if err := m.check(doc); err != nil {
		return Proof{}, nil, err
	}
	p, err := m.proof()
	if err != nil {
		return Proof{}, nil, err
	}
	signature, err := p.signature()
	return p, signature, err
}

// check holds the members against the document and the closed lists.
func (m proofMembers) check(doc jcs.Value) error {
	context, _ := doc.Member("@context")
	presented := hasType(doc, TypePresentation)
	switch {
	case m.Context.IsZero() != context.IsZero() || !m.Context.IsZero() && !m.Context.Equal(context):
		return refuse("proof-context", "/proof/@context", "not the @context of the document")
	case m.Type != proofType:
		return refuse("proof-type", "/proof/type", "not a DataIntegrityProof")
	case m.Cryptosuite != suiteEd25519 && m.Cryptosuite != suiteP256:
		return refuse("proof-suite", "/proof/cryptosuite", "neither eddsa-jcs-2022 nor ecdsa-jcs-2019")
	case presented && (m.Domain == "" || m.Expires == ""):
		return refuse("proof-audience", "/proof", "a presentation's proof has domain and expires")
	case !presented && (m.Domain != "" || m.Expires != "" || m.Challenge != ""):
		return refuse("proof-audience", "/proof", "domain, challenge and expires are for presentations")
	}
	return nil
}

// proof parses the times of the members.
func (m proofMembers) proof() (Proof, error) {
	created, err := parseTime("proof-time", "/proof/created", m.Created)
	if err != nil {
		return Proof{}, err
	}
	var expires time.Time
	if m.Expires != "" {
		if expires, err = parseTime("proof-time", "/proof/expires", m.Expires); err != nil {
			return Proof{}, err
		}
	}
	return Proof{
		Cryptosuite:        m.Cryptosuite,
		Created:            created,
		VerificationMethod: m.VerificationMethod,
		ProofPurpose:       m.ProofPurpose,
		ProofValue:         m.ProofValue,
		Domain:             m.Domain,
		Challenge:          m.Challenge,
		Expires:            expires,
	}, nil
}

// signature decodes proofValue: 64 bytes in one spelling, for ECDSA the lower s of the two.
func (p Proof) signature() ([]byte, error) {
	const pointer = "/proof/proofValue"
	signature, err := jcs.DecodeBase58(p.ProofValue)
	if err != nil || len(signature) != signatureSize {
		return nil, refuse("proof-value", pointer, "not base58btc multibase of 64 bytes")
	}
	if hasOtherForm(p.Cryptosuite, signature) {
		return nil, refuse("proof-high-s", pointer, "the higher s of the two possible")
	}
	return signature, nil
}

// Verify reads the proof of doc, as ReadProof does, and checks the signature by key over document
// and proof. It judges nothing else: whether key is that of verificationMethod and trusted, the
// purpose, the audience (Proof.CheckAudience) and the times (Proof.CheckFresh) are the caller's.
// Reasons: those of ReadProof, proof-key (of another type than the suite's), proof-signature.
func Verify(doc jcs.Value, key did.PublicKey) (Proof, error) {
	p, signature, err := readProof(doc)
	if err != nil {
		return Proof{}, err
	}
	if suites[key.Type()] != p.Cryptosuite {
		return Proof{}, refuse("proof-key", "/proof/cryptosuite", "not the suite of this key")
	}
	config, _ := doc.Member("proof")
	if !key.Verify(hashData(config, doc), signature) {
		return Proof{}, refuse("proof-signature", "/proof/proofValue", "the signature does not fit document, proof and key")
	}
	return p, nil
}

// CheckAudience tells whether a presentation's proof was made to authenticate to domain, in answer
// to challenge, "" if none was asked for. Reasons: proof-purpose, proof-domain, proof-challenge.
func (p Proof) CheckAudience(domain, challenge string) error {
	switch {
	case p.ProofPurpose != did.Authentication:
		return refuse("proof-purpose", "/proof/proofPurpose", "not authentication")
	case p.Domain != domain:
		return refuse("proof-domain", "/proof/domain", "made for somebody else")
	case challenge != "" && p.Challenge != challenge:
		return refuse("proof-challenge", "/proof/challenge", "not the challenge given")
	}
	return nil
}

// CheckFresh tells whether a presentation's proof counts at an instant: created at most skew after
// it, expires after it, and expires at most life after created. Reasons: proof-life, proof-early,
// proof-expired.
func (p Proof) CheckFresh(at time.Time, life, skew time.Duration) error {
	span := p.Expires.Sub(p.Created)
	switch {
	case span <= 0 || span > life:
		return refuse("proof-life", "/proof/expires", "not after created, or longer after it than allowed")
	case p.Created.After(at.Add(skew)):
		return refuse("proof-early", "/proof/created", "in the future")
	case !at.Before(p.Expires):
		return refuse("proof-expired", "/proof/expires", "past")
	}
	return nil
}

// The order of P-256 and half of it (SEC 2 §2.4.2): of s and n − s the lower is at most half.
var (
	p256Order, _  = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	p256HalfOrder = new(big.Int).Rsh(p256Order, 1)
)

// isLowS reports whether the s of r || s is the lower of the two that verify.
func isLowS(signature []byte) bool {
	s := new(big.Int).SetBytes(signature[signatureSize/2:])
	return s.Cmp(p256HalfOrder) <= 0
}

// LowS returns the 64 bytes r || min(s, n − s) of a P-256 signature r || s, as the proofs of Writ have it. An s out of range
// stays as it is and verifies nowhere.
func LowS(signature []byte) []byte {
	s := new(big.Int).SetBytes(signature[signatureSize/2:])
	if isLowS(signature) || s.Cmp(p256Order) >= 0 {
		return signature
	}
	low := append([]byte(nil), signature...)
	s.Sub(p256Order, s).FillBytes(low[signatureSize/2:])
	return low
}
