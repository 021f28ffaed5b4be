package api

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// replayedWait reads ?replayed=; ask says whether the caller wants the mirrors' word at all.
func (s *Server) replayedWait(given string) (wait time.Duration, ask bool, err error) {
	if given != "" && s.Mirrors == nil {
		return 0, true, spec.Refuse("request-syntax", "?replayed", "this server has no mirrors")
	}
	return cosignedWait("?replayed", given)
}

// exportReplayed is export under a checkpoint that the mirrors' quorum has replayed. The bundle is made once a heads entry is behind all
// that it has, which mirrors show first, and proven once they have replayed that: so it has its head also where the log never rests.
func (s *Server) exportReplayed(ctx context.Context, org string, export func() ([]byte, error), wait time.Duration) ([]byte, error) {
	patience, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if _, err := s.replayed(patience, org, wait); err != nil {
		return nil, err
	}
	return s.underMirrors(patience, org, export, verifier.ReproveBundle, wait)
}

// underMirrors makes a document, waits until mirrors have replayed all that is in it, and gives its proofs anew.
func (s *Server) underMirrors(patience context.Context, org string, make func() ([]byte, error),
	reprove func([]byte, func(int64) ([]byte, error)) ([]byte, error), wait time.Duration) ([]byte, error) {
	body, err := make()
	if err != nil {
		return nil, err
	}
	signed, err := s.replayed(patience, org, wait)
	if err != nil {
		return nil, err
	}
	return reprove(body, func(index int64) ([]byte, error) { return s.proveUnder(index, signed) })
}

// replayed waits for a checkpoint of all that there is now that the mirrors' quorum cosigned.
func (s *Server) replayed(ctx context.Context, org string, wait time.Duration) ([]byte, error) {
	signed := s.cosigned(ctx, s.Mirrors, org, sizeOf(s.Log.CommitCheckpoint()), wait)
	if signed == nil {
		return nil, spec.Refuse("not-replayed", "", "the mirrors have not replayed all that is to be shown yet")
	}
	return signed, nil
}
