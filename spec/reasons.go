package spec

import (
	"cmp"
	"slices"
	"sync"
)

// Reason is a stable reason code with what `writ explain` and problem details say of it. Codes are never renamed nor reused;
// the sentences may improve.
type Reason struct {
	Code    string // kebab-case
	Meaning string // one sentence: what was found
	Remedy  string // one sentence: what to do about it
}

// Explain returns what a reason code means; false where no code of Writ is written like that.
func Explain(code string) (Reason, bool) {
	all := sortedReasons()
	i, found := slices.BinarySearchFunc(all, code, func(r Reason, c string) int { return cmp.Compare(r.Code, c) })
	if !found {
		return Reason{}, false
	}
	return all[i], true
}

// Reasons is every reason code, sorted by code.
func Reasons() []Reason { return slices.Clone(sortedReasons()) }

var sortedReasons = sync.OnceValue(func() []Reason {
	all := slices.Concat(bytesReasons, documentReasons, approvalReasons, chainReasons, decisionReasons, ruleReasons,
		keyReasons, proofReasons, statusReasons, logReasons, bundleReasons, serviceReasons)
	slices.SortFunc(all, func(a, b Reason) int { return cmp.Compare(a.Code, b.Code) })
	return all
})

// Bytes, digests and the members of any document (documents.md section 1).
var bytesReasons = []Reason{
	{"json-size", "The document is larger than 256 KiB.", "Send less: attach large files by their digest."},
	{"json-depth", "The document is nested deeper than 32 levels.", "Flatten it; no document of Writ needs that depth."},
	{"json-syntax", "The bytes are not JSON (RFC 8259).", "Send valid JSON; the error names the byte at which reading stopped."},
	{"json-trailing-data", "Something follows the JSON value.", "Send exactly one value."},
	{"json-utf8", "The bytes are not UTF-8.", "Encode the document as UTF-8."},
	{"json-surrogate", "A string has half of a surrogate pair.", "Escape characters beyond U+FFFF as a whole pair, or write them as UTF-8."},
	{"json-noncharacter", "A string has a code point that Unicode reserves as no character.", "Remove it."},
	{"json-duplicate-name", "An object has two members of one name.", "Keep one; readers differ on which of two they take."},
	{"json-case-variant", "An object has two names that differ in case alone.", "Keep one; some readers take them for the same."},
	{"json-number", "A number is no integer within 2^53.", "Write amounts as strings and counts as plain integers."},
	{"json-not-object", "The document is not a JSON object.", "Send an object."},
	{"json-null", "The document has a null.", "Leave the member out: absent is absent."},
	{"json-empty", "The document has an empty array or object.", "Leave the member out: absent is absent."},
	{"json-not-nfc", "A string is not in Unicode normal form C.", "Normalise text to NFC before signing."},
	{"member-unknown", "The document has a member that its type does not have.", "Remove it; see the type's JSON Schema."},
	{"member-missing", "A required member is absent.", "Add it; see the type's JSON Schema."},
	{"member-type", "A member has another JSON type than its own.", "Correct it; see the type's JSON Schema."},
	{"member-range", "An integer is outside its range.", "Correct it; see the type's JSON Schema."},
	{"member-value", "A member's value does not have the form of its type.", "Correct it; see the type's JSON Schema."},
	{"member-empty", "A member is there and says nothing.", "Give it a value, or leave it out where it is optional."},
	{"type-unsupported", "A Go type cannot be written as a document.", "This is a mistake in the calling program: use the types of package spec."},
	{"encoding-invalid", "A multibase string or digest is not in its one spelling.", "Write base64url without padding after u, or base58btc after z."},
	{"digest-syntax", "A digest is no base64url multihash of SHA-256.", "Write it as uEi…, as Writ prints it."},
	{"salt-syntax", "A salt is not 32 bytes in multibase base64url.", "Draw 32 random bytes and write them as u…."},
	{"time-syntax", "A time is not RFC 3339 in UTC with Z, in whole seconds or exact milliseconds.", "Write it like 2026-12-01T09:30:00Z."},
	{"duration-syntax", "A duration is not of the form PnDTnHnMnS, or is zero.", "Write it like PT4H or P3D."},
	{"id-syntax", "An id is not urn:uuid: with a lower-case UUID.", "Write it like urn:uuid:0199a1c2-0000-7000-8000-000000000000."},
	{"did-syntax", "This is not a DID of a method that Writ knows.", "Use did:key, did:jwk or did:web, in their plain spelling."},
	{"pointer-syntax", "A pointer does not point to a member of the action's parameters.", "Write it like /parameters/memo."},
}

