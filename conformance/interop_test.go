package conformance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/rdfc"
	"github.com/writ-trust/writ/vc/status"
)

//go:generate go test -run ^TestInteropFiles$ -update .

const (
	interopFiles = "interop/npm/testdata"
	lists        = "https://writ.acme.example/v1/status/"
	shop         = "https://shop.example"
	challenge    = "8f14e45fceea167a5a36dedd4bea2543"
	position     = 94567 // in the lists, of the mandate; the revoked one has the next
)

// TestInteropFiles makes what libraries of others are handed (interop/npm), from a fixed seed, and fails if a committed file
// differs: the Node tests judge what this tree makes. Proofs of both suites hold here first.
func TestInteropFiles(t *testing.T) {
	files := newInterop(t).all()
	if *update {
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(interopFiles, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if got, err := os.ReadFile(filepath.Join(interopFiles, name)); err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s is not what go generate makes (%v)", name, err)
		}
	}
	present, err := filepath.Glob(interopFiles + "/*.json")
	if err != nil || len(present) != len(files) {
		t.Errorf("%d files, %d are made: %v", len(present), len(files), err)
	}
}

// interop is Acme with what it hands to others.
type interop struct {
	*testing.T
	*writtest.World
	states spec.States
}

func newInterop(t *testing.T) *interop {
	i := &interop{T: t, World: writtest.Acme("interop")}
	i.states, _ = i.Found(nil)
	return i
}

func (i *interop) must(err error) {
	i.Helper()
	if err != nil {
		i.Fatal(err)
	}
}

// all are the files, by name.
func (i *interop) all() map[string][]byte {
	mandate := i.grant(position)
	revoked := i.grant(position + 1)
	files := map[string]jcs.Value{
		"mandate.json":                i.export(mandate.Value, "seal"),
		"mandate-p256.json":           i.exportWith(mandate.Value.Without("proof"), i.p256(), writtest.Grantor+"#seal-p256", did.AssertionMethod),
		"mandate-revoked.json":        i.export(revoked.Value, "seal"),
		"mandate-unapproved.json":     i.export(i.Seal(i.Mandate()).Value, "seal"),
		"mandate-by-approver.json":    i.exportWith(mandate.Value.Without("proof"), i.Key("cfo"), i.KeyID("cfo"), did.AssertionMethod),
		"mandate-by-capability.json":  i.exportWith(mandate.Value.Without("proof"), i.Key("cfo"), i.KeyID("cfo"), did.CapabilityDelegation),
		"mandate-by-executor.json":    i.exportWith(mandate.Value.Without("proof"), i.Key("bank"), i.KeyID("bank"), did.AssertionMethod),
		"presentation.json":           i.present(i.export(mandate.Value, "seal"), "agent"),
		"presentation-by-thief.json":  i.present(i.export(mandate.Value, "seal"), "subagent"),
		"receipt.json":                i.export(i.receipt(mandate), "ledger"),
		"status-list-revocation.json": i.list("revocation", position+1),
		"status-list-suspension.json": i.list("suspension"),
		"dids.json":                   i.dids(),
	}
	all := map[string][]byte{}
	for name, v := range files {
		var out bytes.Buffer
		i.must(json.Indent(&out, v.Canonical(), "", "  "))
		all[name] = append(out.Bytes(), '\n')
	}
	return all
}

// value is the JSON value of maps and lists.
func (i *interop) value(v any) jcs.Value {
	data, err := json.Marshal(v)
	i.must(err)
	return writtest.JSON(string(data))
}

// grant issues a mandate on both status lists, with an approval of each approver and a source.
func (i *interop) grant(index int) spec.Document {
	states, mandate := i.Grant(i.states, func(m *spec.Mandate) {
		for _, purpose := range []string{"revocation", "suspension"} {
			entry, err := status.Entry{Purpose: purpose, List: lists + "1-" + purpose, Index: index}.Value()
			i.must(err)
			m.CredentialStatus = append(m.CredentialStatus, entry)
		}
		m.Evidence = []jcs.Value{writtest.JSON(`{"type":["SourceDocument"],"documentKind":"contract","mediaType":"application/pdf","digestMultibase":"` +
			jcs.Digest("", []byte("contract")) + `"}`)}
	})
	i.states = states
	return mandate
}

// export is what writ mandate show --vc prints.
func (i *interop) export(signed jcs.Value, party string) jcs.Value {
	i.Helper()
	both, err := rdfc.Add(signed, i.Key(party))
	i.must(err)
	_, err = rdfc.Verify(both, i.Key(party).Public())
	i.must(err)
	return both
}

