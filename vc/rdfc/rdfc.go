// Package rdfc adds and checks Data Integrity proofs of the RDF suites, eddsa-rdfc-2022 and ecdsa-rdfc-2019, for libraries that
// know no other. Writ itself neither keeps nor believes them: at rest and in bundles there is one proof, of a JCS suite, and
// this one is added beside it when a credential leaves (spec/protocol.md section 15).
//
// What an RDF proof covers is the statements that a document makes, not its bytes: the order of arrays is free. To keep the rest
// tight, contexts are the two of this build, no context is ever fetched, and a document with anything that JSON-LD would leave
// out of the statements is refused. It is pure: documents in, documents out. Start with Add and Verify.
package rdfc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/vc"
)

const (
	proofType     = "DataIntegrityProof"
	suiteEd25519  = "eddsa-rdfc-2022"
	suiteP256     = "ecdsa-rdfc-2019"
	signatureSize = 64 // bytes, of both suites
	maxProofs     = 4  // in one list
)

// suites is the cryptosuite of each key type.
var suites = map[string]string{"Ed25519": suiteEd25519, "P-256": suiteP256}

// Error is what this package refuses with: a stable reason code and the JSON Pointer of the place.
type Error = vc.Error

func refuse(reason, pointer, format string, args ...any) error {
	return &Error{Reason: reason, Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
}

// members is a proof as it stands in a document.
type members struct {
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

// Add returns doc, which has one proof of a JCS suite by s, with a second one beside it that says the same (created, method,
// purpose, audience) and differs in its suite: eddsa-rdfc-2022 (VC-DI-EDDSA §3.2) for an Ed25519 key, ecdsa-rdfc-2019
// (VC-DI-ECDSA §3.2) for a P-256 key. proof becomes a list of the two, the JCS proof first. Both cover the document without
// proofs, so neither covers the other.
// Reasons: those of vc.Verify, of Canonicalize, and the signer's error.
func Add(doc vc.Value, s vc.Signer) (vc.Value, error) { return add(doc, s, known) }

func add(doc jcs.Value, s vc.Signer, contexts loader) (jcs.Value, error) {
	if _, err := vc.Verify(doc, s.Public()); err != nil {
		return vc.Value{}, err
	}
	first, _ := doc.Member("proof")
	var m members
	if err := first.Decode(&m); err != nil {
		return vc.Value{}, err
	}
	m.Context, m.Cryptosuite, m.ProofValue = jcs.Value{}, suites[s.Public().Type()], ""
	config, quads, err := canonical(m, doc.Without("proof"), contexts)
	if err != nil {
		return vc.Value{}, err
	}
	signature, err := s.Sign(hashes(config, quads))
	if err != nil {
		return vc.Value{}, err
	}
	if m.ProofValue, err = proofValue(m.Cryptosuite, signature); err != nil {
		return vc.Value{}, err
	}
	second, err := jcs.ValueOf(m)
	if err != nil {
		return vc.Value{}, err
	}
	both, err := jcs.ValueOf([]jcs.Value{first, second})
	if err != nil {
		return vc.Value{}, err
	}
	return doc.With("proof", both), nil
}

// proofValue encodes a signature, the lower s of the two if it is ECDSA.
func proofValue(suite string, signature []byte) (string, error) {
	if len(signature) != signatureSize {
		return "", refuse("proof-value", "/proof/1/proofValue", "the signer gave no 64-byte signature")
	}
	if suite == suiteP256 {
		signature = vc.LowS(signature)
	}
	return jcs.EncodeBase58(signature), nil
}

// canonical returns the proof configuration and the document as canonical N-Quads (VC-DI-EDDSA §3.2.3, §3.2.5; VC-DI-ECDSA
// likewise). The configuration is the proof without its value, read in the document's context.
func canonical(m members, unsecured jcs.Value, contexts loader) (config, quads []byte, err error) {
	m.ProofValue = ""
	m.Context, _ = unsecured.Member("@context")
	v, err := jcs.ValueOf(m)
	if err != nil {
		return nil, nil, err
	}
	if config, err = canonicalize(v, contexts); err != nil {
		return nil, nil, err
	}
	quads, err = canonicalize(unsecured, contexts)
	return config, quads, err
}

// hashes is the message of both suites: the hash of the configuration, then that of the document (VC-DI-EDDSA §3.2.4).
func hashes(config, quads []byte) []byte {
	proofHash, documentHash := sha256.Sum256(config), sha256.Sum256(quads)
	return append(proofHash[:], documentHash[:]...)
}

// Verify finds the proof of an RDF suite among the one or more proofs of doc and checks its signature by key over the document's
// statements and the proof. Proofs of other suites are passed over: whoever relies on them calls vc.Verify with one. It judges
// nothing else: whether key is that of verificationMethod and trusted, the purpose, the audience and the times are the caller's.
// ECDSA signatures of foreign signers may have either s.
// Reasons: proof-missing, proof-not-single, proof-context, proof-type, proof-key, proof-time, proof-value, proof-signature,
// those of jcs.Value.Decode and of Canonicalize.
func Verify(doc vc.Value, key did.PublicKey) (vc.Proof, error) { return verify(doc, key, known) }

func verify(doc jcs.Value, key did.PublicKey, contexts loader) (vc.Proof, error) {
	m, pointer, err := find(doc)
	if err != nil {
		return vc.Proof{}, err
	}
	if suites[key.Type()] != m.Cryptosuite {
		return vc.Proof{}, refuse("proof-key", pointer+"/cryptosuite", "not the suite of this key")
	}
	p, signature, err := m.read(pointer)
	if err != nil {
		return vc.Proof{}, err
	}
	config, quads, err := canonical(m, doc.Without("proof"), contexts)
	if err != nil {
		return vc.Proof{}, err
	}
	if !key.Verify(hashes(config, quads), signature) {
		return vc.Proof{}, refuse("proof-signature", pointer+"/proofValue", "the signature does not fit statements, proof and key")
	}
	return p, nil
}

// find returns the only proof of an RDF suite and its place.
func find(doc jcs.Value) (m members, pointer string, err error) {
	v, ok := doc.Member("proof")
	if !ok {
		return m, "", refuse("proof-missing", "", "the document has no proof")
	}
	proofs := map[string]jcs.Value{"/proof": v}
	if v.Kind() == jcs.Array {
		proofs = map[string]jcs.Value{}
		for i, p := range v.Elements() {
			proofs[fmt.Sprintf("/proof/%d", i)] = p
		}
	}
	if len(proofs) > maxProofs {
		return m, "", refuse("proof-not-single", "/proof", "more than %d proofs", maxProofs)
	}
	for at, p := range proofs {
		suite, _ := p.Member("cryptosuite")
		if name, _ := suite.Text(); name != suiteEd25519 && name != suiteP256 {
			continue
		}
		if pointer != "" {
			return m, "", refuse("proof-not-single", "/proof", "more than one proof of an RDF suite")
		}
		pointer, v = at, p
	}
	if pointer == "" {
		return m, "", refuse("proof-missing", "/proof", "no proof of a known RDF suite")
	}
	if err := v.Decode(&m); err != nil {
		return m, "", within(pointer, err)
	}
	return m, pointer, m.check(doc, pointer)
}

// check holds the members that are not signed as they stand against the document.
func (m members) check(doc jcs.Value, pointer string) error {
	context, _ := doc.Member("@context")
	switch {
	case !m.Context.IsZero() && !m.Context.Equal(context):
		return refuse("proof-context", pointer+"/@context", "not the @context of the document")
	case m.Type != proofType:
		return refuse("proof-type", pointer+"/type", "not a DataIntegrityProof")
	}
	return nil
}

// read parses times and signature.
func (m members) read(pointer string) (vc.Proof, []byte, error) {
	created, err := time.Parse(time.RFC3339, m.Created)
	if err != nil {
		return vc.Proof{}, nil, refuse("proof-time", pointer+"/created", "not an RFC 3339 time")
	}
	var expires time.Time
	if m.Expires != "" {
		if expires, err = time.Parse(time.RFC3339, m.Expires); err != nil {
			return vc.Proof{}, nil, refuse("proof-time", pointer+"/expires", "not an RFC 3339 time")
		}
	}
	signature, err := jcs.DecodeBase58(m.ProofValue)
	if err != nil || len(signature) != signatureSize {
		return vc.Proof{}, nil, refuse("proof-value", pointer+"/proofValue", "not base58btc multibase of 64 bytes")
	}
	return vc.Proof{Cryptosuite: m.Cryptosuite, Created: created, VerificationMethod: m.VerificationMethod, ProofPurpose: m.ProofPurpose,
		ProofValue: m.ProofValue, Domain: m.Domain, Challenge: m.Challenge, Expires: expires}, signature, nil
}

// within moves an error about a proof to its place.
func within(pointer string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Pointer = pointer + e.Pointer
	return &moved
}
