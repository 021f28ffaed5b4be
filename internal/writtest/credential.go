package writtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/vc"
)

// StatusList is the id of the chamber's status list.
const StatusList = "https://chamber.example/status/1"

// SupplierLimit is a constraint that asks for a SupplierCredential by the chamber about the payee; more members may follow, such as
// `,"maxAge":"P30D"`.
func (w *World) SupplierLimit(more string) jcs.Value {
	return JSON(fmt.Sprintf(`{"id":"supplier","type":"credential","credentialType":"SupplierCredential","issuers":[%q],"subject":"/counterparty/id"%s}`,
		w.DID("chamber"), more))
}

// Supplier is the chamber's credential about a supplier, valid for 30 days from a day before Now, whose entry of StatusList is index;
// a negative index makes it one without a status.
func (w *World) Supplier(subject string, index int, changes ...func(jcs.Value) jcs.Value) jcs.Value {
	v := object(map[string]any{"@context": []string{vc.Context, "https://chamber.example/v1"}, "type": []string{vc.TypeCredential, "SupplierCredential"},
		"issuer": w.DID("chamber"), "validFrom": day(w.Now, -1), "validUntil": day(w.Now, 29),
		"credentialSubject": map[string]any{"id": subject, "supplierSince": 2019}})
	if index >= 0 {
		v = v.With("credentialStatus", object(map[string]string{"type": "BitstringStatusListEntry", "statusPurpose": "revocation",
			"statusListIndex": fmt.Sprint(index), "statusListCredential": StatusList}))
	}
	return w.issued("chamber", v, changes)
}

// SupplierStatus is the chamber's status list as it stands at Now, for an hour: bits is the encodedList.
func (w *World) SupplierStatus(bits string, changes ...func(jcs.Value) jcs.Value) jcs.Value {
	v := object(map[string]any{"@context": []string{vc.Context}, "id": StatusList, "type": []string{vc.TypeCredential, "BitstringStatusListCredential"},
		"issuer": w.DID("chamber"), "validFrom": w.Now.Format(time.RFC3339), "validUntil": w.Now.Add(time.Hour).Format(time.RFC3339),
		"credentialSubject": map[string]string{"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": bits}})
	return w.issued("chamber", v, changes)
}

// object is the JSON value of anything that encoding/json writes.
func object(v any) jcs.Value { return JSON(string(must(json.Marshal(v)))) }

func day(now time.Time, days int) string { return now.AddDate(0, 0, days).Format(time.RFC3339) }

// issued makes the changes and signs with the party's own key, which is its DID.
func (w *World) issued(party string, v jcs.Value, changes []func(jcs.Value) jcs.Value) jcs.Value {
	for _, change := range changes {
		v = change(v)
	}
	return w.IssueAs(party, v)
}

// IssueAs signs a credential with a party's key under that party's DID, whatever issuer it names.
func (w *World) IssueAs(party string, v jcs.Value) jcs.Value {
	return must(vc.Sign(v.Without("proof"), vc.ProofOptions{VerificationMethod: did.MethodID(w.DID(party)), Purpose: did.AssertionMethod, Created: w.Now}, w.Key(party)))
}

// Put is a change that sets one member at a pointer of names.
func Put(pointer string, value any) func(jcs.Value) jcs.Value {
	names := strings.Split(pointer, "/")[1:]
	return func(v jcs.Value) jcs.Value { return put(v, names, object(value)) }
}

func put(v jcs.Value, names []string, value jcs.Value) jcs.Value {
	if len(names) == 1 {
		return v.With(names[0], value)
	}
	inner, _ := v.Member(names[0])
	return v.With(names[0], put(inner, names[1:], value))
}
