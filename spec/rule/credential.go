package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

func init() {
	kinds["credential"] = kind{parseCredential, credentialSchema, []string{ReasonCredentialAbsent, ReasonCredentialSubject,
		ReasonCredentialEarly, ReasonCredentialExpired, ReasonCredentialStale, ReasonCredentialStatus, ReasonValueAbsent, ReasonValueOtherKind}}
}

// Reason codes of violations of credential. What a status list says, or why it says nothing, has the codes of Credential.Status.
const (
	ReasonCredentialAbsent  = "credential-absent"
	ReasonCredentialSubject = "credential-subject"
	ReasonCredentialEarly   = "credential-early"
	ReasonCredentialExpired = "credential-expired"
	ReasonCredentialStale   = "credential-stale"
	ReasonCredentialStatus  = "credential-status"
)

// maxIssuers limits the issuers of one constraint.
const maxIssuers = 16

const (
	credentialTypeText = `^[A-Z][A-Za-z0-9]{0,63}$`
	issuerText         = `^did:(key:z[A-Za-z0-9]+|jwk:[A-Za-z0-9_-]+)$`
	subjectText        = `^([a-z]+:[A-Za-z0-9:._/-]+|(/([^~/]|~[01])+)+)$`
	subjectAgent       = "agent" // stands for the DID of whoever presents
	statusRequired     = "required"
)

const credentialSchema = `"credentialType":{"type":"string","pattern":"` + credentialTypeText + `","not":{"const":"VerifiableCredential"}},
"issuers":{"type":"array","minItems":1,"maxItems":16,"uniqueItems":true,"items":{"type":"string","maxLength":1024,"pattern":"` + issuerText + `"}},
"subject":{"anyOf":[{"const":"` + subjectAgent + `"},{"type":"string","maxLength":256,"pattern":"` + subjectText + `"}]},
"maxAge":{"type":"string","pattern":"` + durationText + `"},"status":{"const":"` + statusRequired + `"}},
"required":["id","type","credentialType","issuers","subject"],"additionalProperties":false}`

// credential holds when the agent presented a credential of the type by one of the issuers, about the subject, in its validity, not
// revoked nor suspended, and, where maxAge is there, no older than that. Nothing that a credential claims is judged but this.
type credential struct {
	head
	CredentialType string   `json:"credentialType"`
	Issuers        []string `json:"issuers"` // did:key or did:jwk: whose key it is needs no answer from anybody
	// Subject is "agent" for the presenter, a pointer to the member of the action that names it, or the very identifier.
	Subject string `json:"subject"`
	MaxAge  string `json:"maxAge,omitempty"` // since validFrom
	// Status "required" refuses credentials that nobody could revoke. Absent: what has a status must be known not to be revoked.
	Status string `json:"status,omitempty"`
	noDraw
	noReach
	maxAge time.Duration // 0: any
}

// A Credential is one that the agent presented, signed by its issuer: what was found of it at the instant of the action.
type Credential struct {
	Type                  []string
	Issuer, Subject       string
	ValidFrom, ValidUntil time.Time // zero where absent
	HasStatus             bool
	Status                string // reason code: what its status list says against it, or why it is not known; "" for nothing
}

var (
	credentialTypeForm = regexp.MustCompile(credentialTypeText)
	issuerForm         = regexp.MustCompile(issuerText)
)

func parseCredential(v jcs.Value) (Constraint, error) {
	c := &credential{}
	if err := v.Decode(c); err != nil {
		return nil, err
	}
	if !credentialTypeForm.MatchString(c.CredentialType) || c.CredentialType == "VerifiableCredential" {
		return nil, refuse(ReasonConstraintInvalid, "/credentialType", "a type is one word, as credentials write it, and says more than VerifiableCredential")
	}
	if err := c.checkIssuers(); err != nil {
		return nil, err
	}
	if err := c.checkSubject(); err != nil {
		return nil, err
	}
	if _, given := v.Member("status"); given && c.Status != statusRequired {
		return nil, refuse(ReasonConstraintInvalid, "/status", "status is absent or required")
	}
	if _, given := v.Member("maxAge"); given {
		var ok bool
		if c.maxAge, ok = parseDuration(c.MaxAge); !ok {
			return nil, refuse(ReasonDurationForm, "/maxAge", "an age is like P30D or PT12H, from one second to P366D")
		}
	}
	return c, nil
}

func (c *credential) checkIssuers() error {
	if len(c.Issuers) == 0 || len(c.Issuers) > maxIssuers {
		return refuse(ReasonConstraintInvalid, "/issuers", fmt.Sprintf("1 to %d issuers are pinned", maxIssuers))
	}
	for i, issuer := range c.Issuers {
		if len(issuer) > 1024 || !issuerForm.MatchString(issuer) || slices.Contains(c.Issuers[:i], issuer) {
			return refuse(ReasonConstraintInvalid, fmt.Sprintf("/issuers/%d", i), "an issuer is a did:key or did:jwk, listed once")
		}
	}
	return nil
}

