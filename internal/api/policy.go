package api

import (
	"context"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// policy is the chain of a policy, with the account of what its mandates share.
type policy struct {
	Grantor   string              `json:"grantor"`
	Name      string              `json:"name,omitempty" doc:"Of the version in force"`
	Chain     string              `json:"chain"`
	Seq       int64               `json:"seq"`
	First     string              `json:"first" doc:"Content digest of version 1: what mandates name"`
	Content   string              `json:"content" doc:"Content digest of the version in force: what the next version names"`
	Sentences map[string][]string `json:"sentences" doc:"Of the version in force, for people, by locale"`
	Windows   []window            `json:"windows,omitempty" doc:"What all mandates together have used of what they share, of the limits of the version in force"`
	Versions  []policyVersion     `json:"versions" doc:"Oldest first"`
}

type policyVersion struct {
	Version    int64     `json:"version"`
	Content    string    `json:"content"`
	At         spec.Time `json:"at" doc:"Ledger time"`
	Credential jcs.Value `json:"credential" ref:"policycredential"`
}

// getPolicy finds a policy by the content digest of any version.
func (s *Server) getPolicy(ctx context.Context, in *named) (*policy, error) {
	org := callerOf(ctx).Org
	if !isDigest(in.ID) {
		return nil, notFound()
	}
	state, err := s.Journal.PolicyState(ctx, org, in.ID)
	if err != nil {
		return nil, err
	}
	newest, content := state.NewestPolicy()
	out := &policy{Grantor: newest.Terms().Grantor, Name: newest.Name, Chain: state.Chain, Seq: state.Seq, First: state.Content, Content: content}
	out.Sentences, _ = localised(newest.Lines)
	for _, v := range state.Policies {
		out.Versions = append(out.Versions, policyVersion{Version: v.Body().Terms().Version, Content: v.Content, At: spec.At(v.At), Credential: v.Document.Value})
	}
	out.Windows, err = s.sharedBy(ctx, org, state.Content, newest)
	return out, err
}

// sharedBy are the windows of what a policy's mandates share; there are none before anything was charged to it. One that is not over is
// shown under the limit of the newest version, though it keeps the one of its last charge until the next.
func (s *Server) sharedBy(ctx context.Context, org, content string, newest *spec.Policy) (all []window, err error) {
	account := spec.AccountContent(content)
	states, err := s.Journal.States(ctx, org, []spec.ChainRef{{Content: account, Kind: spec.KindAccount}}, nil)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for _, w := range states.ByContent(account).AsOf(now).Windows {
		totals := w.Totals()
		if most := mostOf(newest, w.Constraint); most != "" && (w.To.IsZero() || now.Before(w.To)) {
			totals.Max = most
		}
		all = append(all, window{totals, rule.FormatUnits(w.Used(), w.Unit)})
	}
	return all, nil
}

// mostOf is the max of a budget or count that a policy version shares, "" where it shares none under this id.
func mostOf(p *spec.Policy, id string) string {
	for _, c := range p.Terms().Constraints {
		name, _ := c.Member("id")
		if text, _ := name.Text(); text != id || !p.Shares(id) {
			continue
		}
		most, _ := c.Member("max")
		if n, counts := most.Int(); counts {
			return strconv.FormatInt(n, 10)
		}
		value, _ := most.Member("value")
		text, _ := value.Text()
		return text
	}
	return ""
}
