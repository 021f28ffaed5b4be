package spec

import (
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// MaxPresented bounds what a presentation carries behind its mandates: credentials of others and their status lists.
const MaxPresented = 16

// Mandates are the credentials of Writ that a presentation begins with, root first.
func (p *Presentation) Mandates() []jcs.Value { return p.Credential[:p.mandates()] }

// Presented are the credentials of others behind the mandates, and the status lists that answer for them (protocol.md 5.3). Neither
// their form nor their proofs have been looked at.
func (p *Presentation) Presented() []jcs.Value { return p.Credential[p.mandates():] }

// mandates counts the documents of Writ at the start.
func (p *Presentation) mandates() int {
	i := slices.IndexFunc(p.Credential, func(v jcs.Value) bool { return !isOurs(TypeOf(v)) })
	if i < 0 {
		return len(p.Credential)
	}
	return i
}

// isOurs says whether a type, in lower case, is one of Writ's.
func isOurs(docType string) bool { return docType == TypeMandate || newBody(docType) != nil }

func (p *Presentation) checkPresented() error {
	n := p.mandates()
	switch {
	case n == 0:
		return refuse("type-unknown", "/verifiableCredential/0/type", "a mandate comes first")
	case n > MaxChain:
		return refuse("delegation-depth", "/verifiableCredential", "at most %d mandates", MaxChain)
	case len(p.Credential)-n > MaxPresented:
		return refuse("credentials-many", "/verifiableCredential", "at most %d credentials and status lists", MaxPresented)
	}
	for i, v := range p.Presented() {
		if hasOurs(v) {
			return refuse("credential-form", "/verifiableCredential/"+itoa(n+i)+"/type", "a document of Writ stands behind credentials of others")
		}
	}
	return nil
}

// hasOurs finds a type of Writ at any place of a foreign credential's types.
func hasOurs(v jcs.Value) bool {
	t, _ := v.Member("type")
	types := t.Elements()
	if len(types) == 0 {
		types = []jcs.Value{t}
	}
	return slices.ContainsFunc(types, func(t jcs.Value) bool {
		name, _ := t.Text()
		return isOurs(strings.ToLower(name))
	})
}

// CredentialDigest names a credential of somebody else in a decision's inputs: as it is, with its proof.
func CredentialDigest(v jcs.Value) string { return jcs.Digest("writ/credential/v1\n", v.Canonical()) }
