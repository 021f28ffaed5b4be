package spec

import (
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Roster is the grantor's signature card (protocol.md 4.1): who may approve what, with which keys, and which seal,
// ledger and executor keys the grantor knows. Keys are in the roster: nobody resolves a DID to check an approval.
type Roster struct {
	Envelope
	Subject  RosterSubject `json:"credentialSubject"`
	Evidence []jcs.Value   `json:"evidence,omitempty"`
}

// RosterSubject wraps the terms; its id is the grantor.
type RosterSubject struct {
	ID     string      `json:"id"`
	Mode   string      `json:"mode,omitempty"`
	Roster RosterTerms `json:"roster"`
}

// RosterTerms are the grantor's own words. Version counts from 1; Previous is the content digest of the version before.
type RosterTerms struct {
	Grantor         string          `json:"grantor"`
	Salt            string          `json:"salt"`
	Log             string          `json:"log"`
	Version         int64           `json:"version"`
	Previous        string          `json:"previous,omitempty"`
	Persons         []Person        `json:"persons"`
	Powers          []Power         `json:"powers"`
	ChangeThreshold int64           `json:"changeThreshold"`
	ChangeDelay     string          `json:"changeDelay,omitempty"` // ISO 8601 duration; absent means P3D
	Recovery        *RosterRecovery `json:"recovery,omitempty"`
	Public          *bool           `json:"public,omitempty"`
	Revokers        []string        `json:"revokers,omitempty"`
	Seals           []SealKey       `json:"seals"`
	Ledgers         []PartyKey      `json:"ledgers"`
	Executors       []Executor      `json:"executors,omitempty"`
}

// Person is one human approver with keys of their own.
type Person struct {
	Person string      `json:"person"`
	Name   string      `json:"name"`
	Keys   []PersonKey `json:"keys"`
}

// PersonKey is one key of a person. A key never counts from CompromisedSince on, whatever a signature claims. Grade is the
// best that the key can reach; evidence only lowers it.
type PersonKey struct {
	ID               string `json:"id"`
	PublicKey        string `json:"publicKeyMultibase"`
	CompromisedSince Time   `json:"compromisedSince,omitempty"`
	Kind             string `json:"kind"`
	Grade            Grade  `json:"grade"`
}

// Power says that Threshold of Persons, each with a key of LeastGrade or better, may approve mandates for Actions whose
// reach is at most UpTo. Without UpTo it covers an unbounded reach.
type Power struct {
	Actions    []string `json:"actions"`
	UpTo       *UpTo    `json:"upTo,omitempty"`
	Persons    []string `json:"persons"`
	Threshold  int64    `json:"threshold"`
	LeastGrade Grade    `json:"leastGrade,omitempty"`
}

// UpTo bounds one action and, if PerDay is present, one day.
type UpTo struct {
	Each   rule.Money  `json:"each"`
	PerDay *rule.Money `json:"perDay,omitempty"`
}

// SealKey packages credentials for the grantor; it carries no authority.
type SealKey struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// PartyKey is a ledger: a verifier's DID with its decision key.
type PartyKey struct {
	DID string `json:"did"`
	Key string `json:"key"`
}

// Executor is a party whose word on execution the grantor takes.
type Executor struct {
	DID  string `json:"did"`
	Key  string `json:"key"`
	Role string `json:"role"` // gateway or system-of-record
}

func (r *Roster) docType() string { return TypeRoster }
func (r *Roster) mode() string    { return r.Subject.Mode }

// Terms is the roster proper.
func (r *Roster) Terms() *RosterTerms { return &r.Subject.Roster }

func (r *Roster) check() error {
	if err := r.Envelope.check("RosterCredential"); err != nil {
		return err
	}
	t := r.Terms()
	const at = "/credentialSubject/roster"
	switch {
	case r.Subject.ID != t.Grantor:
		return refuse("grantor-mismatch", at+"/grantor", "the grantor is the credential's subject")
	case did.Check(t.Grantor) != nil:
		return refuse("did-syntax", at+"/grantor", "not a DID of a known method")
	case t.Version < 1 || (t.Version == 1) != (t.Previous == ""):
		return refuse("roster-version", at+"/version", "version 1 has no previous, every later one has")
	case t.Log == "":
		return refuse("ledger-syntax", at+"/log", "a log's origin is not empty")
	case t.ChangeThreshold < 1 || int(t.ChangeThreshold) > len(t.Persons):
		return refuse("roster-threshold", at+"/changeThreshold", "between 1 and the number of persons")
	}
	return firstError(
		func() error { return checkSalt(t.Salt, at+"/salt") },
		func() error { return checkMode(r.Subject.Mode) },
		t.checkDelay, t.checkPersons, t.checkPowers, t.checkParties, t.checkRecovery,
		func() error { return checkEvidence(r.Evidence) },
	)
}

func (t *RosterTerms) checkDelay() error {
	if t.ChangeDelay == "" {
		return nil
	}
	_, err := ParseDuration(t.ChangeDelay)
	return at("/credentialSubject/roster/changeDelay", err)
}

func (t *RosterTerms) checkPersons() error {
	const at = "/credentialSubject/roster/persons"
	names, ids := map[string]bool{}, map[string]bool{}
	for _, p := range t.Persons {
		if strings.ContainsFunc(p.Person+p.Name, hidden) {
			return refuse("text-hidden", at, "a person's name has characters that do not show")
		}
		if p.Person == "" || names[p.Person] {
			return refuse("roster-person", at, "persons have distinct, non-empty names")
		}
		names[p.Person] = true
		for _, k := range p.Keys {
			if k.ID == "" || ids[k.ID] {
				return refuse("roster-key", at, "key ids are distinct and non-empty")
			}
			ids[k.ID] = true
			if _, err := did.ParseMultikey(k.PublicKey); err != nil {
				return refuse("key-syntax", at, "%v", err)
			}
			if !k.Grade.known() {
				return refuse("grade-unknown", at, "no such grade")
			}
		}
	}
	for _, r := range t.Revokers {
		if !names[r] {
			return refuse("roster-person", "/credentialSubject/roster/revokers", "a revoker is a person of the roster")
		}
	}
	return nil
}

// checkPowers keeps the change threshold at least as high as every power's: whoever can change the roster could otherwise
// approve anything (protocol.md 4.1).
func (t *RosterTerms) checkPowers() error {
	const at = "/credentialSubject/roster/powers"
	for _, p := range t.Powers {
		if p.Threshold < 1 || int(p.Threshold) > len(p.Persons) || p.Threshold > t.ChangeThreshold {
			return refuse("roster-threshold", at, "between 1 and the power's persons, and at most the change threshold")
		}
		if p.LeastGrade != "" && !p.LeastGrade.known() {
			return refuse("grade-unknown", at, "no such grade")
		}
		for _, a := range p.Actions {
			if !rule.ValidPattern(a) {
				return refuse("action-pattern", at, "not an action pattern")
			}
		}
		if !distinct(p.Persons) {
			return refuse("roster-person", at, "a person is named once")
		}
		for _, name := range p.Persons {
			if t.person(name) == nil {
				return refuse("roster-person", at, "a power names persons of the roster")
			}
		}
	}
	return nil
}

func (t *RosterTerms) checkParties() error {
	var seals, ledgers, executors []string
	for _, s := range t.Seals {
		if _, err := did.ParseMultikey(s.Key); err != nil {
			return refuse("key-syntax", "/credentialSubject/roster/seals", "%v", err)
		}
		seals = append(seals, s.ID)
	}
	for _, l := range t.Ledgers {
		if _, err := did.ParseMultikey(l.Key); err != nil || did.Check(l.DID) != nil {
			return refuse("key-syntax", "/credentialSubject/roster/ledgers", "a ledger has a DID and a multikey")
		}
		ledgers = append(ledgers, l.DID)
	}
	for _, e := range t.Executors {
		if _, err := did.ParseMultikey(e.Key); err != nil || did.Check(e.DID) != nil {
			return refuse("key-syntax", "/credentialSubject/roster/executors", "an executor has a DID and a multikey")
		}
		if e.Role != "gateway" && e.Role != "system-of-record" {
			return refuse("executor-role", "/credentialSubject/roster/executors", "gateway or system-of-record")
		}
		executors = append(executors, e.DID)
	}
	if !distinct(seals) || !distinct(ledgers) || !distinct(executors) {
		return refuse("roster-party", "/credentialSubject/roster", "a seal, ledger or executor is listed once")
	}
	return nil
}

// defaultChangeDelay is what additions and looser powers wait for where the roster says nothing (protocol.md 4.1).
const defaultChangeDelay = 3 * 24 * time.Hour

func (t *RosterTerms) changeDelay() time.Duration {
	if d, err := ParseDuration(t.ChangeDelay); err == nil {
		return d
	}
	return defaultChangeDelay
}

func (t *RosterTerms) person(name string) *Person {
	i := slices.IndexFunc(t.Persons, func(p Person) bool { return p.Person == name })
	if i < 0 {
		return nil
	}
	return &t.Persons[i]
}

// keyOf finds a key by its id, with the person who holds it.
func (t *RosterTerms) keyOf(id string) (*Person, *PersonKey) {
	for i := range t.Persons {
		for j := range t.Persons[i].Keys {
			if t.Persons[i].Keys[j].ID == id {
				return &t.Persons[i], &t.Persons[i].Keys[j]
			}
		}
	}
	return nil, nil
}

// Executor returns the roster's entry for an executor's DID.
func (t *RosterTerms) Executor(id string) (Executor, bool) {
	i := slices.IndexFunc(t.Executors, func(e Executor) bool { return e.DID == id })
	if i < 0 {
		return Executor{}, false
	}
	return t.Executors[i], true
}

// Ledger returns the decision key of a verifier that the grantor lists.
func (t *RosterTerms) Ledger(id string) (PartyKey, bool) {
	i := slices.IndexFunc(t.Ledgers, func(l PartyKey) bool { return l.DID == id })
	if i < 0 {
		return PartyKey{}, false
	}
	return t.Ledgers[i], true
}

// Seal returns a seal key by its id.
func (t *RosterTerms) Seal(id string) (SealKey, bool) {
	i := slices.IndexFunc(t.Seals, func(s SealKey) bool { return s.ID == id })
	if i < 0 {
		return SealKey{}, false
	}
	return t.Seals[i], true
}

// MayIssue says whether the issuer of a root mandate is the grantor itself or whoever holds one of its seals.
func (t *RosterTerms) MayIssue(issuer string) bool {
	return issuer == t.Grantor || slices.ContainsFunc(t.Seals, func(s SealKey) bool {
		owner, _, _ := strings.Cut(s.ID, "#")
		return owner == issuer
	})
}

// Key returns the public key of a person's key by its id.
func (t *RosterTerms) Key(id string) (did.PublicKey, bool) {
	_, k := t.keyOf(id)
	if k == nil {
		return did.PublicKey{}, false
	}
	pub, err := did.ParseMultikey(k.PublicKey)
	return pub, err == nil
}

// PersonOf names the holder of a key, "" where the roster does not know it.
func (t *RosterTerms) PersonOf(keyID string) string {
	p, _ := t.keyOf(keyID)
	if p == nil {
		return ""
	}
	return p.Person
}

// IsPublic says whether the grantor's name is on its log entries.
func (t *RosterTerms) IsPublic() bool { return t.Public == nil || *t.Public }
