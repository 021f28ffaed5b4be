package conformance

import (
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Credential is what was found of one presented credential at the instant that a rule vector asks about.
type Credential struct {
	Type       []string  `json:"type"`
	Issuer     string    `json:"issuer"`
	Subject    string    `json:"subject"`
	ValidFrom  spec.Time `json:"validFrom,omitzero"`
	ValidUntil spec.Time `json:"validUntil,omitzero"`
	HasStatus  bool      `json:"hasStatus,omitempty"`
	Status     string    `json:"status,omitempty"` // why its status speaks against it
}

func (r *Rule) presented() []rule.Credential {
	var all []rule.Credential
	for _, c := range r.Credentials {
		all = append(all, rule.Credential{Type: c.Type, Issuer: c.Issuer, Subject: c.Subject, ValidFrom: c.ValidFrom.Time,
			ValidUntil: c.ValidUntil.Time, HasStatus: c.HasStatus, Status: c.Status})
	}
	return all
}
