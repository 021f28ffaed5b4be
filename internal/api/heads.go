package api

import (
	"context"
	"errors"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// getLogHead shows the head of a chain. The log shows it to everybody; the state behind it is opened for the chain's own organisation.
func (s *Server) getLogHead(ctx context.Context, in *shown) (*document, error) {
	org := callerOf(ctx).Org
	wait, replayed, err := s.replayedWait(in.Replayed)
	if err != nil {
		return nil, err
	}
	chain, err := s.chainBy(ctx, org, in.ID)
	if err != nil {
		return nil, err
	}
	show := func() ([]byte, error) {
		body, err := s.showHead(ctx, org, chain)
		if errors.Is(err, log.ErrNotFound) { // heads were logged behind the checkpoint
			body, err = s.showHead(ctx, org, chain)
		}
		return body, err
	}
	if !replayed {
		body, err := show()
		return &document{mediaType: "application/json", body: body}, err
	}
	patience, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	body, err := s.underMirrors(patience, org, show, verifier.ReproveHead, wait)
	return &document{mediaType: "application/json", body: body}, err
}

// showHead proves under the served checkpoint, its cosignatures included, or under a newer one while that does not have the newest heads entry.
func (s *Server) showHead(ctx context.Context, org, chain string) ([]byte, error) {
	if signed := s.served(); signed != nil {
		body, err := verifier.ShowHead(ctx, s.Journal, org, chain, s.Log.Entry, func(index int64) ([]byte, error) { return s.proveUnder(index, signed) })
		if !errors.Is(err, log.ErrNotFound) {
			return body, err
		}
	}
	newest := sizeOf(s.Log.CommitCheckpoint())
	return verifier.ShowHead(ctx, s.Journal, org, chain, s.Log.Entry, func(index int64) ([]byte, error) { return s.Log.ProofAt(index, newest) })
}

// chainBy is the id of the chain of a content, or of a mandate by its ids; any other digest is taken for a chain's own.
func (s *Server) chainBy(ctx context.Context, org, id string) (string, error) {
	content := id
	switch urn := urnOf(id, prefixMandate); {
	case urn != "":
		rec, err := s.Journal.ByID(ctx, org, urn)
		if err != nil {
			return "", err
		}
		content = spec.ContentDigest(rec.Document.Value)
	case !isDigest(id):
		return "", notFound()
	}
	ss, err := s.Journal.States(ctx, org, []spec.ChainRef{{Content: content}}, nil)
	if code, _ := codeOf(err); code == "not-found" {
		return id, nil
	}
	if err != nil {
		return "", err
	}
	return ss.ByContent(content).Chain, nil
}