// The documents themselves (documents.md sections 2 to 7).
var documentReasons = []Reason{
	{"type-unknown", "No document of Writ has this type.", "Check the member type; a newer version of Writ may know it."},
	{"type-fixed", "The types of a document are fixed, in order.", "Write exactly the types that the document's schema names."},
	{"context-fixed", "The contexts of a credential are fixed, in order.", "Write exactly the two contexts of Writ, and nothing behind them."},
	{"version-unknown", "The document is of a version that this Writ does not know.", "Use version 1, or a newer Writ."},
	{"mode-unknown", "The mode is neither absent nor test.", "Leave mode out of live documents."},
	{"mode-other", "A document of test mode meets a live one.", "Keep the two apart: they have ledgers, keys and logs of their own."},
	{"validity-absent", "A mandate has no validFrom or no validUntil.", "Give it both."},
	{"validity-order", "validUntil is not after validFrom.", "Correct the period."},
	{"grantor-mismatch", "The roster's grantor is not the subject of its credential.", "Write the same DID in both places."},
	{"evidence-shape", "An entry of evidence is not an object.", "Write evidence as objects with a type."},
	{"evidence-approval-shape", "An entry of evidence calls itself an approval without having the one shape of approvals.", "Write exactly type [\"MandateApproval\"] and approval."},
	{"policy-unsupported", "The mandate names policies, which this version does not have.", "Put the limits into the mandate."},
	{"subject-key", "An agent's DID is neither did:key nor did:jwk.", "Give the agent a DID that is its key."},
	{"ledger-syntax", "A ledger is not a verifier's DID and a log's origin.", "Take both from the verifier's settings."},
	{"action-pattern", "This is no pattern of action types.", "Write segments of small letters, digits and underscores with dots between, and .* only at the end."},
	{"action-type", "This is no action type.", "Write segments of small letters, digits and underscores with dots between."},
	{"resource-absent", "The action names no resource.", "Name what it acts on, as the mandate writes it."},
	{"resource-repeated", "The mandate names a resource twice, or an empty one.", "Name each once."},
	{"nonce-length", "The action's nonce is not 8 to 128 characters.", "Draw a fresh random one."},
	{"payload-absent", "A payment does not name the digest of the bytes to execute.", "Add payload with mapping and digest."},
	{"idempotency-key", "The idempotency key is not 8 to 128 characters.", "Use one random key for each thing that shall happen once."},
	{"constraints-many", "The mandate has more than 32 constraints.", "Join limits, or split the mandate."},
	{"constraint-repeated", "Two constraints have one id.", "Give each an id of its own."},
	{"recovery-repeated", "Two recovery clauses name one constraint.", "Name each constraint in one clause."},
	{"recovery-foreign", "A recovery clause names a constraint that its document does not have.", "A clause lifts the limits of its own mandate only."},
	{"recovery-window", "A recovery clause counts lifts in a window of a limit that has none.", "Leave maxUses and maxOverPerWindow out, or give that limit a clause of its own."},
	{"recovery-unliftable", "A recovery clause names a constraint that is no limit in money.", "Only amount and budget can be lifted."},
	{"recovery-unbounded", "A recovery clause has no maxOver.", "Say how much one lift may add."},
	{"approver-repeated", "Approvers are not distinct, or one is empty.", "Name each person once."},
	{"approver-unknown", "The mandate names an approver whom the roster does not know.", "Use the person's name in the roster."},
	{"threshold-range", "A threshold is below 1 or above the number of approvers.", "Correct it."},
	{"grade-unknown", "This is no grade.", "Use server, provider, device-hosted, device or qualified."},
	{"delegation-depth", "A chain of mandates is deeper than allowed.", "At most 8 mandates stand in a chain, the root included."},
	{"child-approvers", "A delegated mandate has approvers or approvals.", "Leave them out: its issuer signs alone."},
	{"child-status", "A delegated mandate has a status list entry.", "Leave it out: its chain decides."},
	{"child-issuer", "A delegated mandate is not issued by its grantor.", "The parent's subject is issuer and grantor."},
	{"child-parent", "A delegated mandate names another parent.", "Name the parent's content digest."},
	{"child-grantor", "A delegated mandate is not granted by its parent's subject.", "Only the agent that holds a mandate can delegate it."},
	{"child-ledger", "A delegated mandate names another ledger than its parent.", "Copy the parent's ledger."},
	{"child-validity", "A delegated mandate is valid outside its parent's period.", "Keep its period inside the parent's."},
	{"child-depth", "A delegated mandate may delegate as deep as its parent, or the parent may not delegate.", "Lower maxDepth at each level."},
	{"child-self-executed", "A delegated mandate lets the agent execute, its parent does not.", "Leave selfExecuted out."},
	{"roster-version", "The roster's version and previous contradict each other.", "Version 1 has no previous; every later one names the version before."},
	{"roster-threshold", "A threshold of the roster is out of range, or a power's is above the change threshold.", "Whoever may change the roster must be at least as many as any power asks."},
	{"roster-person", "The roster names a person twice, with no name, or one who is not in it.", "List each person once, and refer to listed persons only."},
	{"roster-key", "A key id in the roster is empty or stands twice.", "Give each key an id of its own."},
	{"roster-party", "The roster lists a seal, ledger or executor twice.", "List each once, with its newest key."},
	{"executor-role", "The executor's role is neither gateway nor system-of-record.", "Use one of the two."},
	{"lift-foreign", "A supplement lifts a limit of another document than its base.", "A lift counts only for the document that owns the limit."},
	{"notice-act", "A notice neither revokes, suspends nor vetoes.", "Use one of the three."},
	{"decision-result", "The decision has no known result.", "AUTHORIZED, COLLECT_MISSING and REJECTED are known."},
	{"decision-missing", "A decision other than COLLECT_MISSING names what is missing, or that one names nothing.", "The verifier that made it is faulty: report it."},
	{"decision-check", "A check of the decision has no known outcome.", "The verifier that made it is faulty: report it."},
	{"decision-identity", "The decision does not say how the request was identified.", "The verifier that made it is faulty: report it."},
	{"decision-execute-before", "An AUTHORIZED decision does not say until when it may be executed.", "The verifier that made it is faulty: report it."},
	{"report-outcome", "The report has no known outcome.", "Use executed, failed, not_entered or reversed."},
	{"report-amount", "A report names an amount of what was not executed.", "Leave amount out unless something was executed or reversed."},
	{"receipt-none", "Only an authorised action has a receipt.", "Ask for the decision instead."},
	{"receipt-foreign", "A report belongs to another decision than the receipt.", "Hand over the reports of this decision only."},
	{"receipt-outcome", "The receipt has no known outcome.", "Fetch it again from the ledger."},
	{"mandate-incomplete", "Members of the mandate are withheld.", "Present the whole mandate."},
	{"supplement-alone", "A supplement was presented as if it were a mandate.", "Present the mandate; the ledger knows its supplements."},
}

