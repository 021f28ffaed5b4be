package spec

// Credentials that an agent presents beside its mandates (protocol.md 5.3).
var presentedReasons = []Reason{
	{"credentials-many", "A presentation carries more than 16 credentials and status lists beside its mandates.", "Present those that the mandates ask for."},
	{"credential-form", "A credential beside the mandates is not about one subject with an id, or calls itself a document of Writ.", "Present credentials about one subject, behind the mandates."},
	{"credential-unasked", "No constraint of the mandates asks for a credential of this type by this issuer, or for this status list.", "Leave it out, or present one of a type and issuer that the mandate names."},
	{"credential-repeated", "A credential, or a status list of one id, is presented twice.", "Present it once, and of a list the newest edition."},
	{"credential-issuer", "The issuer of a credential is neither a did:key nor a did:jwk of a known key.", "Pin issuers whose DID is their key."},
	{"credential-absent", "No credential of the type that the mandate asks for, by one of the issuers that it pins, was presented.", "Present one, behind the mandates."},
	{"credential-subject", "The credential is about somebody else than the mandate asks for.", "Present the credential of the agent, payee or party that the constraint names."},
	{"credential-early", "The credential is not valid yet.", "Wait until its validFrom."},
	{"credential-expired", "The credential is not valid any more.", "Have its issuer issue it anew."},
	{"credential-stale", "The credential is older than the mandate allows, or does not say how old it is.", "Have its issuer issue it anew."},
	{"credential-status", "Nobody could revoke the credential, and the mandate asks for one that can be.", "Have it issued with a status entry."},
	{"credential-revoked", "The credential's status list says that it is revoked.", "Ask its issuer why."},
	{"credential-suspended", "The credential's status list says that it is suspended.", "Ask its issuer why, and until when."},
	{"status-absent", "The status list that a credential names was not presented with it.", "Fetch the list from its issuer and present it beside the credential."},
}
