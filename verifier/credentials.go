package verifier

import (
	"slices"
	"strconv"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/status"
)

// Presented is a credential of somebody else, or a status list, that the agent presented beside its mandates: its issuer's own key
// signed it, and a constraint of the chain asks for it. Whether it holds depends on the instant, so Decide says that.
type Presented struct {
	Digest string // spec.CredentialDigest

	value   jcs.Value
	body    vc.Credential
	subject string
	entries []status.Entry
	list    *status.List // of a status list; nil of a credential

	verified bool // its proof was looked at, whatever came of it
}

// OpenCredentials reads what a presentation carries behind its mandates (protocol.md 5.3), for Case.Credentials. It asks nobody:
// issuers are keys that the mandates pin, and status lists come along. So it may be called only once the mandates themselves count.
// Credentials that no constraint asks for, and lists that answer for none of those, are refused before their proofs are looked at.
// Errors are *spec.Error, with a pointer into the presentation; what was read comes along with an error about a proof.
func OpenCredentials(presented []vc.Value, mandates []Mandate, mode string) ([]Presented, error) {
	var all []Presented
	for i, v := range presented {
		place := "/verifiableCredential/" + strconv.Itoa(len(mandates)+i)
		c, err := readPresented(v)
		if err != nil {
			return nil, placed(place, err)
		}
		if slices.ContainsFunc(all, c.repeats) {
			return nil, spec.Refuse("credential-repeated", place, "a credential, and a list of one id, is presented once")
		}
		all = append(all, c)
	}
	for i := range all {
		if err := all[i].open(all, mandates, mode); err != nil {
			return all, placed("/verifiableCredential/"+strconv.Itoa(len(mandates)+i), err)
		}
	}
	return all, nil
}

// verifiedOf counts those whose proof was looked at.
func verifiedOf(presented []Presented) (n int) {
	for _, c := range presented {
		if c.verified {
			n++
		}
	}
	return n
}

// readPresented reads the form alone. The bits of a list are left packed until its signature holds.
func readPresented(v jcs.Value) (Presented, error) {
	body, err := vc.ReadCredential(v)
	if err != nil {
		return Presented{}, err
	}
	c := Presented{Digest: spec.CredentialDigest(v), value: v, body: body}
	if c.isList() {
		return c, nil
	}
	id, _ := body.Subjects[0].Member("id")
	if c.subject, _ = id.Text(); c.subject == "" || len(body.Subjects) > 1 {
		return c, spec.Refuse("credential-form", "/credentialSubject", "a credential that counts is about one subject with an id")
	}
	for i, entry := range body.Status {
		e, err := status.ReadEntry(entry)
		if err != nil {
			return c, placed("/credentialStatus/"+strconv.Itoa(i), err)
		}
		c.entries = append(c.entries, e)
	}
	return c, nil
}

// repeats says whether another is the same credential, or another edition of the same list: then nobody could say which one counts.
func (c *Presented) repeats(other Presented) bool {
	return c.Digest == other.Digest || c.isList() && other.isList() && c.body.ID == other.body.ID && c.body.Issuer == other.body.Issuer
}

func (c *Presented) isList() bool { return slices.Contains(c.body.Type, status.TypeCredential) }

// open checks that somebody asks for the credential, and its proof; then it unpacks a list.
func (c *Presented) open(all []Presented, mandates []Mandate, mode string) error {
	if c.isList() && !slices.ContainsFunc(all, c.answersFor) || !c.isList() && !c.asked(mandates) {
		return spec.Refuse("credential-unasked", "", "no constraint of the mandates asks for this credential, or for this list's answer")
	}
	key, err := did.KeyOf(c.body.Issuer)
	if err != nil {
		return spec.Refuse("credential-issuer", "/issuer", "an issuer that counts is a did:key or did:jwk")
	}
	c.verified = true
	if err := spec.CheckSignature(spec.Document{Value: c.value}, key, did.MethodID(c.body.Issuer), did.AssertionMethod); err != nil {
		return err
	}
	if !c.isList() {
		return nil
	}
	list, err := status.Read(c.value)
	if err == nil && list.Test && mode != spec.ModeTest {
		err = spec.Refuse("mode-other", "/credentialSubject/mode", "a test list answers for nothing live")
	}
	c.list = &list
	return err
}