// Approvals and rosters (documents.md sections 2 and 4).
var approvalReasons = []Reason{
	{"approval-kind", "No approval has this kind here.", "Use the kind of the content: mandate, supplement, roster, resume or reconciliation."},
	{"approval-decision", "The approver neither approves, declines nor withdraws.", "Use one of the three."},
	{"approval-expiry", "The approval expires before it is signed.", "Set expires after at."},
	{"approval-expired", "The approval reached the log at or after its own expiry.", "Sign a new one."},
	{"approval-stale", "The approval was signed too long before it was handed over.", "Sign a new one."},
	{"approval-declined", "A named approver declined.", "The draft has ended: settle the matter with the approver and start another."},
	{"approvals-missing", "Too few distinct persons approved.", "Collect the approvals that are missing."},
	{"power-missing", "By the roster, the named approvers may not approve this far.", "Name approvers with the power, lower the limits, or change the roster."},
	{"roster-unknown", "The grantor has no roster here, or none is in force.", "Register the grantor's roster first."},
	{"roster-stale", "A newer roster than the one that judged is in force.", "Try again with the newest roster."},
	{"roster-not-pinned", "The grantor's roster does not begin with the one that the trust file names.", "Pin the digest of the roster's version 1, from a source of your own."},
	{"issuer-unknown", "The issuer of a root mandate is neither the grantor nor one of its seals.", "Have the grantor issue it, or list the seal in its roster."},
	{"revoker-unknown", "The roster lets no such key revoke.", "Have a revoker of the roster sign, or the issuer of the delegated mandate."},
	{"seal-unknown", "The roster lists no such seal.", "Have the grantor list the seal in its roster."},
	{"approver-not-named", "The content does not name this person as an approver.", "Ask one of the approvers that it names."},
	{"approval-future", "The approval says that it was signed in the future.", "Set the signer's clock right."},
	{"approval-not-logged", "An approval in the evidence is not in the log.", "Hand the approval to the ledger first: only logged ones count."},
	{"draft-signed", "A draft carries a proof or approvals.", "Hand in the content alone; both are added later."},
	{"roster-previous", "The roster does not follow the version in force.", "Start from the newest version and name its content digest."},
	{"roster-identity", "A new roster version changes grantor, salt or log.", "These stay for ever; begin another roster to change them."},
	{"veto-late", "The roster version is not the newest, or its delay is over.", "Change the roster with a further version."},
}

