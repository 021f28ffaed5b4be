package rule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec/rule"
)

const (
	chamber  = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	register = "did:jwk:eyJrdHkiOiJPS1AifQ"
)

// presenting is a credential constraint with these members behind its issuers.
func presenting(issuers, members string) string {
	return `{"id":"supplier","type":"credential","credentialType":"SupplierCredential","issuers":` + issuers + `,` + members + `}`
}

const pinned = `["` + chamber + `"]`

var credentials = []string{
	presenting(pinned, `"subject":"agent"`),
	presenting(pinned, `"subject":"/counterparty/id"`),
	presenting(`["`+chamber+`","`+register+`"]`, `"subject":"/parameters/supplier","maxAge":"P30D"`),
	presenting(pinned, `"subject":"did:web:supplier.example","status":"required"`),
	presenting(pinned, `"subject":"lei:ZXTILKJKG63JELOEG630","maxAge":"PT12H","status":"required"`),
}

var invalidCredentials = []struct{ in, reason, pointer string }{
	{presenting(pinned, `"maxAge":"P1D"`), "member-missing", "/subject"},
	{presenting(pinned, `"subject":"agent","trust":"any"`), "member-unknown", "/trust"},
	{presenting(pinned, `"subject":"the payee"`), rule.ReasonConstraintInvalid, "/subject"},
	{presenting(pinned, `"subject":"/parameters/items/0"`), rule.ReasonPointerInvalid, "/subject"},
	{presenting(pinned, `"subject":"/counterparty/name"`), rule.ReasonPointerName, "/subject"},
	{presenting(pinned, `"subject":"agent","maxAge":"P1M"`), rule.ReasonDurationForm, "/maxAge"},
	{presenting(pinned, `"subject":"agent","maxAge":""`), rule.ReasonDurationForm, "/maxAge"},
	{presenting(pinned, `"subject":"agent","status":"ignored"`), rule.ReasonConstraintInvalid, "/status"},
	{presenting(`["did:web:chamber.example"]`, `"subject":"agent"`), rule.ReasonConstraintInvalid, "/issuers/0"},
	{presenting(`["`+chamber+`","`+chamber+`"]`, `"subject":"agent"`), rule.ReasonConstraintInvalid, "/issuers/1"},
	{presenting(`["did:key:z`+strings.Repeat("6", 1024)+`"]`, `"subject":"agent"`), rule.ReasonConstraintInvalid, "/issuers/0"},
	{presenting(`"`+chamber+`"`, `"subject":"agent"`), "member-type", "/issuers"},
	{strings.Replace(credentials[0], "SupplierCredential", "VerifiableCredential", 1), rule.ReasonConstraintInvalid, "/credentialType"},
	{strings.Replace(credentials[0], "SupplierCredential", "a supplier", 1), rule.ReasonConstraintInvalid, "/credentialType"},
}

// good is a credential that holds for credentials[1] at noon and, with every member of theirs, for the others.
func good() rule.Credential {
	return rule.Credential{Type: []string{"VerifiableCredential", "SupplierCredential"}, Issuer: chamber, Subject: "lei:ZXTILKJKG63JELOEG630",
		ValidFrom: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), ValidUntil: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), HasStatus: true}
}

