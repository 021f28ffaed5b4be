package writ

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// Approver is a person's key, held on the person's own machine.
type Approver struct {
	KeyID string // in the roster
	Key   vc.Signer
	// Locale is the language in which the person was shown the sentences. Empty means English.
	Locale rule.Locale
	// Valid is how long the approval may take to reach the log. Zero means a day.
	Valid time.Duration
}

const defaultValid = 24 * time.Hour

// Content is something that people approve, as they must be shown it. It is made from the documents themselves.
type Content struct {
	Kind   string // spec.KindMandate, KindRoster, KindPolicy, KindSupplement, KindResume or KindReconciliation
	Digest string // what the approval names
	Mode   string
	// Lines are the sentences in a locale.
	Lines func(rule.Locale) []string
	Body  vc.Value // the unsigned credential; zero for KindResume and KindReconciliation

	about string // digest of the decision, of a supplement or a reconciliation
}

// ContentOf is the content of a draft.
func ContentOf(d Draft) (Content, error) {
	doc, err := spec.FromValue(d.Body)
	if err != nil {
		return Content{}, err
	}
	c := Content{Digest: spec.ContentDigest(doc.Value), Mode: doc.Mode(), Body: doc.Value}
	switch b := doc.Body.(type) {
	case *spec.Mandate:
		c.Kind, c.Lines = spec.KindMandate, b.Lines
	case *spec.Roster:
		c.Kind, c.Lines = spec.KindRoster, b.Lines
	case *spec.Policy:
		c.Kind, c.Lines = spec.KindPolicy, b.Lines
	default:
		return Content{}, spec.Refuse("type-unknown", "/type", "a mandate, a roster or a policy is wanted")
	}
	return c, nil
}

// ContentOfProposal is the supplement that a recovery proposes, and the action that it is for. The decision and the mandate that
// owns the limits are read from the server; the supplement is made again from them, and must be the one that is proposed.
func (c *Client) ContentOfProposal(ctx context.Context, r Recovery, p Proposal) (Content, error) {
	a, err := c.Decision(ctx, r.Decision)
	if err != nil {
		return Content{}, err
	}
	interim, err := a.Document()
	if err != nil {
		return Content{}, err
	}
	d := interim.Body.(*spec.Decision)
	i := slices.IndexFunc(d.Missing, func(m spec.Missing) bool { return m.Mandate == p.Mandate })
	for ; i >= 0 && i < len(d.Missing); i++ {
		base, err := c.mandateOf(ctx, d.Missing[i].Mandate)
		if err != nil {
			return Content{}, err
		}
		doc, err := spec.Propose(interim, i, base)
		if err != nil {
			return Content{}, err
		}
		if digest := spec.ContentDigest(doc.Value); digest == p.Content {
			return Content{Kind: spec.KindSupplement, Digest: digest, Mode: doc.Mode(), Body: doc.Value, about: r.Decision,
				Lines: func(l rule.Locale) []string { return spec.LiftLines(l, base, d.Missing[i].Lifts, d.Action) }}, nil
		}
	}
	return Content{}, spec.Refuse("proposal-unknown", "", "the decision proposes something else")
}

// ContentOfResume is the resuming of a suspended mandate, by its content digest.
func (c *Client) ContentOfResume(ctx context.Context, content string) (Content, error) {
	m, err := c.mandateOf(ctx, content)
	if err != nil {
		return Content{}, err
	}
	mode := m.Subject.Mode
	for depth := 0; !m.IsRoot() && depth < spec.MaxChain; depth++ {
		if m, err = c.mandateOf(ctx, m.Terms().Parent); err != nil {
			return Content{}, err
		}
	}
	name := m.Name // the sentences name the mandate that people granted
	return Content{Kind: spec.KindResume, Digest: content, Mode: mode,
		Lines: func(l rule.Locale) []string { return spec.ActLines(l, spec.KindResume, content, name) }}, nil
}