// Chains, holds and accounts (documents.md sections 8 and 9).
var chainReasons = []Reason{
	{"chain-unknown", "There is no such chain here.", "Ask the ledger that the mandate names."},
	{"time-backwards", "The document would be logged before the chain's newest entry.", "Set the machine's clock right."},
	{"not-an-event", "A document of this type is no event of a chain.", "Hand over one of the documents that chains are made of."},
	{"ancestor-missing", "A mandate above this one is not known here.", "Register the whole chain, root first."},
	{"draft-closed", "The draft is closed: it was issued or declined.", "Start another draft."},
	{"mandate-exists", "The delegated mandate is on its chain already.", "Use it; a second entry would change nothing."},
	{"parent-inactive", "The parent mandate is not active here.", "Delegate from an active mandate."},
	{"parent-unknown", "The ledger does not know the parent mandate.", "Register the parent first."},
	{"proposal-unknown", "Nothing was proposed with this content.", "Approve the supplement that the decision proposes, unchanged."},
	{"recovery-unknown", "No interim decision has this digest.", "Use the digest of the COLLECT_MISSING decision."},
	{"recovery-open", "People may still approve what the request waits for.", "Wait until they have, or until the time is over."},
	{"proposal-closed", "The proposal is spent, issued or declined.", "Ask for the action anew."},
	{"proposal-expired", "The proposal's time is over.", "Ask for the action anew."},
	{"not-suspended", "The mandate is not suspended.", "There is nothing to resume."},
	{"not-a-charge", "There is no charge without a report to take back.", "Only a charge that nobody reported is reconciled."},
	{"status-transition", "The chain's status does not allow this act.", "See where the chain stands: revoked is for ever, and only mandates are suspended."},
	{"position-absent", "A decision has no position on one of its chains.", "The verifier that made it is faulty: report it."},
	{"position-stale", "The chain has moved on since the decision was made.", "Decide again."},
	{"position-status", "A decision names a status that no chain has.", "The verifier that made it is faulty: report it."},
	{"decision-unknown", "No authorised decision has this digest here.", "Send it to the ledger that decided, with the decision's digest."},
	{"decision-not-authorized", "The decision does not authorise the action.", "Execute only what an AUTHORIZED decision names."},
	{"decision-repeated", "The decision is on the chain already.", "Use the one that is there."},
	{"action-other", "The document names another action than the one decided.", "Execute and report the action that was decided, or ask anew."},
	{"executor-other", "The document names another executor than the one decided.", "Only the executor that the decision names may execute."},
	{"payload-other", "The report names another payload than the one decided.", "Execute the bytes whose digest was decided, or ask anew."},
	{"hold-entered", "The hold is entered already, by another begin or by commit.", "Execute once: do not begin again."},
	{"hold-lapsed", "The leave to execute has ended.", "Do not execute; ask for a new decision."},
	{"hold-closed", "The hold is settled.", "Nothing more can be reported of it."},
	{"holds-many", "The mandate has its most open holds.", "Report what became of the open ones, or wait until they lapse."},
	{"external-ref-reused", "The executor has reported another execution under this name.", "Give every execution a name of its own, such as its end-to-end id."},
	{"report-final", "A final report came before.", "Nothing more can be reported as executed; use reversed for what was taken back."},
	{"report-order", "What was not executed is reported as reversed.", "Report executed first."},
	{"report-agent", "An agent that executes itself cannot lower its charge.", "The mandate's approvers can reconcile the charge."},
	{"window-unknown", "The account of a window is not loaded.", "This is a mistake in the calling program: load the windows of the decision."},
	{"money-overflow", "The amounts do not fit.", "Report amounts that occur."},
	{"budget-exceeded", "The limit of a window would be exceeded.", "Wait for the next window, ask for less, or have the limit lifted."},
	{"too-many-chains", "The document would change more than 8 chains.", "Use a shorter chain of mandates."},
	{"entry-size", "A log entry has more than 2 KiB.", "Use shorter names: a DID, or fewer chains."},
	{"entry-canonical", "A log entry is not in canonical form.", "Log exactly the canonical bytes."},
	{"entry-kind", "A log entry has no known kind.", "A newer version of Writ may know it."},
	{"entry-shape", "A log entry has members of another kind, or lacks its own.", "Log exactly the members of the kind."},
	{"entry-links", "The links of a log entry are not sorted, stand twice, count from 0, or are not those of its document.", "Log each chain once, sorted, from 1."},
	{"mandate-draft", "The mandate is a draft: nobody may act under it yet.", "Collect its approvals and issue it."},
	{"mandate-declined", "The mandate was declined.", "Start another draft."},
	{"mandate-suspended", "The mandate is suspended.", "Its approvers can resume it."},
	{"mandate-revoked", "The mandate is revoked, for ever.", "Ask for a new mandate."},
	{"mandate-expired", "The mandate is past its validity, or not yet in it.", "Ask for a new mandate, or wait until it begins."},
	{"mandate-not-yet-valid", "The mandate is not valid yet.", "Wait until validFrom."},
}

