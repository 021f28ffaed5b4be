package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// This file says what a file is that was handed to the wrong command, or in the wrong place.

// whatIs says what the bytes of a file look like, for people; nothing is decided by it.
func whatIs(data []byte) string {
	v, err := jcs.Parse(data)
	switch {
	case err != nil && strings.HasPrefix(strings.TrimSpace(string(data)), "{"):
		return "broken JSON"
	case err != nil:
		return "not JSON"
	case has(v, "/credentialSubject/policy"):
		return "a policy"
	case has(v, "/policy"), has(v, "/resources"):
		return "a trust file"
	case has(v, "/credentialSubject/roster"):
		return "a roster"
	case has(v, "/credentialSubject/mandate"):
		return "a mandate"
	case has(v, "/body/credentialSubject"):
		return "a draft"
	}
	if name, ok := typeOf(v); ok {
		return "a " + name
	}
	return "JSON of no type that Writ knows"
}

func has(v jcs.Value, pointer string) bool {
	_, ok := v.Lookup(pointer)
	return ok
}

// typeOf is what a document of Writ calls itself.
func typeOf(v jcs.Value) (string, bool) {
	t, _ := v.Member("type")
	if all := t.Elements(); len(all) > 0 {
		t = all[len(all)-1]
	}
	name, ok := t.Text()
	return name, ok && name != ""
}

// foreign puts the file, and what it is instead, in front of what is wrong with it.
func foreign(path, wanted string, data []byte, err error) error {
	if is := whatIs(data); is != wanted {
		return fmt.Errorf("%s is not %s, it looks like %s: %w", path, wanted, is, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// contentKind is what a content for approval is: a mandate, a roster or a policy. "" is none of them.
func contentKind(v jcs.Value) string {
	switch {
	case has(v, "/credentialSubject/roster"):
		return spec.KindRoster
	case has(v, "/credentialSubject/policy"):
		return spec.KindPolicy
	case has(v, "/credentialSubject/mandate"):
		return spec.KindMandate
	}
	return ""
}

// The names of who and what a server fills in, as examples, so that a content can be read before any server has seen it.
const (
	exampleID     = "urn:uuid:00000000-0000-7000-8000-000000000000"
	exampleLedger = "did:web:ledger.example"
	exampleLog    = "ledger.example/log1"
)

// checkContent reads a content as the server will, once it has filled in what is left out.
func checkContent(content any) error {
	v, err := valueOf(content)
	if err == nil {
		_, err = completed(v)
	}
	return err
}

// completed is a content with what the server fills in where it is left out: here, examples.
func completed(v jcs.Value) (spec.Document, error) {
	kind, terms, filled := "MandateCredential", "mandate", map[string]any{"ledger": spec.Ledger{Verifier: exampleLedger, Log: exampleLog}}
	switch contentKind(v) {
	case spec.KindRoster:
		kind, terms, filled = "RosterCredential", "roster", map[string]any{"log": exampleLog}
	case spec.KindPolicy:
		kind, terms, filled = "PolicyCredential", "policy", map[string]any{"log": exampleLog}
	}
	filled["salt"] = jcs.EncodeBase64(make([]byte, 32))
	subject, _ := v.Member("credentialSubject")
	inner, _ := subject.Member(terms)
	inner, err := withAll(inner, absent(inner, filled))
	if err != nil {
		return spec.Document{}, err
	}
	e := spec.NewEnvelope(kind, exampleID, exampleLedger)
	envelope := map[string]any{"@context": e.Context, "type": e.Type, "id": e.ID, "issuer": e.Issuer}
	if v, err = withAll(v.With("credentialSubject", subject.With(terms, inner)), absent(v, envelope)); err != nil {
		return spec.Document{}, err
	}
	return spec.FromValue(v)
}

// readContent reads a mandate, roster or policy, or a draft of one: its content, in which what the server would fill in is filled in, or
// what the server answered to it.
func readContent[B spec.Body](sys *system, path, wanted string) (spec.Document, B, error) {
	var body B
	data, err := readInput(sys, path, maxTrustBytes)
	if err != nil {
		return spec.Document{}, body, &exit{exitUnchecked, err}
	}
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return spec.Document{}, body, foreign(path, wanted, data, err)
	}
	if has(v, "/body/credentialSubject") {
		v, _ = v.Member("body")
	}
	doc, err := completed(v)
	if err != nil {
		return doc, body, foreign(path, wanted, data, err)
	}
	body, ok := doc.Body.(B)
	if !ok {
		return doc, body, ends(exitUsage, "%s is not %s, it looks like %s", path, wanted, whatIs(doc.Bytes()))
	}
	return doc, body, nil
}

// absent are the members that the object does not have.
func absent(object jcs.Value, members map[string]any) map[string]any {
	maps.DeleteFunc(members, func(name string, _ any) bool { _, there := object.Member(name); return there })
	return members
}

func withAll(object jcs.Value, members map[string]any) (jcs.Value, error) {
	for name, member := range members {
		v, err := jcs.ValueOf(member)
		if err != nil {
			return object, err
		}
		object = object.With(name, v)
	}
	return object, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// policyLines are the lines of a policy that say something.
func policyLines(policy string) []string {
	return slices.DeleteFunc(strings.Split(policy, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}