// mandateOf reads a mandate and checks that it is the one of this content digest.
func (c *Client) mandateOf(ctx context.Context, content string) (*spec.Mandate, error) {
	m, err := c.Mandate(ctx, content)
	if err != nil {
		return nil, err
	}
	if spec.ContentDigest(m.Credential) != content {
		return nil, spec.Refuse("bundle-incomplete", "", "the server answered with another mandate")
	}
	return mandateIn(m.Credential)
}

// SignApproval signs a person's word on a content: spec.Approve, spec.Decline or spec.Withdraw.
func (c *Client) SignApproval(a Approver, decision string, content Content) (spec.Document, error) {
	if a.Key == nil || content.Lines == nil {
		return spec.Document{}, errors.New("writ: an approval needs a key and a content")
	}
	nonce, err := c.nonce()
	if err != nil {
		return spec.Document{}, err
	}
	if a.Locale == "" {
		a.Locale = rule.English
	}
	if a.Valid == 0 {
		a.Valid = defaultValid
	}
	now := c.Now()
	return sign(&spec.Approval{Type: "MandateApproval", Version: spec.Version, Mode: content.Mode, Kind: content.Kind, Content: content.Digest,
		Decision: decision, Approver: a.KeyID, At: spec.At(now), Expires: spec.At(now.Add(a.Valid)), Nonce: nonce,
		Shown: spec.Shown(rule.Catalogue, string(a.Locale), content.Lines(a.Locale))}, a.Key,
		vc.ProofOptions{VerificationMethod: a.KeyID, Purpose: did.CapabilityDelegation, Created: now})
}

// Approve signs a person's word on a content and hands it over. Issued is set where it was the last approval needed.
func (c *Client) Approve(ctx context.Context, a Approver, decision string, content Content) (Acknowledgement, error) {
	doc, err := c.SignApproval(a, decision, content)
	if err != nil {
		return Acknowledgement{}, err
	}
	path := "/v1/approvals"
	switch content.Kind {
	case spec.KindSupplement:
		path = "/v1/recoveries/" + url.PathEscape(content.about) + "/approvals"
	case spec.KindReconciliation:
		path = "/v1/decisions/" + url.PathEscape(content.about) + "/approvals"
	}
	return post[Acknowledgement](ctx, c, path, doc.Bytes())
}

// Draft keeps a content for approval: a mandate, or a roster or policy version, without proof and approvals. What it leaves out of @context,
// type, id, issuer, salt and ledger (a roster's or policy's log) the server fills in.
func (c *Client) Draft(ctx context.Context, content vc.Value) (Draft, error) {
	return post[Draft](ctx, c, "/v1/drafts", content.Canonical())
}

// GetDraft reads a draft by id (mnd_…, urn:uuid:…) or content digest, with what its approvers have said.
func (c *Client) GetDraft(ctx context.Context, id string) (Draft, error) {
	return get[Draft](ctx, c, "/v1/drafts/"+url.PathEscape(id), nil)
}

// Delegate signs a mandate below the agent's own, with the agent's key, and hands it over. child is unsigned.
func (c *Client) Delegate(ctx context.Context, child spec.Document) (Acknowledgement, error) {
	m, ok := child.Body.(*spec.Mandate)
	if !ok || c.Agent == nil {
		return Acknowledgement{}, errors.New("writ: Delegate needs a mandate and Options.Agent")
	}
	doc, err := sign(m, c.Agent, vc.ProofOptions{VerificationMethod: did.MethodID(m.Issuer), Purpose: did.AssertionMethod, Created: c.Now()})
	if err != nil {
		return Acknowledgement{}, err
	}
	return post[Acknowledgement](ctx, c, "/v1/delegations", doc.Bytes())
}

