package api

import (
	"context"
	"errors"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// getLogHead shows the head of a chain. The log shows it to everybody; the state behind it is opened for the chain's own organisation.
func (s *Server) getLogHead(ctx context.Context, in *named) (*document, error) {
	org := callerOf(ctx).Org
	chain, err := s.chainBy(ctx, org, in.ID)
	if err != nil {
		return nil, err
	}
	body, err := s.showHead(ctx, org, chain)
	if errors.Is(err, log.ErrNotFound) { // heads were logged behind the checkpoint
		body, err = s.showHead(ctx, org, chain)
	}
	return &document{mediaType: "application/json", body: body}, err
}

// showHead proves under the published checkpoint, or under a newer one while the newest heads entry is not published.
func (s *Server) showHead(ctx context.Context, org, chain string) ([]byte, error) {
	published, newest := sizeOf(s.Log.Published()), sizeOf(s.Log.CommitCheckpoint())
	prove := func(size int64) func(int64) ([]byte, error) {
		return func(index int64) ([]byte, error) { return s.Log.ProofAt(index, size) }
	}
	body, err := verifier.ShowHead(ctx, s.Journal, org, chain, s.Log.Entry, prove(published))
	if errors.Is(err, log.ErrNotFound) {
		body, err = verifier.ShowHead(ctx, s.Journal, org, chain, s.Log.Entry, prove(newest))
	}
	return body, err
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