// asked: by a constraint of a mandate, or perhaps of one of its policies, whose versions Decide knows.
func (c *Presented) asked(mandates []Mandate) bool {
	return slices.ContainsFunc(mandates, func(m Mandate) bool {
		return len(m.Body.Terms().Policies) > 0 || c.askedBy(m.Body.Rules())
	})
}

func (c *Presented) askedBy(rules []rule.Constraint) bool {
	return slices.ContainsFunc(rules, func(r rule.Constraint) bool {
		return rule.AsksFor(r, rule.Credential{Type: c.body.Type, Issuer: c.body.Issuer})
	})
}

// unasked refuses a credential that no mandate asks for, nor the version in force of a policy that is about the action. Of a request that
// waits this was judged when it came: a version since then takes nothing back.
func (d *deciding) unasked() error {
	if d.Resumes != "" {
		return nil
	}
	for i := range d.Credentials {
		c := &d.Credentials[i]
		asked := c.isList() || slices.ContainsFunc(d.Mandates, func(m Mandate) bool { return c.askedBy(m.Body.Rules()) }) ||
			slices.ContainsFunc(d.policies, func(p policyInForce) bool { return p.Covers(d.Action.Type, d.Action.Resource) && c.askedBy(p.Rules()) })
		if !asked {
			return spec.Refuse("credential-unasked", "/verifiableCredential/"+strconv.Itoa(len(d.Mandates)+i), "no constraint of mandates or policies asks for this credential")
		}
	}
	return nil
}

// answersFor says whether the list is one that a presented credential names, and by the same issuer.
func (c *Presented) answersFor(credential Presented) bool {
	return credential.body.Issuer == c.body.Issuer && slices.ContainsFunc(credential.entries, func(e status.Entry) bool { return e.List == c.body.ID })
}

// credentialsAt are the presented credentials as the constraints see them at an instant.
func (d *deciding) credentialsAt() []rule.Credential {
	var all []rule.Credential
	for i := range d.Credentials {
		c := &d.Credentials[i]
		if !c.isList() {
			all = append(all, rule.Credential{Type: c.body.Type, Issuer: c.body.Issuer, Subject: c.subject, ValidFrom: c.body.ValidFrom,
				ValidUntil: c.body.ValidUntil, HasStatus: len(c.entries) > 0, Status: c.statusAt(d.Credentials, d.now, d.statusMaxAge())})
		}
	}
	return all
}

// statusAt is why a credential does not count, by its own status entries; "" where each was answered, and none is set.
func (c *Presented) statusAt(all []Presented, now time.Time, maxAge time.Duration) string {
	for _, e := range c.entries {
		i := slices.IndexFunc(all, func(l Presented) bool { return l.isList() && l.body.ID == e.List && l.body.Issuer == c.body.Issuer })
		if i < 0 {
			return "status-absent"
		}
		if reason := answerOf(all[i].list, e, now, maxAge); reason != "" {
			return reason
		}
	}
	return ""
}

func answerOf(list *status.List, e status.Entry, now time.Time, maxAge time.Duration) string {
	set, err := list.Check(e, now, maxAge)
	switch {
	case err != nil:
		return reasonOf(err)
	case set && e.Purpose == "suspension":
		return "credential-suspended"
	case set:
		return "credential-revoked"
	}
	return ""
}

// statusMaxAge is the strictest of the chain; 0 leaves the age to the lists themselves.
func (d *deciding) statusMaxAge() time.Duration {
	var least time.Duration
	for _, m := range d.Mandates {
		if text := m.Body.Terms().StatusMaxAge; text != "" {
			if age, err := spec.ParseDuration(text); err == nil && (least == 0 || age < least) {
				least = age
			}
		}
	}
	return least
}

func digestsOf(credentials []Presented) []string {
	var all []string
	for _, c := range credentials {
		all = append(all, c.Digest)
	}
	return all
}
