package api

import "context"

// reconcile takes one person's word that a charge was not executed.
func (s *Server) reconcile(ctx context.Context, in *postedOn) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	rec, _, err := s.decisionBy(ctx, org, in.ID, prefixDecision, prefixReceipt)
	if err != nil {
		return nil, err
	}
	l, err := s.Issuer.Reconcile(ctx, org, rec.Document.Digest, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}