func (c *credential) checkSubject() error {
	switch {
	case c.Subject == subjectAgent, len(c.Subject) <= 256 && isBare(c.Subject):
		return nil
	case !c.subjectPointed():
		return refuse(ReasonConstraintInvalid, "/subject", "a subject is agent, a pointer into the action, or an identifier with a scheme")
	}
	return checkPointer("/subject", c.Subject)
}

func (c *credential) subjectPointed() bool { return strings.HasPrefix(c.Subject, "/") }

// PinnedIssuers are the issuers of a constraint that asks for a credential; nil for every other.
func PinnedIssuers(c Constraint) []string {
	if limit, ok := c.(*credential); ok {
		return limit.Issuers
	}
	return nil
}

// AsksFor says whether a constraint asks for a credential of this type and issuer. Whether the credential is good is for Check.
func AsksFor(c Constraint, presented Credential) bool {
	limit, ok := c.(*credential)
	return ok && slices.Contains(limit.Issuers, presented.Issuer) && slices.Contains(presented.Type, limit.CredentialType)
}

func (c *credential) Targets() []string {
	if !c.subjectPointed() {
		return nil
	}
	return []string{c.Subject}
}

// Check wants one credential that holds. Where several are presented and none does, the first says why.
func (c *credential) Check(a Action, at time.Time) *Violation {
	subject, violation := c.about(a)
	if violation != nil {
		return violation
	}
	for _, presented := range a.Credentials {
		if !AsksFor(c, presented) {
			continue
		}
		v := c.judge(presented, subject, at)
		if v == nil {
			return nil
		}
		if violation == nil {
			violation = v
		}
	}
	if violation == nil {
		return c.broken(ReasonCredentialAbsent, "", "no credential of the type by one of the issuers was presented")
	}
	return violation
}

// about is who the credential must be about.
func (c *credential) about(a Action) (string, *Violation) {
	switch {
	case c.Subject == subjectAgent:
		return a.Agent, nil
	case !c.subjectPointed():
		return c.Subject, nil
	}
	v, ok := a.Value.Lookup(c.Subject)
	if !ok {
		return "", c.broken(ReasonValueAbsent, c.Subject, "the action does not have this member")
	}
	subject, ok := v.Text()
	if !ok {
		return "", c.broken(ReasonValueOtherKind, c.Subject, "the member is not a text")
	}
	return subject, nil
}

func (c *credential) judge(presented Credential, subject string, at time.Time) *Violation {
	switch {
	case subject == "" || presented.Subject != subject:
		return c.broken(ReasonCredentialSubject, strings.Join(c.Targets(), ""), "the credential is about somebody else")
	case at.Before(presented.ValidFrom):
		return c.broken(ReasonCredentialEarly, "", "the credential is not valid yet")
	case !presented.ValidUntil.IsZero() && !at.Before(presented.ValidUntil):
		return c.broken(ReasonCredentialExpired, "", "the credential is not valid any more")
	case c.maxAge > 0 && (presented.ValidFrom.IsZero() || at.Sub(presented.ValidFrom) > c.maxAge):
		return c.broken(ReasonCredentialStale, "", "the credential is older than the mandate allows, or does not say how old it is")
	case c.Status == statusRequired && !presented.HasStatus:
		return c.broken(ReasonCredentialStatus, "", "nobody could revoke the credential, and the mandate asks for one that can be")
	case presented.Status != "":
		return c.broken(presented.Status, "", "the credential is revoked or suspended, or nobody showed that it is not")
	}
	return nil
}

func (c *credential) Sentence(l Locale) string {
	issuers := strings.Join(c.Issuers, l.pick(" or ", " ou "))
	s := l.pick("a valid credential ", "tem de ser apresentada uma credencial válida ") + c.CredentialType + l.pick(" about ", " sobre ") + l.about(c.Subject) +
		l.pick(", issued by ", ", emitida por ") + issuers
	if c.maxAge > 0 {
		s += l.pick(", at most ", ", há no máximo ") + l.duration(c.maxAge) + l.pick(" old", "")
	}
	if c.Status == statusRequired {
		s += l.pick(", that its issuer can revoke", ", que o emissor possa revogar")
	}
	return s + l.pick(", must be presented", "")
}

// about names a credential's subject for people.
func (l Locale) about(subject string) string {
	switch {
	case subject == subjectAgent:
		return l.pick("the agent", "o agente")
	case subject == payeePointer:
		return l.pick("the payee", "o beneficiário")
	case strings.HasPrefix(subject, "/"):
		return l.pick("what is named by ", "o que indica: ") + l.member(subject)
	}
	return subject
}