// What decisions say (design.md section 5); those of the constraints are below.
var decisionReasons = []Reason{
	{"not-entitled", "The caller, the mandate or the action's resource does not fit together.", "Check key, mandate and resource; which of them is wrong is not told."},
	{"indeterminate", "Something that the check needs could not be reached or read.", "Try again with the same idempotency key; nothing was decided."},
	{"key-reused", "The idempotency key belongs to another request.", "Use a fresh key for another request, and the same body for the same one."},
	{"ledger-other", "This verifier is not the mandate's ledger.", "Ask the ledger that the mandate names."},
	{"subject-other", "The agent is not the one to whom the last mandate was given.", "Present the chain in order, root first, and sign with the key of its last subject."},
	{"presentation-stale", "The presentation is expired, from the future, or valid for more than a minute.", "Sign a new one, with the clock set right."},
	{"presentation-life", "The presentation is valid for longer than a minute.", "Let its proof expire at most 60 seconds after it is created."},
	{"presentation-audience", "The presentation was made for another verifier.", "Set the proof's domain to this verifier's DID."},
	{"holder-other", "The presentation's holder is not the subject of the last mandate.", "Sign with the key of the mandate's subject."},
	{"commit-other", "The commit is for another request than the presentation's.", "Sign the commit over the identity of this request."},
	{"executor-unknown", "The roster does not know the executor.", "Have the grantor list the executor in its roster."},
	{"resource-owner", "The relying party's map does not give this resource to the grantor of the mandate.", "Correct the map, or act on a resource of the grantor."},
	{"executor-is-agent", "The executor is the agent, and the mandate does not allow that.", "Name an executor of the roster, or grant selfExecuted."},
	{"action-not-covered", "The mandate does not cover this type of action.", "Ask for an action that it covers, or for another mandate."},
	{"resource-not-covered", "The mandate does not cover this resource.", "Ask for a resource that it covers, or for another mandate."},
	{"recovery-declined", "An approver declined the lift.", "Ask for an action within the limits; the same request cannot be proposed again."},
	{"recovery-expired", "Nobody lifted the limit in time.", "Ask for the action anew, under another key."},
	{"lift-unbacked", "A decision lifts a limit without an issued supplement for it.", "Report it: the ledger's own rules refuse such a decision."},
	{"lift-above-ceiling", "The lift would exceed what the recovery clause allows.", "Ask for less, or for a mandate with higher limits."},
	{"transparency-missing", "The log has no entry of the mandate, or the entry does not name its grantor.", "Have the mandate issued by its ledger."},
}

// Constraints (documents.md section 3); the codes are declared beside their types in package rule.
var ruleReasons = []Reason{
	{"constraint-unknown", "No constraint has this type.", "Use a type that this version knows."},
	{"constraint-invalid", "The constraint's members contradict each other or its type.", "See the type's JSON Schema."},
	{"constraint-id", "A constraint's id is not a short name in small letters.", "Write it like daily or payee-list."},
	{"pointer-invalid", "A pointer of a constraint is not RFC 6901, or has an array index.", "Write it like /counterparty/id."},
	{"pointer-name", "A limit points to a display name.", "List payees by /counterparty/id."},
	{"zone-unknown", "The time zone is not in the pinned release of the IANA data.", "Write a name like Europe/Lisbon."},
	{"period-unknown", "The period is not a day, week, month or year.", "Write P1D, P1W, P1M or P1Y."},
	{"time-form", "A time is not RFC 3339 in UTC with Z.", "Write it like 2026-12-01T09:30:00Z."},
	{"time-range", "The instant is outside the years for which windows are defined.", "Use an instant from 1970 to 9997."},
	{"money-form", "An amount does not have exactly its currency's digits.", "Write it like 4200.00 for EUR and 4200 for JPY."},
	{"money-zero", "An amount is zero.", "Use an amount above zero."},
	{"money-range", "An amount is too large.", "Use an amount of at most 15 digits that fits in 64 bits of minor units."},
	{"currency-unknown", "The code is no currency with minor units.", "Use an active ISO 4217 code."},
	{"currency-other", "The amount is in another currency than the limit.", "Use the limit's currency: nothing is converted."},
	{"units-form", "An amount of an account is not in its unit's form.", "Write it as the unit's digits."},
	{"amount-absent", "The action has no amount, and a limit asks for one.", "Add the amount."},
	{"amount-not-positive", "The amount is not above zero.", "Use an amount above zero."},
	{"amount-below-min", "The amount is below the least that the mandate allows.", "Ask for more, or for another mandate."},
	{"amount-above-max", "The amount is above the most that the mandate allows for one action.", "Ask for less, or have the limit lifted."},
	{"count-exceeded", "The window has its most actions.", "Wait for the next window."},
	{"outside-hours", "The mandate does not allow actions at this time.", "Ask again within its hours."},
	{"value-absent", "A member that a list limits is absent.", "Add it: an absent member is never allowed."},
	{"value-other-kind", "A member is of another JSON type than the list's values.", "Write it as the list does."},
	{"value-listed", "The value is on the list of those that are not allowed.", "Use another value."},
	{"value-not-listed", "The value is not on the list of those that are allowed.", "Use a listed value, or ask for another mandate."},
}