func (i *interop) exportWith(unsigned jcs.Value, key vc.Signer, method, purpose string) jcs.Value {
	i.Helper()
	signed, err := vc.Sign(unsigned, vc.ProofOptions{VerificationMethod: method, Purpose: purpose, Created: i.Now}, key)
	i.must(err)
	both, err := rdfc.Add(signed, key)
	i.must(err)
	_, err = rdfc.Verify(both, key.Public())
	i.must(err)
	return both
}

func (i *interop) p256() vc.Signer {
	secret := sha256.Sum256([]byte("interop p256"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
	i.must(err)
	signer, err := vc.NewP256Signer(key)
	i.must(err)
	return signer
}

// present is what writ mandate present prints; the thief presents a mandate of another agent as its own.
func (i *interop) present(credential jcs.Value, party string) jcs.Value {
	key := i.Key(party)
	v := i.value(map[string]any{"@context": spec.Contexts(), "type": []string{vc.TypePresentation},
		"holder": i.DID("agent"), "verifiableCredential": []jcs.Value{credential}})
	signed, err := vc.Sign(v, vc.ProofOptions{VerificationMethod: did.MethodID(i.DID(party)), Purpose: did.Authentication, Created: i.Now,
		Expires: i.Now.Add(time.Minute), Domain: shop, Challenge: challenge}, key)
	i.must(err)
	both, err := rdfc.Add(signed, key)
	i.must(err)
	return both
}

// receipt plays the mandate's first payment to its end.
func (i *interop) receipt(mandate spec.Document) jcs.Value {
	asked := i.Present([]spec.Document{mandate}, i.Action("4200.00"), i.Request("invoice-1"), i.Now)
	decision := i.SignDecision(i.Decision(asked, i.states), i.Now)
	begin := i.Begin(decision, i.Now)
	report := i.Report(decision, spec.OutcomeExecuted, "4200.00", true, i.Now)
	made, err := spec.ReceiptOf(spec.Execution{Decision: decision, Begin: begin, Reports: []spec.Document{report}, LastAt: spec.At(i.Now),
		Role: "system-of-record"})
	i.must(err)
	return i.SignDecision(made, i.Now).Value
}

func (i *interop) list(purpose string, set ...int) jcs.Value {
	bits := status.NewBits(status.MinEntries)
	for _, at := range set {
		i.must(bits.Set(at, true))
	}
	v, err := status.List{ID: lists + "1-" + purpose, Issuer: writtest.Verifier, Purpose: purpose, ValidFrom: i.Now,
		ValidUntil: i.Now.Add(10 * time.Minute), TTL: 5 * time.Minute, Bits: bits}.Value()
	i.must(err)
	return i.exportWith(v, i.Key("ledger"), i.KeyID("ledger"), did.AssertionMethod)
}

// dids are the DID documents: the grantor lists its seal under assertionMethod and people only under capabilityDelegation
// (spec/protocol.md section 3).
func (i *interop) dids() jcs.Value {
	multikey := func(controller, id, key string) map[string]string {
		return map[string]string{"id": id, "type": "Multikey", "controller": controller, "publicKeyMultibase": key}
	}
	mine := func(controller, party string) map[string]string {
		return multikey(controller, i.KeyID(party), i.Key(party).Public().Multikey())
	}
	document := func(id string, members map[string]any) map[string]any {
		members["id"], members["@context"] = id, []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"}
		return members
	}
	all := map[string]any{
		writtest.Grantor: document(writtest.Grantor, map[string]any{
			"verificationMethod": []any{mine(writtest.Grantor, "seal"), mine(writtest.Grantor, "cfo"), mine(writtest.Grantor, "treasurer"),
				multikey(writtest.Grantor, writtest.Grantor+"#seal-p256", i.p256().Public().Multikey())},
			"assertionMethod":      []string{i.KeyID("seal"), writtest.Grantor + "#seal-p256"},
			"capabilityDelegation": []string{i.KeyID("cfo"), i.KeyID("treasurer")}}),
		writtest.Verifier: document(writtest.Verifier, map[string]any{"verificationMethod": []any{mine(writtest.Verifier, "ledger")},
			"assertionMethod": []string{i.KeyID("ledger")}}),
		writtest.Bank: document(writtest.Bank, map[string]any{"verificationMethod": []any{mine(writtest.Bank, "bank")},
			"assertionMethod": []string{i.KeyID("bank")}}),
	}
	for _, agent := range []string{"agent", "subagent"} {
		id := i.DID(agent)
		all[id] = document(id, map[string]any{"verificationMethod": []any{mine(id, agent)}, "authentication": []string{i.KeyID(agent)},
			"assertionMethod": []string{i.KeyID(agent)}})
	}
	return i.value(all)
}
