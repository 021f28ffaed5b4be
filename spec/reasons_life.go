package spec

// The life of a log: successors, backups, erasure (protocol.md 7.12, 8.7, 12.4).
var lifeReasons = []Reason{
	{"trust-retired", "The trust file pins a retired log twice, or at no size.", "Pin each log once, at the number of its entries that count."},
	{"log-retired", "The entry was logged behind the end of a log that is retired.", "Do not rely on it: it is on a branch that does not count."},
	{"log-successor", "The trust file does not say that this log carries on the one that the mandate names.", "Ask the ledger's owner, by another way than the ledger, at which size the older log ended; pin it under retired."},
	{"log-epoch", "The decision says an epoch that the log has not come to, or has left.", "Do not rely on it: a new epoch begins with a successor log only."},
	{"log-frozen", "The log has ended: its last entry names its successor.", "Run writ log succeed again to carry it on, or serve it with --read-only."},
	{"database-copy", "The database is a backup.", "Make a ledger of it with writ restore, which begins a new epoch."},
	{"database-other", "The database is not the one that was started last here: it was restored from a backup or copied.", "Bring the right one back; if it is lost, writ restore makes a ledger of a backup under a new epoch."},
	{"read-only", "This ledger only answers questions.", "Ask the ledger that decides; if this is the one, start it without --read-only."},
	{"erasure-unknown", "There is no such entry on a mandate's chain.", "Name the decision again as writ receipt shows it."},
	{"erasure-kept", "Other evidence, or money that may still move, rests on this document.", "Wait until the action has its final report; rosters, mandates and what people said are not erased."},
	{"document-erased", "The document was erased; its effect stays.", "Nothing brings it back; whoever holds a bundle of it can still show it."},
	{"bundle-successors", "The entries that lead from the mandates' log to the bundle's do not fit.", "Export the bundle again."},
}