// Keys and DIDs, and key files.
var keyReasons = []Reason{
	{"key-syntax", "This is no public key that Writ reads.", "Write Ed25519 or P-256 keys as multikeys (z…), and log keys as name+id+key."},
	{"did-multikey", "This is no multikey.", "Write z and base58btc of the multicodec prefix and the key."},
	{"did-key-type", "The key is of another type than Ed25519 and P-256, or not for signatures.", "Use one of the two."},
	{"did-key-point", "The key is no usable point of its curve.", "Make a new key with a sound library."},
	{"did-jwk", "This is no public JWK in its plain form.", "Write kty, crv, x and, for P-256, y, and nothing private."},
	{"did-method", "The DID is not itself a key.", "Use did:key or did:jwk here."},
	{"did-method-unknown", "The DID document has no such verification method with a known key type.", "Name a method of the document."},
	{"did-purpose", "The DID document does not list the method for this purpose.", "Use a method that is listed under the purpose."},
	{"did-controller", "The verification method is controlled by another DID.", "Use a method of the DID itself."},
	{"did-key-ended", "The verification method has expired or is revoked.", "Use another key."},
	{"did-document", "The DID document does not have the form of DID Core.", "Correct the document."},
	{"did-document-size", "The DID document is too large.", "Serve a smaller one."},
	{"did-document-subject", "The DID document is about another DID.", "Serve the document of the DID that was asked for."},
	{"did-web-address", "The host of a did:web has a private or special address.", "Use a public host."},
	{"did-web-status", "The host of a did:web did not serve its document.", "Publish the document at the address that did:web gives."},
	{"did-web-redirect", "The host of a did:web redirects elsewhere, or too often.", "Serve the document at the host itself."},
	{"did-web-unreachable", "The host of a did:web could not be reached.", "Try again later."},
	{"key-file-size", "The key file is too large.", "Check that this is a key file of Writ."},
	{"key-file-syntax", "The key file is damaged or was changed by hand.", "Restore it from your copy."},
	{"key-passphrase", "The passphrase is empty or does not open the key file.", "Give the passphrase with which the file was made."},
	{"key-work-factor", "The work factor of the key file is out of range.", "Leave the default."},
	{"key-unknown", "The key file has no key of this name.", "See which keys it has."},
	{"key-name", "This is no name for a key.", "Write small letters, digits and dashes, like agent/treasury."},
	{"key-type", "The key is of another type than was asked for.", "Use Ed25519 or P-256."},
	{"key-exists", "A key or file of this name exists; it is not replaced.", "Use another name, or move the old one away."},
	{"key-file-missing", "There is no such key file.", "Check the path."},
	{"key-file-mode", "Others than its owner may read the key file.", "chmod 600 it; if others could have read it, replace the keys."},
	{"key-file-changed", "Another process wrote the key file meanwhile.", "Open it again."},
}

