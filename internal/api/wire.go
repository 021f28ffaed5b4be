package api

import (
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// This file is the shape of everything that the API says around the signed documents. The tags make spec/openapi.yaml (schema.go):
// doc says what a member is, ref names the document type of a member that is a whole document.

// recorded is a document's place in the log.
type recorded struct {
	Entry jcs.Value `json:"entry" ref:"entry" doc:"The log entry, which commits to the document"`
	Index int64     `json:"index" doc:"Of the entry in the log, from 0"`
	At    spec.Time `json:"at" doc:"Ledger time"`
	Salt  string    `json:"salt" doc:"Opens the entry's commitment; keep it with the document"`
	Proof string    `json:"proof" doc:"C2SP tlog-proof of the entry"`
}

func recordedOf(r spec.Record) (recorded, error) {
	entry, err := jcs.ParseDocument(r.Entry.Bytes())
	return recorded{Entry: entry, Index: r.Index, At: spec.At(r.At), Salt: jcs.EncodeBase64(r.Salt[:]), Proof: string(r.Proof)}, err
}

// acknowledgement says that a document that was handed over is in the log.
type acknowledgement struct {
	Document jcs.Value `json:"document" doc:"As it was handed over"`
	Digest   string    `json:"digest"`
	recorded
	Issued  jcs.Value `json:"issued,omitempty" doc:"The credential, where this was the last approval that it needed"`
	Content string    `json:"content,omitempty" doc:"Content digest of what was issued"`
}

// answer is a decision with its place in the log.
type answer struct {
	Result   string    `json:"result" doc:"AUTHORIZED, COLLECT_MISSING or REJECTED"`
	ID       string    `json:"id" doc:"dec_…"`
	Digest   string    `json:"digest" doc:"Of the decision: what begins, reports and supplements name"`
	Decision jcs.Value `json:"decision" ref:"decision"`
	Record   recorded  `json:"record"`
	Recovery *recovery `json:"recovery,omitempty" doc:"What would turn COLLECT_MISSING to AUTHORIZED"`
	Receipt  jcs.Value `json:"receipt,omitempty" ref:"receiptcredential" doc:"Where the decision itself charged"`

	Witnessed *bool `json:"witnessed,omitempty" doc:"Where ?witnessed= asked: whether record.proof ends in a checkpoint that the quorum of witnesses cosigned; false is not yet"`
}

// recovery is an interim decision while people may lift what is missing, and what became of it.
type recovery struct {
	ID        string     `json:"id" doc:"rcv_…"`
	Decision  string     `json:"decision" doc:"Digest of the interim decision"`
	Status    string     `json:"status" doc:"open, or ended: the request has another answer"`
	Until     spec.Time  `json:"until" doc:"The request is decided anew then at the latest"`
	Proposals []proposal `json:"proposals"`
	Answer    *answer    `json:"answer,omitempty" doc:"The request's answer, once it is another"`
}

// proposal is a supplement that people may approve.
type proposal struct {
	Mandate    string              `json:"mandate" doc:"Content digest of the mandate that owns the limits"`
	Content    string              `json:"content" doc:"Content digest of the supplement: what an approval names"`
	Status     string              `json:"status" doc:"open, issued, spent or declined"`
	Supplement jcs.Value           `json:"supplement" doc:"The unsigned SupplementCredential"`
	Approvers  []string            `json:"approvers"`
	Threshold  int64               `json:"threshold"`
	Sentences  map[string][]string `json:"sentences" doc:"For people, by locale"`
	Shown      map[string]string   `json:"shown" doc:"Digest of the sentences, by locale: an approval's shown"`
	Approvals  []said              `json:"approvals,omitempty"`
}

// said is one person's word.
type said struct {
	Approver string    `json:"approver" doc:"Key id"`
	Decision string    `json:"decision" doc:"approve, decline or withdraw"`
	At       spec.Time `json:"at"`
}

func saidOf(approvals []spec.LoggedApproval) []said {
	var all []said
	for _, l := range approvals {
		all = append(all, said{l.Body().Approver, l.Body().Decision, spec.At(l.At)})
	}
	return all
}

// draft is a content that waits for approvals.
type draft struct {
	ID        string              `json:"id" doc:"urn:uuid:… of the credential"`
	ShortID   string              `json:"shortId,omitempty" doc:"mnd_…"`
	Kind      string              `json:"kind" doc:"mandate, roster or policy: an approval's kind"`
	Status    string              `json:"status" doc:"draft, issued or declined"`
	Content   string              `json:"content" doc:"Content digest: what an approval names"`
	Body      jcs.Value           `json:"body" doc:"The unsigned credential, complete"`
	Sentences map[string][]string `json:"sentences,omitempty" doc:"For people, by locale"`
	Shown     map[string]string   `json:"shown" doc:"Digest of the sentences, by locale: an approval's shown"`
	Approvers []string            `json:"approvers"`
	Threshold int64               `json:"threshold"`
	Recovery  *draftRecovery      `json:"recovery,omitempty" doc:"Where recovery keys may approve it instead"`
	Approvals []said              `json:"approvals,omitempty"`
}

// draftRecovery is who may approve a roster version instead of its persons.
type draftRecovery struct {
	Approvers []string `json:"approvers" doc:"Ids of recovery keys"`
	Threshold int64    `json:"threshold"`
	Delay     string   `json:"delay" doc:"It counts for nothing before, an ISO 8601 duration"`
}

// localised says sentences in every locale of the catalogue.
func localised(lines func(rule.Locale) []string) (sentences map[string][]string, shown map[string]string) {
	shown = map[string]string{}
	for _, l := range rule.Locales() {
		var said []string
		if lines != nil {
			said = lines(l)
		}
		if len(said) > 0 {
			if sentences == nil {
				sentences = map[string][]string{}
			}
			sentences[string(l)] = said
		}
		shown[string(l)] = spec.Shown(rule.Catalogue, string(l), said)
	}
	return sentences, shown
}

// mandate is a mandate with where its chain stands.
type mandate struct {
	ID         string              `json:"id" doc:"urn:uuid:…"`
	ShortID    string              `json:"shortId" doc:"mnd_…"`
	Name       string              `json:"name,omitempty"`
	Content    string              `json:"content"`
	Chain      string              `json:"chain"`
	Status     string              `json:"status" doc:"active, suspended or revoked; expiry is time, not status"`
	Seq        int64               `json:"seq" doc:"Entries on the chain"`
	Credential jcs.Value           `json:"credential" ref:"mandatecredential"`
	Sentences  map[string][]string `json:"sentences"`
	Windows    []window            `json:"windows,omitempty" doc:"The account, now"`
	Holds      []hold              `json:"holds,omitempty" doc:"Open ones"`
	Record     recorded            `json:"record"`
}

// window is the account of one limit in one window; used is held + committed, which contains excess.
type window struct {
	spec.WindowTotals
	Used string `json:"used"`
}

// hold is what an authorised action has taken and no report has settled yet.
type hold struct {
	Decision      string    `json:"decision"`
	Status        string    `json:"status" doc:"held or entered"`
	Executor      string    `json:"executor"`
	ExecuteBefore spec.Time `json:"executeBefore"`
	Amount        string    `json:"amount,omitempty"`
	Currency      string    `json:"currency,omitempty"`
}

// mandateItem is one line of a list.
type mandateItem struct {
	ID      string `json:"id"`
	ShortID string `json:"shortId"`
	Name    string `json:"name,omitempty"`
	Content string `json:"content"`
	Status  string `json:"status"`
	Seq     int64  `json:"seq"`
}

// Lists say how many they have: an empty array is no member of any answer.

type mandateList struct {
	Count    int64         `json:"count" doc:"On this page"`
	Mandates []mandateItem `json:"mandates,omitempty"`
	Next     string        `json:"next,omitempty" doc:"Cursor of the next page"`
}

// roster is a grantor's roster chain.
type roster struct {
	Grantor  string          `json:"grantor"`
	Chain    string          `json:"chain"`
	Seq      int64           `json:"seq"`
	First    string          `json:"first" doc:"Content digest of version 1: what trust files pin"`
	Content  string          `json:"content" doc:"Content digest of the newest version that was not vetoed: what the next version names"`
	InForce  string          `json:"inForce" doc:"Content digest of the newest version that counts in full"`
	Versions []rosterVersion `json:"versions" doc:"Oldest first"`
}

type rosterVersion struct {
	Version        int64     `json:"version"`
	Content        string    `json:"content"`
	At             spec.Time `json:"at" doc:"Ledger time"`
	ByRecoveryKeys bool      `json:"byRecoveryKeys,omitempty" doc:"Recovery keys approved it, and no persons: it counts for nothing before waitsUntil"`
	WaitsUntil     spec.Time `json:"waitsUntil,omitempty" doc:"What it adds or loosens counts from then on; a revoker may veto it before"`
	Vetoed         bool      `json:"vetoed,omitempty" doc:"By a revoker, while it waited"`
	Superseded     bool      `json:"superseded,omitempty" doc:"By another version, while it waited"`
	Credential     jcs.Value `json:"credential" ref:"rostercredential"`
}

// verifyBody is a request in one of two forms: presented by the agent, or to be presented for a caller with a hosted agent.
type verifyBody struct {
	Presentation jcs.Value      `json:"presentation,omitempty" ref:"verifiablepresentation" doc:"Signed by the agent"`
	Commit       jcs.Value      `json:"commit,omitempty" ref:"commit" doc:"The executor's, where it executes at once"`
	Mandates     []jcs.Value    `json:"mandates,omitempty" doc:"Hosted: ids, content digests or credentials, root first"`
	Credentials  []jcs.Value    `json:"credentials,omitempty" doc:"Hosted: credentials that the mandates ask for, and their status lists"`
	Action       jcs.Value      `json:"action,omitempty" doc:"Hosted: without nonce, the idempotency key is its nonce"`
	Request      *hostedRequest `json:"request,omitempty" doc:"Hosted"`
}

type hostedRequest struct {
	IdempotencyKey string    `json:"idempotencyKey,omitempty" doc:"Here or in the header Idempotency-Key"`
	Executor       string    `json:"executor" doc:"DID"`
	WaitUntil      spec.Time `json:"waitUntil,omitempty"`
}

// receipt is the signed view of an authorised action.
type receipt struct {
	ID      string    `json:"id" doc:"rcp_…"`
	Digest  string    `json:"digest"`
	Outcome string    `json:"outcome"`
	Receipt jcs.Value `json:"receipt" ref:"receiptcredential"`
}

type logProof struct {
	Index int64  `json:"index"`
	Proof string `json:"proof" doc:"C2SP tlog-proof under the published checkpoint"`
}

type logEntry struct {
	Index int64     `json:"index"`
	Entry jcs.Value `json:"entry" ref:"entry"`
}

// ledger says who this server is.
type ledger struct {
	DID           string  `json:"did"`
	Mode          string  `json:"mode,omitempty"`
	Epoch         int64   `json:"epoch"`
	DecisionKey   keyed   `json:"decisionKey"`
	Seal          keyed   `json:"seal"`
	Log           logInfo `json:"log"`
	ExecuteWithin string  `json:"executeWithin" doc:"How long a hold is given for"`
	Catalogue     string  `json:"catalogue" doc:"Version of the sentences that people are shown"`
	Version       string  `json:"version" doc:"Of documents"`
}

type keyed struct {
	ID  string `json:"id" doc:"Verification method"`
	Key string `json:"key" doc:"Multikey"`
}

type logInfo struct {
	Origin string `json:"origin"`
	Key    string `json:"key" doc:"Note verifier key, for the policy of a trust file"`
}

type organisationBody struct {
	Name string `json:"name"`
}

type organisation struct {
	ID   string `json:"id" doc:"org_…"`
	Name string `json:"name"`
	Mode string `json:"mode,omitempty"`
	Key  string `json:"key,omitempty" doc:"API key of its first admin, shown once"`
}

type organisationList struct {
	Count         int64          `json:"count"`
	Organisations []organisation `json:"organisations,omitempty"`
}

type keyBody struct {
	Name        string   `json:"name,omitempty"`
	Scopes      []string `json:"scopes"`
	HostedAgent bool     `json:"hostedAgent,omitempty" doc:"Make an agent key with which the server signs presentations for this key's callers"`
}

type apiKey struct {
	ID      string    `json:"id" doc:"key_…"`
	Name    string    `json:"name,omitempty"`
	Scopes  []string  `json:"scopes"`
	Agent   string    `json:"agent,omitempty" doc:"DID of the hosted agent"`
	Created spec.Time `json:"created"`
	Revoked spec.Time `json:"revoked,omitempty"`
	Key     string    `json:"key,omitempty" doc:"The API key, shown once"`
}

type keyList struct {
	Count int64    `json:"count"`
	Keys  []apiKey `json:"keys,omitempty"`
}

func keyOf(k journal.APIKey, token, agent string) apiKey {
	return apiKey{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Agent: agent, Created: spec.At(k.Created), Revoked: spec.Time{Time: k.Revoked}, Key: token}
}

type revoked struct {
	ID string `json:"id"`
}
