package main

import (
	"context"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/rdfc"
)

// exporter adds to credentials what generic libraries want, with the keys that signed them.
type exporter struct {
	decision vc.Signer
	byMethod map[string]vc.Signer
	decided  string // verification method of the decision key
}

func (l *ledger) exporter() (*exporter, error) {
	e := &exporter{byMethod: map[string]vc.Signer{}}
	methods := map[string]func(*keys.Signer) string{sealKey: sealID, decisionKey: l.decisionID}
	for name, method := range methods {
		key, err := l.keys.Signer(name)
		if err != nil {
			return nil, err
		}
		e.byMethod[method(key)] = key
		if name == decisionKey {
			e.decision, e.decided = key, method(key)
		}
	}
	return e, nil
}

// addProof adds a proof of an RDF suite by the key that made the credential's own.
func (e *exporter) addProof(_ context.Context, credential vc.Value) (vc.Value, error) {
	proof, err := vc.ReadProof(credential)
	if err != nil {
		return credential, err
	}
	key, ok := e.byMethod[proof.VerificationMethod]
	if !ok {
		return credential, spec.Refuse("export-foreign", "/proof/verificationMethod", "this server does not hold the key that signed")
	}
	return rdfc.Add(credential, key)
}

// signStatusList adds the decision key's proof to a status list (spec/protocol.md section 3).
func (e *exporter) signStatusList(_ context.Context, list vc.Value, created time.Time) (vc.Value, error) {
	return vc.Sign(list, vc.ProofOptions{VerificationMethod: e.decided, Purpose: did.AssertionMethod, Created: created}, e.decision)
}
