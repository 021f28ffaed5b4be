package api

import (
	"context"
	"errors"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// Witnesses cosign what the log publishes; so do mirrors.
type Witnesses interface {
	// Cosigned returns the newest published checkpoint that has its quorum, with the cosignatures, or nil.
	Cosigned() []byte
	// Await returns it once it covers size entries, or the context's error.
	Await(ctx context.Context, size int64) ([]byte, error)
}

// served is the checkpoint that everybody is shown: where there are witnesses, none before its quorum is there.
func (s *Server) served() []byte {
	if s.Witnesses == nil {
		return s.Log.Published()
	}
	return s.Witnesses.Cosigned()
}

// witnessWait reads ?witnessed=; ask says whether the caller wants cosignatures at all.
func (s *Server) witnessWait(given string) (wait time.Duration, ask bool, err error) {
	if given != "" && s.Witnesses == nil {
		return 0, true, spec.Refuse("request-syntax", "?witnessed", "this server has no witnesses")
	}
	return cosignedWait("?witnessed", given)
}

// cosignedWait reads a parameter that says how long cosignatures are waited for.
func cosignedWait(place, given string) (wait time.Duration, ask bool, err error) {
	if given == "" {
		return 0, false, nil
	}
	wait, err = time.ParseDuration(given)
	if err != nil || wait < 0 || wait > maxWait {
		return 0, true, spec.Refuse("request-syntax", place, "it is a duration such as 5s, at most %s", maxWait)
	}
	return wait, true, nil
}

// cosigned waits for a cosigned checkpoint of at least size entries, and is nil where there is none in time.
func (s *Server) cosigned(ctx context.Context, by Witnesses, org string, size int64, wait time.Duration) []byte {
	if wait > 0 && s.waits.take(org) {
		defer s.waits.free(org)
	} else {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	go func() { // a stop answers those who wait
		select {
		case <-s.resumes.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	signed, err := by.Await(ctx, size)
	if err != nil {
		return nil
	}
	return signed
}

// witness proves an answer's decision under a cosigned checkpoint, if one comes in time, and says whether it did.
func (s *Server) witness(ctx context.Context, org string, a *answer, wait time.Duration) (*answer, error) {
	signed := s.cosigned(ctx, s.Witnesses, org, a.Record.Index+1, wait)
	witnessed := signed != nil
	a.Witnessed = &witnessed
	if !witnessed {
		return a, nil
	}
	proof, err := s.proveUnder(a.Record.Index, signed)
	a.Record.Proof = string(proof)
	return a, err
}

// proveUnder is the proof of an entry that ends in this very checkpoint, cosignatures included.
func (s *Server) proveUnder(index int64, signed []byte) ([]byte, error) {
	text, err := s.Log.ProofAt(index, sizeOf(signed))
	if err != nil {
		return nil, err
	}
	proof, err := log.ParseProof(text)
	if err != nil {
		return nil, err
	}
	proof.Checkpoint = signed
	return proof.Marshal(), nil
}

// exportWitnessed is export under a cosigned checkpoint that covers all that there is now. Where new heads are always behind it, the
// head is left out. A bundle that readers without a quorum shall read has to be exported without cosignatures: they refuse signatures
// that they do not know (spec/protocol.md 14.3).
func (s *Server) exportWitnessed(ctx context.Context, org, decision string, d *spec.Decision, wait time.Duration) ([]byte, error) {
	signed := s.Witnesses.Cosigned()
	body, err := s.exportUnder(ctx, org, decision, d, signed, s.Journal)
	if !errors.Is(err, log.ErrNotFound) {
		return body, err
	}
	if signed = s.cosigned(ctx, s.Witnesses, org, sizeOf(s.Log.CommitCheckpoint()), wait); signed == nil {
		return nil, spec.Refuse("not-witnessed", "", "the quorum has not cosigned all entries of the bundle yet")
	}
	body, err = s.exportUnder(ctx, org, decision, d, signed, s.Journal)
	if errors.Is(err, log.ErrNotFound) {
		body, err = s.exportUnder(ctx, org, decision, d, signed, nil)
	}
	return body, err
}

func (s *Server) exportUnder(ctx context.Context, org, decision string, d *spec.Decision, signed []byte, heads verifier.Heads) ([]byte, error) {
	receipt, err := s.receiptFor(ctx, org, decision, d)
	if err != nil {
		return nil, err
	}
	return verifier.Export(ctx, s.Journal, heads, org, decision, receipt, func(index int64) ([]byte, error) { return s.proveUnder(index, signed) })
}
