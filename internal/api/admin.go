package api

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/spec"
)

const maxName = 200 // bytes of the name of an organisation or API key

// createOrganisation adds one, with an API key for its first admin. Only admins of the operator may; they see nothing of it later.
func (s *Server) createOrganisation(ctx context.Context, in *posted) (*organisation, error) {
	if k := callerOf(ctx); k.Org != s.Operator {
		return nil, spec.Refuse("forbidden-scope", "", "only the operator adds organisations")
	}
	var body organisationBody
	if err := jcs.Unmarshal(in.body(), &body); err != nil {
		return nil, err
	}
	if body.Name == "" || len(body.Name) > maxName {
		return nil, spec.Refuse("request-syntax", "/name", "1 to %d bytes", maxName)
	}
	var drawn [10]byte
	if _, err := io.ReadFull(s.Random, drawn[:]); err != nil {
		return nil, err
	}
	o := journal.Org{ID: spec.ShortID(prefixOrg, spec.UUIDv7(s.Now(), drawn)), Name: body.Name, Mode: s.Ledger.Mode}
	token, k, err := NewAPIKey(s.Random, s.Now(), s.Ledger.Mode, o.ID, "first admin", ScopeAdmin)
	if err != nil {
		return nil, err
	}
	if err := s.Journal.PutOrg(ctx, o); err != nil {
		return nil, err
	}
	if err := s.Journal.PutAPIKey(ctx, k); err != nil {
		return nil, err
	}
	return &organisation{ID: o.ID, Name: o.Name, Mode: o.Mode, Key: token}, nil
}

// listOrganisations shows the operator all, and others themselves.
func (s *Server) listOrganisations(ctx context.Context, _ *nothing) (*organisationList, error) {
	all, err := s.Journal.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	own := callerOf(ctx).Org
	out := &organisationList{}
	for _, o := range all {
		if own == s.Operator || o.ID == own {
			out.Count++
			out.Organisations = append(out.Organisations, organisation{ID: o.ID, Name: o.Name, Mode: o.Mode})
		}
	}
	return out, nil
}

func (s *Server) createKey(ctx context.Context, in *posted) (*apiKey, error) {
	var body keyBody
	if err := jcs.Unmarshal(in.body(), &body); err != nil {
		return nil, err
	}
	if len(body.Name) > maxName {
		return nil, spec.Refuse("request-syntax", "/name", "at most %d bytes", maxName)
	}
	if len(body.Scopes) == 0 || slices.ContainsFunc(body.Scopes, func(scope string) bool { return !slices.Contains(Scopes(), scope) }) {
		return nil, spec.Refuse("request-syntax", "/scopes", "one or more of %s", strings.Join(Scopes(), " "))
	}
	token, k, err := NewAPIKey(s.Random, s.Now(), s.Ledger.Mode, callerOf(ctx).Org, body.Name, body.Scopes...)
	if err != nil {
		return nil, err
	}
	agent := ""
	if body.HostedAgent {
		if !s.hosting.take(k.Org) {
			return nil, spec.Refuse("rate-limited", "", "another agent key of the organisation is being made")
		}
		defer s.hosting.free(k.Org)
		if k.HostedAgent, agent, err = s.hostAgent(ctx, k); err != nil {
			return nil, err
		}
	}
	if err := s.Journal.PutAPIKey(ctx, k); err != nil {
		return nil, err
	}
	out := keyOf(k, token, agent)
	return &out, nil
}

// hostAgent makes the agent key of an API key. It is durable before the API key exists: a crash between leaves a key that nobody uses.
func (s *Server) hostAgent(ctx context.Context, k journal.APIKey) (name, agent string, err error) {
	if s.Agents == nil {
		return "", "", spec.Refuse("hosted-agent-absent", "", "this server keeps no agent keys")
	}
	all, err := s.Journal.APIKeys(ctx, k.Org)
	if err != nil {
		return "", "", err
	}
	all = slices.DeleteFunc(all, func(other journal.APIKey) bool { return other.HostedAgent == "" })
	if len(all) >= s.Limits.HostedAgents {
		return "", "", spec.Refuse("hosted-agents-many", "", "the organisation has its %d", s.Limits.HostedAgents)
	}
	name = "agent/" + strings.TrimPrefix(k.ID, prefixKey+"_")
	signer, err := s.Agents.Create(name)
	if err != nil {
		return "", "", err
	}
	return name, signer.Public().DID(), nil
}

func (s *Server) listKeys(ctx context.Context, _ *nothing) (*keyList, error) {
	all, err := s.Journal.APIKeys(ctx, callerOf(ctx).Org)
	if err != nil {
		return nil, err
	}
	out := &keyList{Count: int64(len(all))}
	for _, k := range all {
		agent := ""
		if k.HostedAgent != "" && s.Agents != nil {
			signer, err := s.Agents.Signer(k.HostedAgent)
			if err != nil {
				return nil, err
			}
			agent = signer.Public().DID()
		}
		out.Keys = append(out.Keys, keyOf(k, "", agent))
	}
	return out, nil
}

// revokeKey ends a key of the own organisation at once.
func (s *Server) revokeKey(ctx context.Context, in *named) (*revoked, error) {
	return &revoked{ID: in.ID}, s.Journal.RevokeAPIKey(ctx, callerOf(ctx).Org, in.ID)
}
