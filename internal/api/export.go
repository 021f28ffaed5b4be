package api

import (
	"bytes"
	"cmp"
	"context"
	"sync"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// What generic libraries for verifiable credentials ask of a server: proofs of their suites, and status lists.

const (
	proofJCS  = "jcs"
	proofRDFC = "rdfc"

	credentialType = "application/vc" // VCDM 2.0 appendix C.1
)

// withProof is a credential as it is kept, or with a proof of an RDF suite beside its own. The digest stays: no proof is part of it.
func (s *Server) withProof(ctx context.Context, credential jcs.Value, proof string) (jcs.Value, error) {
	switch {
	case proof == "" || proof == proofJCS:
		return credential, nil
	case proof != proofRDFC:
		return credential, spec.Refuse("request-syntax", "?proof", "proof is jcs or rdfc")
	case s.AddProof == nil:
		return credential, spec.Refuse("export-foreign", "", "this server adds no proofs")
	}
	return s.AddProof(ctx, credential)
}

// getStatusList serves a status list to everybody. It has both proofs unless one is asked for, since those who read status lists
// are generic libraries and know only the address that the credential names.
func (s *Server) getStatusList(ctx context.Context, in *exported) (*document, error) {
	list, at, err := s.Issuer.StatusList(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.SignStatusList == nil {
		return nil, notFound()
	}
	proof := cmp.Or(in.Proof, proofRDFC)
	body, err := s.lists.get(in.ID+" "+proof, list.Canonical(), func() (jcs.Value, error) {
		signed, err := s.SignStatusList(ctx, list, at)
		if err != nil {
			return signed, err
		}
		return s.withProof(ctx, signed, proof)
	})
	return &document{mediaType: credentialType, body: body}, err
}

// signedLists remembers the last signed form of each status list: anybody may ask, and within a second a list that says the same
// is the same.
type signedLists struct {
	mu   sync.Mutex
	last map[string]signedList // by name and proofs, of lists that exist
}

type signedList struct{ unsigned, signed []byte }

func (l *signedLists) get(name string, unsigned []byte, sign func() (jcs.Value, error)) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := l.last[name]; bytes.Equal(last.unsigned, unsigned) {
		return last.signed, nil
	}
	v, err := sign()
	if err != nil {
		return nil, err
	}
	if l.last == nil {
		l.last = map[string]signedList{}
	}
	l.last[name] = signedList{unsigned, v.Canonical()}
	return v.Canonical(), nil
}