func TestCredential(t *testing.T) {
	const byPayee, strict = 1, 4
	for name, row := range map[string]struct {
		constraint int
		change     func(*rule.Credential)
		at         string
		reason     string
	}{
		"as it is":                {byPayee, func(*rule.Credential) {}, "2026-12-01T12:00:00Z", ""},
		"from validFrom on":       {byPayee, func(*rule.Credential) {}, "2026-12-01T00:00:00Z", ""},
		"before validFrom":        {byPayee, func(*rule.Credential) {}, "2026-11-30T23:59:59.999Z", rule.ReasonCredentialEarly},
		"until validUntil":        {byPayee, func(*rule.Credential) {}, "2026-12-01T23:59:59.999Z", ""},
		"at validUntil":           {byPayee, func(*rule.Credential) {}, "2026-12-02T00:00:00Z", rule.ReasonCredentialExpired},
		"without an end":          {byPayee, func(c *rule.Credential) { c.ValidUntil = time.Time{} }, "2036-12-02T00:00:00Z", ""},
		"of another type":         {byPayee, func(c *rule.Credential) { c.Type[1] = "BuyerCredential" }, "2026-12-01T12:00:00Z", rule.ReasonCredentialAbsent},
		"by another issuer":       {byPayee, func(c *rule.Credential) { c.Issuer = register }, "2026-12-01T12:00:00Z", rule.ReasonCredentialAbsent},
		"about another":           {byPayee, func(c *rule.Credential) { c.Subject = "lei:OTHER" }, "2026-12-01T12:00:00Z", rule.ReasonCredentialSubject},
		"about nobody":            {0, func(c *rule.Credential) { c.Subject = "" }, "2026-12-01T12:00:00Z", rule.ReasonCredentialSubject},
		"revoked":                 {byPayee, func(c *rule.Credential) { c.Status = "credential-revoked" }, "2026-12-01T12:00:00Z", "credential-revoked"},
		"of unknown status":       {byPayee, func(c *rule.Credential) { c.Status = "status-stale" }, "2026-12-01T12:00:00Z", "status-stale"},
		"as old as allowed":       {strict, func(*rule.Credential) {}, "2026-12-01T12:00:00Z", ""},
		"older":                   {strict, func(*rule.Credential) {}, "2026-12-01T12:00:00.001Z", rule.ReasonCredentialStale},
		"of unknown age":          {strict, func(c *rule.Credential) { c.ValidFrom = time.Time{} }, "2026-12-01T12:00:00Z", rule.ReasonCredentialStale},
		"that nobody can revoke":  {strict, func(c *rule.Credential) { c.HasStatus = false }, "2026-12-01T12:00:00Z", rule.ReasonCredentialStatus},
		"without status, allowed": {byPayee, func(c *rule.Credential) { c.HasStatus = false }, "2026-12-01T12:00:00Z", ""},
	} {
		c := good()
		row.change(&c)
		a := action(t, pay)
		a.Credentials = []rule.Credential{c}
		v := parse(t, credentials[row.constraint]).Check(a, at(t, row.at))
		if got := brokenFor(v); got != row.reason {
			t.Errorf("%s: %q, want %q", name, got, row.reason)
		}
		if v != nil && v.Over != 0 {
			t.Errorf("%s: a lift of an amount would admit it", name)
		}
	}
}

func brokenFor(v *rule.Violation) string {
	if v == nil {
		return ""
	}
	return v.Reason
}

func TestCredentialSubject(t *testing.T) {
	a := action(t, `{"parameters":{"supplier":7}}`)
	a.Agent, a.Credentials = "did:key:agent", []rule.Credential{good()}
	noon := at(t, "2026-12-01T12:00:00Z")
	for _, row := range []struct {
		constraint, reason, pointer string
	}{
		{credentials[0], rule.ReasonCredentialSubject, ""},
		{credentials[1], rule.ReasonValueAbsent, "/counterparty/id"},
		{credentials[2], rule.ReasonValueOtherKind, "/parameters/supplier"},
		{credentials[3], rule.ReasonCredentialSubject, ""},
	} {
		v := parse(t, row.constraint).Check(a, noon)
		if brokenFor(v) != row.reason || v.Pointer != row.pointer {
			t.Errorf("%s: %+v", row.constraint, v)
		}
	}
	a.Credentials[0].Subject = a.Agent
	if v := parse(t, credentials[0]).Check(a, noon); v != nil {
		t.Errorf("about the agent: %+v", v)
	}
}

// TestCredentialOneOf: one credential that holds is enough, in whatever company and order; of none that holds, none is made up.
func TestCredentialOneOf(t *testing.T) {
	faults := []func(*rule.Credential){
		func(*rule.Credential) {},
		func(c *rule.Credential) { c.Subject = "lei:OTHER" },
		func(c *rule.Credential) { c.Issuer = register },
		func(c *rule.Credential) { c.Type = c.Type[:1] },
		func(c *rule.Credential) { c.ValidUntil = c.ValidFrom },
		func(c *rule.Credential) { c.ValidFrom = c.ValidUntil },
		func(c *rule.Credential) { c.Status = "status-index" },
	}
	c := parse(t, credentials[1])
	rapid.Check(t, func(rt *rapid.T) {
		a := action(t, pay)
		holds := false
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(faults)-1), 0, 8).Draw(rt, "faults") {
			presented := good()
			faults[i](&presented)
			a.Credentials, holds = append(a.Credentials, presented), holds || i == 0
		}
		if v := c.Check(a, at(t, "2026-12-01T12:00:00Z")); (v == nil) != holds {
			rt.Fatalf("%+v with %+v", v, a.Credentials)
		}
	})
}

func TestAsksFor(t *testing.T) {
	other := good()
	other.Issuer = register
	c := parse(t, credentials[1])
	if !rule.AsksFor(c, good()) || rule.AsksFor(c, other) || rule.AsksFor(parse(t, payee), good()) {
		t.Error("asked for is a type by an issuer of the constraint")
	}
	if got := fmt.Sprint(rule.PinnedIssuers(c), rule.PinnedIssuers(parse(t, payee))); got != "["+chamber+"] []" {
		t.Error(got)
	}
}
