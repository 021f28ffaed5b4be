package writ

import (
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// Record is a document's place in the log. Keep it with the document: the salt opens the entry's commitment.
type Record struct {
	Entry vc.Value `json:"entry"` // commits to the document
	Index int64    `json:"index"`
	At    string   `json:"at"` // ledger time, RFC 3339
	Salt  string   `json:"salt"`
	Proof string   `json:"proof"` // C2SP tlog-proof
}

// Acknowledgement says that a document that was handed over is in the log.
type Acknowledgement struct {
	Document vc.Value `json:"document"`
	Digest   string   `json:"digest"`
	Record
	Issued  vc.Value `json:"issued"`  // the credential, where this was the last approval that it needed
	Content string   `json:"content"` // content digest of what was issued
}

// Answer is a decision with its place in the log. Its members are what the server says; Guard checks them.
type Answer struct {
	Result   string    `json:"result"` // spec.Authorized, spec.CollectMissing or spec.Rejected
	ID       string    `json:"id"`     // dec_…
	Digest   string    `json:"digest"`
	Decision vc.Value  `json:"decision"`
	Record   Record    `json:"record"`
	Recovery *Recovery `json:"recovery"` // where people may lift what is missing
	Receipt  vc.Value  `json:"receipt"`  // where the decision itself charged
	// Witnessed says, where the request asked, whether Record.Proof has the quorum's cosignatures. Nil where it did not ask.
	Witnessed *bool `json:"witnessed"`
}

// Document is the decision, parsed strictly. Its digest must be the one that the answer names.
func (a Answer) Document() (spec.Document, error) {
	doc, err := spec.FromValue(a.Decision)
	if err != nil {
		return doc, err
	}
	if d, ok := doc.Body.(*spec.Decision); !ok || doc.Digest != a.Digest || d.Result != a.Result {
		return doc, spec.Refuse("decision-other", "/decision", "the answer is about another decision")
	}
	return doc, nil
}

// Recovery is what would turn a COLLECT_MISSING to AUTHORIZED, and what became of it.
type Recovery struct {
	ID        string     `json:"id"`       // rcv_…
	Decision  string     `json:"decision"` // digest of the interim decision
	Status    string     `json:"status"`   // open, or ended: the request has another answer
	Until     string     `json:"until"`    // the request is decided anew then at the latest
	Proposals []Proposal `json:"proposals"`
	Answer    *Answer    `json:"answer"` // once it is another
}

// Proposal is a supplement that people may approve.
type Proposal struct {
	Mandate    string              `json:"mandate"` // content digest of the mandate that owns the limits
	Content    string              `json:"content"` // content digest of the supplement
	Status     string              `json:"status"`  // open, issued, spent or declined
	Supplement vc.Value            `json:"supplement"`
	Approvers  []string            `json:"approvers"`
	Threshold  int64               `json:"threshold"`
	Sentences  map[string][]string `json:"sentences"` // by locale
	Approvals  []Said              `json:"approvals"`
}

// Said is one person's word.
type Said struct {
	Approver string `json:"approver"` // key id
	Decision string `json:"decision"` // spec.Approve, spec.Decline or spec.Withdraw
	At       string `json:"at"`
}

// Draft is a content that waits for approvals.
type Draft struct {
	ID        string              `json:"id"`      // urn:uuid:…
	ShortID   string              `json:"shortId"` // mnd_…
	Kind      string              `json:"kind"`    // spec.KindMandate, spec.KindRoster or spec.KindPolicy
	Status    string              `json:"status"`  // draft, issued or declined
	Content   string              `json:"content"` // content digest
	Body      vc.Value            `json:"body"`    // the unsigned credential, complete
	Sentences map[string][]string `json:"sentences"`
	Approvers []string            `json:"approvers"`
	Threshold int64               `json:"threshold"`
	Recovery  *DraftRecovery      `json:"recovery"` // where recovery keys may approve it instead
	Approvals []Said              `json:"approvals"`
}

// DraftRecovery is who may approve a roster version instead of its persons.
type DraftRecovery struct {
	Approvers []string `json:"approvers"` // ids of recovery keys
	Threshold int64    `json:"threshold"`
	Delay     string   `json:"delay"` // it counts for nothing before, an ISO 8601 duration
}

// Mandate is a mandate with where its chain stands.
type Mandate struct {
	ID         string              `json:"id"`
	ShortID    string              `json:"shortId"`
	Name       string              `json:"name"`
	Content    string              `json:"content"`
	Chain      string              `json:"chain"`
	Status     string              `json:"status"` // active, suspended or revoked; expiry is time, not status
	Seq        int64               `json:"seq"`
	Credential vc.Value            `json:"credential"`
	Sentences  map[string][]string `json:"sentences"`
	Windows    []Window            `json:"windows"`
	Holds      []Hold              `json:"holds"` // open ones
	Record     Record              `json:"record"`
}

// Window is the account of one limit in one window; Used is Held + Committed, which contains Excess.
type Window struct {
	Constraint string `json:"constraint"`
	From       string `json:"from"`
	To         string `json:"to"`
	Unit       string `json:"unit"`
	Max        string `json:"max"`
	Lifted     string `json:"lifted"`
	Held       string `json:"held"`
	Committed  string `json:"committed"`
	Excess     string `json:"excess"`
	Used       string `json:"used"`
	Lifts      int64  `json:"lifts"`
}

// Hold is what an authorised action has taken and no report has settled yet.
type Hold struct {
	Decision      string `json:"decision"`
	Status        string `json:"status"` // held or entered
	Executor      string `json:"executor"`
	ExecuteBefore string `json:"executeBefore"`
	Amount        string `json:"amount"`
	Currency      string `json:"currency"`
}

// MandateItem is one line of a list of mandates.
type MandateItem struct {
	ID      string `json:"id"`
	ShortID string `json:"shortId"`
	Name    string `json:"name"`
	Content string `json:"content"`
	Status  string `json:"status"`
	Seq     int64  `json:"seq"`
}

// Roster is a grantor's roster chain.
type Roster struct {
	Grantor  string          `json:"grantor"`
	Chain    string          `json:"chain"`
	Seq      int64           `json:"seq"`
	First    string          `json:"first"`   // content digest of version 1: what trust files pin
	Content  string          `json:"content"` // of the newest version that was not vetoed: what the next version names
	InForce  string          `json:"inForce"` // of the newest version that counts in full
	Versions []RosterVersion `json:"versions"`
}

// RosterVersion is one version of a roster.
type RosterVersion struct {
	Version        int64     `json:"version"`
	Content        string    `json:"content"`
	At             string    `json:"at"`
	ByRecoveryKeys bool      `json:"byRecoveryKeys"` // and by no persons: it counts for nothing before WaitsUntil
	WaitsUntil     spec.Time `json:"waitsUntil"`     // what it adds or loosens counts from then on; zero where it does not wait
	Vetoed         bool      `json:"vetoed"`         // by a revoker, while it waited
	Superseded     bool      `json:"superseded"`     // by another version, while it waited
	Credential     vc.Value  `json:"credential"`
}

// Policy is the chain of a policy, with the account of what its mandates share.
type Policy struct {
	Grantor   string              `json:"grantor"`
	Name      string              `json:"name"` // of the version in force
	Chain     string              `json:"chain"`
	Seq       int64               `json:"seq"`
	First     string              `json:"first"`     // content digest of version 1: what mandates name
	Content   string              `json:"content"`   // of the version in force: what the next version names
	Sentences map[string][]string `json:"sentences"` // by locale
	Windows   []Window            `json:"windows"`   // of what is shared
	Versions  []PolicyVersion     `json:"versions"`
}

// PolicyVersion is one version of a policy.
type PolicyVersion struct {
	Version    int64    `json:"version"`
	Content    string   `json:"content"`
	At         string   `json:"at"`
	Credential vc.Value `json:"credential"`
}

// Receipt is the signed view of an authorised action.
type Receipt struct {
	ID      string   `json:"id"` // rcp_…
	Digest  string   `json:"digest"`
	Outcome string   `json:"outcome"`
	Receipt vc.Value `json:"receipt"`
}

// Ledger says who a server is.
type Ledger struct {
	DID           string  `json:"did"`
	Mode          string  `json:"mode"`
	Epoch         int64   `json:"epoch"`
	DecisionKey   KeyInfo `json:"decisionKey"`
	Seal          KeyInfo `json:"seal"`
	Log           LogInfo `json:"log"`
	ExecuteWithin string  `json:"executeWithin"` // ISO 8601 duration
	Catalogue     string  `json:"catalogue"`
	Version       string  `json:"version"`
}

// KeyInfo is a key by its verification method, as a multikey.
type KeyInfo struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// LogInfo is a log by its origin, with its key as a note verifier key.
type LogInfo struct {
	Origin string `json:"origin"`
	Key    string `json:"key"`
}

// APIKey is an API key as it is listed; Key is there once, when it is made.
type APIKey struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Scopes  []string `json:"scopes"`
	Agent   string   `json:"agent"` // DID of the hosted agent
	Created string   `json:"created"`
	Revoked string   `json:"revoked"`
	Key     string   `json:"key"`
}

// Organisation is an organisation that a server serves; Key, of its first admin, is there once, when it is made.
type Organisation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Mode string `json:"mode"`
	Key  string `json:"key"`
}
