package api

import (
	"context"

	"github.com/writ-trust/writ/spec"
)

// template is how mandates name an action template.
type template struct {
	Digest string     `json:"digest" doc:"Of the template: its name"`
	Action string     `json:"action" doc:"The action type whose form it is"`
	Title  spec.Title `json:"title" doc:"For people, as the mandate repeats it"`
}

// addTemplate keeps a template. It grants nothing; the same one again is the same.
func (s *Server) addTemplate(ctx context.Context, in *posted) (*template, error) {
	d, err := s.Issuer.AddTemplate(ctx, callerOf(ctx).Org, in.body())
	if err != nil {
		return nil, err
	}
	r := d.Body.(*spec.ActionTemplate).Ref(d.Digest)
	return &template{Digest: r.Digest, Action: r.Action, Title: r.Title}, nil
}

func (s *Server) getTemplate(ctx context.Context, in *named) (*document, error) {
	if !isDigest(in.ID) {
		return nil, notFound()
	}
	r, err := s.Journal.Record(ctx, callerOf(ctx).Org, in.ID)
	if err != nil {
		return nil, err
	}
	if r.Document.Type != spec.TypeTemplate {
		return nil, notFound()
	}
	return &document{mediaType: "application/json", body: r.Document.Bytes()}, nil
}
