package spec

// The log over Trillian.
var trillianReasons = []Reason{
	{"log-leased", "Another replica writes this log, and its lease has not ended.", "Wait: a replica that died is forgotten after seconds; stop one that lives."},
	{"log-fenced", "Another replica took the lease of this log.", "Start again: this process may sign nothing more."},
	{"log-roots-differ", "Trillian has another tree than Writ computed.", "Sign nothing: find out who else adds to this tree, or whether its database was changed."},
	{"log-engine-unreachable", "Trillian's log server does not answer, or no signer goes on.", "See whether its servers, its signers and its database run; then start again."},
	{"log-engine-answer", "Trillian answered what is no root or proof.", "See which server answers at this address."},
	{"log-engine-schema", "The database has no tables of Trillian.", "Apply Trillian's own schema, then writ log trillian-schema."},
	{"log-migration", "The log to take over and the log over Trillian do not belong together.", "See which of the two has more entries, and go on with that one."},
}
