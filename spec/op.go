package spec

import "time"

// Op is one operation on the journal: which chains it writes and reads, and under which request key it happens once. The
// documents come from the pure function that is handed over with it.
type Op struct {
	Org string // whose operation it is; chains and documents of another organisation do not exist for it

	// Key makes the operation happen once: a known key with the same body answers what it answered before, another body is
	// ErrKeyReused. The zero key is none.
	Key RequestKey
	// Resume is the digest of the interim decision that this operation may supersede: the key's answer must still be that
	// one, else the newer answer is returned.
	Resume string
	// Document is the digest of a signed document that is handed over: if the journal has it, its entry is the answer.
	Document string

	// Ref is what the executor calls the execution in its own world; one name belongs to one decision.
	Ref ExternalRef

	Write     []ChainRef // locked; may begin
	Read      []ChainRef // locked shared; must exist
	Attach    []Document // kept beside, in the same transaction, without an entry: what a decision's inputs name
	Decisions []string   // decisions whose holds are loaded though they may be settled, with their windows
}

// RequestKey scopes an idempotency key by the leaf mandate's content. Body is the request's identity.
type RequestKey struct {
	Leaf string
	Key  string
	Body string
}

// IsZero says whether there is no key.
func (k RequestKey) IsZero() bool { return k.Key == "" }

// ExternalRef is an executor's name for what it executed, such as e2e:…, and the decision that it is about. The zero one is none.
type ExternalRef struct {
	Executor string
	Name     string
	Decision string
}

// ChainRef names a chain by its content digest; Salt, Log and Kind are needed where the chain may not exist yet.
type ChainRef struct {
	Content string
	Kind    string // KindMandate, KindRoster, KindPolicy or KindAccount
	Salt    string
	Log     string
}

// Record is one document that was logged: its entry, where it stands in the log, and the secrets that open it.
type Record struct {
	Document Document
	Entry    *Entry
	Index    int64
	At       time.Time // ledger time
	Salt     [32]byte  // of the commitment
	Seeds    map[string]Seed
	Openings []Opening // the states that the entry left, in the order of its links
	Proof    []byte    // C2SP tlog-proof under the newest commit checkpoint
}

// Logged is the answer of an operation: the documents that it made durable, or those that an earlier one did.
type Logged struct {
	Records []Record
	Known   bool // nothing was written: the answer of before
}

// Last is the newest record, the answer proper.
func (l Logged) Last() Record {
	if len(l.Records) == 0 {
		return Record{}
	}
	return l.Records[len(l.Records)-1]
}

// Draft is a content that waits for approvals: operational data, no authority. Body is the canonical unsigned credential.
type Draft struct {
	ID      string // urn:uuid of the credential
	Org     string
	Kind    string // KindMandate, KindRoster or KindPolicy
	Content string // content digest
	Body    []byte
	Created time.Time
}