// Proofs, credentials and presentations (VC Data Integrity 1.0, VCDM 2.0).
var proofReasons = []Reason{
	{"proof-missing", "The document has no proof.", "Sign it."},
	{"proof-not-single", "The document has not exactly one proof.", "Keep one; approvals belong into evidence."},
	{"proof-present", "The document has a proof already.", "Sign the document without it."},
	{"proof-empty", "A member of the proof is empty.", "Leave it out or give it a value."},
	{"proof-context", "The proof's context is not the document's.", "Copy the document's @context, or leave it out where the document has none."},
	{"proof-type", "The proof is no DataIntegrityProof.", "Sign with eddsa-jcs-2022 or ecdsa-jcs-2019."},
	{"proof-suite", "The proof is of another suite than Writ's two.", "Sign with eddsa-jcs-2022 or ecdsa-jcs-2019."},
	{"proof-key", "The key does not belong to the proof's suite.", "Use Ed25519 with eddsa-jcs-2022 and P-256 with ecdsa-jcs-2019."},
	{"proof-value", "The proof's value is not a signature of 64 bytes in base58btc.", "Sign again."},
	{"proof-high-s", "The proof has the higher of two equal ECDSA signatures.", "Use the lower s, as Writ's collector does."},
	{"proof-signature", "The signature does not fit the document, the proof and the key.", "Check that nothing was changed after signing, and that the key is the right one."},
	{"proof-method", "The proof names another key than the one expected.", "Name the key that signed."},
	{"proof-purpose", "The proof is for another purpose.", "Sign with the purpose that the document asks for."},
	{"proof-audience", "A presentation's proof lacks domain or expires, or another document's has them.", "Set both for presentations and for nothing else."},
	{"proof-domain", "The proof was made for somebody else.", "Set the domain to the verifier's DID."},
	{"proof-challenge", "The proof does not answer the challenge.", "Sign over the challenge that was given."},
	{"proof-time", "A time of the proof is not RFC 3339 in UTC.", "Write it like 2026-12-01T09:30:00Z."},
	{"proof-life", "The proof lives longer than allowed.", "Let it expire at most 60 seconds after it is created."},
	{"proof-early", "The proof was made in the future.", "Set the clock right."},
	{"proof-expired", "The proof has expired.", "Sign a new one."},
	{"vc-context", "The contexts of the credential do not begin as VCDM 2.0 asks.", "Begin with https://www.w3.org/ns/credentials/v2."},
	{"vc-type", "The credential's types are not distinct or lack the one that VCDM 2.0 asks for.", "Correct them."},
	{"vc-id", "The credential's id is no URL.", "Use a URL such as urn:uuid:…."},
	{"vc-issuer", "The credential's issuer is no URL.", "Name the issuer by its DID."},
	{"vc-subject", "The credential has no subject, or one that is not an object.", "Give it one."},
	{"vc-status", "A status entry is no object with a type.", "Correct it."},
	{"vc-evidence", "An entry of evidence is no object with a type.", "Correct it."},
	{"vc-time", "A time of the credential is wrong, or the period ends before it begins.", "Correct it."},
	{"vc-early", "The credential is not valid yet.", "Wait until validFrom."},
	{"vc-expired", "The credential is not valid any more.", "Ask its issuer for a new one."},
	{"vp-holder", "The presentation's holder is no URL.", "Name the holder by its DID."},
	{"vp-credentials", "The presentation has no credential, or one that is not an object.", "Present at least one."},
}

// Status lists (Bitstring Status List 1.0).
var statusReasons = []Reason{
	{"status-entry", "The credential's status entry is not one that Writ reads.", "Use BitstringStatusListEntry for revocation or suspension."},
	{"status-list", "The status list is not one that Writ reads.", "Use a BitstringStatusListCredential with id and validity."},
	{"status-other-list", "This is not the list that the entry names.", "Fetch the list that the entry names."},
	{"status-purpose", "The list is for another purpose than the entry.", "Fetch the list that the entry names."},
	{"status-index", "The list does not reach to the entry's index.", "Ask the issuer: list and entry contradict each other."},
	{"status-encoding", "The list is not a single gzip member in multibase base64url.", "Ask the issuer for a sound list."},
	{"status-size", "The list has too few or too many entries.", "Ask the issuer for a list of at least 131,072 entries."},
	{"status-early", "The list is not valid yet.", "Set the clock right."},
	{"status-stale", "The list is older than allowed.", "Fetch a new one; until then the status is unknown, which is no."},
}

// The log (C2SP formats).
var logReasons = []Reason{
	{"note-syntax", "This is no signed note.", "Fetch it again: it may have been cut or changed."},
	{"checkpoint-syntax", "This is no checkpoint.", "Fetch it again: it may have been cut or changed."},
	{"checkpoint-origin", "The checkpoint is of another log.", "Use the checkpoint of the log that the document names."},
	{"checkpoint-signature", "No key that is trusted for the log signed the checkpoint.", "Check the log's key in your trust file; if it is right, do not rely on this log."},
	{"checkpoint-quorum", "Too few witnesses signed the checkpoint.", "Wait for a witnessed checkpoint, or see which witnesses are down."},
	{"proof-syntax", "This is no proof of the log.", "Fetch it again: it may have been cut or changed."},
	{"proof-inclusion", "The entry is not in the log at this index.", "Do not rely on the document: its entry is not what the log holds."},
	{"proof-consistency", "Two checkpoints of the log contradict each other.", "Keep both and tell the log's witnesses: the log was rewritten."},
	{"policy-syntax", "This is no policy of logs and witnesses.", "Write it as C2SP tlog-policy."},
	{"tile-path", "This is no path of a tile.", "Write it as C2SP tlog-tiles."},
	{"bundle-syntax", "A bundle of entries is cut short or too long.", "Fetch it again."},
	{"log-options", "The log's settings contradict each other.", "Correct them as the message says."},
	{"log-ahead", "The log is larger than the database: the database was restored from a backup.", "Do not start; see writ restore."},
	{"log-other", "The database was written under another log, or under another state of it.", "Start with the log and the database that belong together; see writ restore."},
	{"log-behind-guard", "The log is smaller than what was published: it was restored from a backup or is damaged.", "Do not start; see writ restore."},
	{"log-guard-missing", "The file that remembers what was published is gone.", "Bring it back; without it a restored log would look new."},
	{"log-guard-invalid", "The file that remembers what was published is damaged.", "Bring it back from where it was kept."},
	{"log-root-mismatch", "The log's files do not give the root that was published.", "Do not start: the files are damaged or were changed."},
	{"log-damaged", "A file of the log is not what was published.", "Restore the file; it is a function of the entries."},
	{"log-stage", "Entries were staged at another index than the log's end.", "This is a mistake in the calling program."},
	{"log-keep", "Another checkpoint than the staged one was to be kept.", "This is a mistake in the calling program."},
}