// Notice revokes or suspends (spec.ActRevoke, spec.ActSuspend) a mandate by its content digest, or vetoes (spec.ActVeto) a roster
// version that waits. The acknowledgement says that no AUTHORIZED follows it in the log. by is a revoker of the roster; the issuer of a
// delegated mandate names the method of its own DID (did.MethodID).
func (c *Client) Notice(ctx context.Context, by Approver, act, content, mode string) (Acknowledgement, error) {
	nonce, err := c.nonce()
	if err != nil {
		return Acknowledgement{}, err
	}
	now, purpose := c.Now(), did.CapabilityDelegation
	if by.KeyID == did.MethodID(by.Key.Public().DID()) {
		purpose = did.AssertionMethod
	}
	doc, err := sign(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Mode: mode, Content: content, Act: act, By: by.KeyID,
		At: spec.At(now), Nonce: nonce}, by.Key, vc.ProofOptions{VerificationMethod: by.KeyID, Purpose: purpose, Created: now})
	if err != nil {
		return Acknowledgement{}, err
	}
	return post[Acknowledgement](ctx, c, "/v1/notices", doc.Bytes())
}

// Mandate reads a mandate by id (mnd_…, urn:uuid:…) or content digest, with its status and account.
func (c *Client) Mandate(ctx context.Context, id string) (Mandate, error) {
	return get[Mandate](ctx, c, "/v1/mandates/"+url.PathEscape(id), nil)
}

// ExportMandate reads a mandate's credential with a proof of an RDF suite beside its own, for libraries that know no other. Such a
// credential is for them: Writ itself takes the one of Mandate.
func (c *Client) ExportMandate(ctx context.Context, id string) (vc.Value, error) {
	m, err := get[Mandate](ctx, c, "/v1/mandates/"+url.PathEscape(id), withRDFC)
	return m.Credential, err
}

// withRDFC asks for a second proof.
var withRDFC = url.Values{"proof": {"rdfc"}}

// Mandates lists the organisation's mandates, newest first, from a cursor on ("" for the first page); next is "" after the last page.
func (c *Client) Mandates(ctx context.Context, cursor string) (items []MandateItem, next string, err error) {
	query := url.Values{}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	page, err := get[struct {
		Mandates []MandateItem `json:"mandates"`
		Next     string        `json:"next"`
	}](ctx, c, "/v1/mandates", query)
	return page.Mandates, page.Next, err
}

// Roster reads a roster by its grantor or by the content digest of any version.
func (c *Client) Roster(ctx context.Context, id string) (Roster, error) {
	return get[Roster](ctx, c, "/v1/rosters/"+url.PathEscape(id), nil)
}

// Policy reads a policy by the content digest of any version.
func (c *Client) Policy(ctx context.Context, content string) (Policy, error) {
	return get[Policy](ctx, c, "/v1/policies/"+url.PathEscape(content), nil)
}

// Ledger asks who the server is. A trust file must not be made of the answer alone.
func (c *Client) Ledger(ctx context.Context) (Ledger, error) {
	return get[Ledger](ctx, c, "/v1/ledger", nil)
}

// CreateKey makes an API key of the own organisation; with hosted, the server makes an agent key too, with which it signs for
// the key's callers. The key is in the answer and never again.
func (c *Client) CreateKey(ctx context.Context, name string, hosted bool, scopes ...string) (APIKey, error) {
	body := map[string]any{"name": name, "scopes": scopes}
	if hosted {
		body["hostedAgent"] = true
	}
	return postJSON[APIKey](ctx, c, "/v1/api-keys", body)
}

// Keys lists the API keys of the own organisation.
func (c *Client) Keys(ctx context.Context) ([]APIKey, error) {
	all, err := get[struct {
		Keys []APIKey `json:"keys"`
	}](ctx, c, "/v1/api-keys", nil)
	return all.Keys, err
}

// RevokeKey ends an API key of the own organisation.
func (c *Client) RevokeKey(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodDelete, "/v1/api-keys/"+url.PathEscape(id), nil, nil)
	return err
}

// CreateOrganisation adds an organisation; only the operator's admins may.
func (c *Client) CreateOrganisation(ctx context.Context, name string) (Organisation, error) {
	return postJSON[Organisation](ctx, c, "/v1/organisations", map[string]any{"name": name})
}

func postJSON[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	data, err := json.Marshal(body)
	if err != nil {
		var none T
		return none, err
	}
	return post[T](ctx, c, path, data)
}
