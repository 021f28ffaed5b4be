// Package writtest builds Acme, an organisation with a treasurer, a chief financial officer and an intern, a seal, a ledger, a
// bank that executes and two agents, and every document that they sign. It is for tests only, of any package above spec.
//
// All of it is a function of the seed and of World.Now, so a test that fails fails again. Mistakes of the test itself panic.
// Start with Acme, then World.Found and World.Grant.
package writtest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// Names that do not depend on the seed.
const (
	Grantor  = "did:web:acme.example"
	Verifier = "did:web:writ.acme.example"
	Bank     = "did:web:bank.example"
	Origin   = "writ.acme.example/log1" // of the log
	Account  = "iban:PT50000201231234567890154"
	Payee    = "lei:ZXTILKJKG63JELOEG630"
)

// Start is the instant at which every World begins.
var Start = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// World is Acme and its partners. Now is the instant at which the next document is signed or recorded; a test moves it.
type World struct {
	Now time.Time

	seed  string
	drawn uint64 // random values drawn so far

	actions map[string]jcs.Value // by digest
}

// Acme makes the world of a seed.
func Acme(seed string) *World { return &World{Now: Start, seed: seed} }

// Key is the signing key of one party: treasurer, cfo, intern, seal, ledger, bank, agent, subagent, or any other name.
func (w *World) Key(name string) vc.Signer {
	sum := sha256.Sum256([]byte("writtest\n" + w.seed + "\n" + name))
	return vc.NewEd25519Signer(ed25519.NewKeyFromSeed(sum[:]))
}

// DID is the did:key of a party: what the agents are called.
func (w *World) DID(name string) string { return w.Key(name).Public().DID() }

// KeyID is the verification method of a person's, the seal's, the ledger's, the bank's or an agent's key.
func (w *World) KeyID(name string) string {
	switch name {
	case "ledger":
		return Verifier + "#" + w.Key(name).Public().Multikey()
	case "bank":
		return Bank + "#" + w.Key(name).Public().Multikey()
	case "agent", "subagent":
		return did.MethodID(w.DID(name))
	}
	return Grantor + "#" + name
}

// LogSigner signs the checkpoints of the ledger's log.
func (w *World) LogSigner() *log.Signer { return w.WatchedLogSigner(func([]byte) {}) }

// WatchedLogSigner is LogSigner and calls watch with each text before it is signed.
func (w *World) WatchedLogSigner(watch func(text []byte)) *log.Signer {
	k := w.Key("log")
	sum := sha256.Sum256([]byte("writtest\n" + w.seed + "\nlog"))
	s, err := log.NewSigner(Origin, ed25519.NewKeyFromSeed(sum[:]).Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) {
		watch(text)
		return k.Sign(text)
	})
	return must(s, err)
}

// Read draws the next random bytes of the world; it never fails.
func (w *World) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		w.drawn++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("writtest random\n"+w.seed+"\n"), w.drawn))
		n += copy(p[n:], sum[:])
	}
	return len(p), nil
}

func (w *World) salt() string {
	var b [32]byte
	w.Read(b[:])
	return jcs.EncodeBase64(b[:])
}

// Nonce draws a fresh nonce.
func (w *World) Nonce() string { return w.salt()[:23] }

// ID draws a fresh urn:uuid.
func (w *World) ID() string {
	var b [10]byte
	w.Read(b[:])
	return spec.UUIDv7(w.Now, b)
}

// Advance moves the world's clock and returns the new instant.
func (w *World) Advance(d time.Duration) time.Time {
	w.Now = w.Now.Add(d)
	return w.Now
}

// Sign adds the proof of one party to a document without one.
func (w *World) Sign(d spec.Document, party, purpose string, at time.Time) spec.Document {
	return w.sign(d, party, vc.ProofOptions{Purpose: purpose, Created: at})
}

func (w *World) sign(d spec.Document, party string, o vc.ProofOptions) spec.Document {
	o.VerificationMethod = w.KeyID(party)
	v := must(vc.Sign(d.Value, o, w.Key(party)))
	return must(d.WithValue(v))
}

// Parsed is the document as a stranger reads it from its bytes.
func Parsed(d spec.Document) spec.Document { return must(spec.Parse(d.Bytes())) }

// JSON is the value of a text: any constraint or member that has no helper here.
func JSON(text string) jcs.Value { return must(jcs.Parse([]byte(text))) }

// Value is the JSON value of v.
func Value(v any) jcs.Value { return must(jcs.ValueOf(v)) }

func document(b spec.Body) spec.Document { return must(spec.New(b)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic("writtest: " + err.Error())
	}
	return v
}