// Bundles that are checked without a server (documents.md section 10).
var bundleReasons = []Reason{
	{"bundle-logged", "A document of the bundle has no log entry in it.", "Export the bundle again."},
	{"bundle-order", "Entries of the bundle do not stand in the order that their documents need.", "Do not rely on it: one was logged after what depends on it."},
	{"bundle-repeated", "A document or an entry stands twice in the bundle.", "Export the bundle again."},
	{"bundle-incomplete", "A document that the decision depends on is not in the bundle.", "Export the bundle again, with everything that it names."},
	{"bundle-checkpoints", "The proofs of the bundle stand under checkpoints that do not belong together.", "Export the bundle again: all of its proofs share one checkpoint."},
	{"checkpoint-lines", "The checkpoint has signature lines of keys that the trust file does not know.", "Add the keys, or export the bundle without those lines."},
	{"entry-commitment", "The entry does not commit to the document under the salt given.", "Do not rely on it: document, entry and salt do not belong together."},
	{"entry-opened", "The opened state is not what the entry commits to.", "Do not rely on the totals shown."},
	{"chain-order", "The entries of a chain do not follow one another.", "Do not rely on it: an entry was left out or moved."},
	{"position-other", "The decision stands at another place on the chain than it says.", "The verifier that made it is faulty: report it."},
	{"decision-other", "Deciding again from the bundle gives another decision.", "The verifier that made it is faulty: report it, with the bundle."},
	{"env-unknown", "The decision was made under rules or tables that this Writ does not have.", "Check it with the version of Writ that its env names."},
	{"ledger-unknown", "The roster lists no such ledger.", "Have the grantor list the verifier in its roster."},
	{"receipt-other", "The receipt is not what follows from decision, begin and reports.", "Do not rely on it: fetch it again from the ledger."},
	{"expect-other", "The outcome is another than the one expected.", "See what the receipt says."},
}

// The service around: API, storage, trust.
var serviceReasons = []Reason{
	{"not-found", "There is no such thing here, or it belongs to somebody else.", "Check the id and the key with which you ask."},
	{"unauthenticated", "The caller is not known.", "Send a valid API key."},
	{"forbidden-scope", "The API key does not have the scope for this.", "Use a key with the scope."},
	{"hosted-agent-absent", "This server keeps no agent keys.", "Sign the presentation with a key of your own, or set up the key store."},
	{"rate-limited", "There were too many requests.", "Wait as long as Retry-After says."},
	{"request-too-large", "The request is larger than allowed.", "Send less."},
	{"request-syntax", "The request does not have the form of its operation.", "See the operation's schema."},
	{"cursor-syntax", "This is no cursor of the list.", "Use the cursor of the page before, unchanged."},
	{"method-not-allowed", "The path does not take this method.", "See the operation's description."},
	{"unsupported-media-type", "The request's media type is not one that the operation takes.", "Send application/json."},
	{"internal", "Something went wrong here.", "Try again with the same idempotency key, and report the request id."},
	{"journal-closed", "The service is stopping.", "Try again with the same idempotency key."},
	{"op-invalid", "An operation does not name the chains that it writes.", "This is a mistake in the calling program: report it."},
	{"table-rule", "A rule of the database refused what would be written.", "This is a mistake in the program: report it; nothing was written."},
	{"trust-empty", "The trust file trusts nobody.", "Add the roster's digest and the log's policy, from a source of your own."},
	{"trust-roster", "A pinned roster is not a grantor's DID with a content digest.", "Write both as the roster's owner published them."},
	{"trust-policy", "The trust file's policy of logs and witnesses does not read.", "Write it as C2SP tlog-policy."},
}
