package main

// A bug is one mistake behind its build tag, with the tests that must notice it. Where several notice it, each is run.
type bug struct {
	tag     string // without plant_
	promise string // the invariant by its number, or what else is promised
	mistake string
	suites  []suite
}

// A suite is the test that must turn red.
type suite struct {
	folder string // of the package, from the root
	test   string // its name, as go test prints it
	needs  need
}

// A need is what a suite asks of the machine.
type need int

const (
	quick need = iota // in process, seconds
	kills             // a real server under load, killed or raced: up to a minute
	power             // a real server on a disk that forgets: FUSE
)

// bugs are all that are planted, by promise.
var bugs = []bug{
	{"decline_as_approve", "1 authority", "a decline counts as an approval", in("verifier", "TestInvariant1Authority")},
	{"one_key_two_persons", "1 authority", "one key is two persons of 2 of 2", in("spec", "TestCheckApprovals")},
	{"source_is_no_content", "2 identity", "the source document is no part of what was approved", in("verifier", "TestInvariant2Identity")},
	{"utf8_order", "2 identity", "the canonical form sorts names by bytes of UTF-8", in("internal/jcs", "TestOfficialDocuments")},
	{"base64_tail", "2 identity", "tail bits and line ends of base64 are taken", in("internal/jcs", "TestBase64")},
	{"duplicate_member", "2 identity", "a name occurs twice in an object", in("internal/jcs", "TestRefusals")},
	{"high_s", "2 identity", "an ECDSA signature has two forms", in("vc", "TestLowS")},
	{"ancestors_uncharged", "3 attenuation", "only the leaf of a chain is charged", in("verifier", "TestInvariant3Attenuation")},
	{"begin_not_linked", "3 attenuation", "a begin is not linked to the ancestors", in("verifier", "TestInvariant4Conservation")},
	{"hold_freed_twice", "4 conservation", "a hold is given back twice", in("verifier", "TestInvariant4Conservation")},
	{"lift_kept", "4 conservation", "a lift stands after its hold was released", in("verifier", "TestInvariant4Conservation")},
	{"excess_admitted", "4 conservation", "what was reported above a hold does not count as used", in("verifier", "TestInvariant4Conservation")},
	{"late_report_unnoticed", "4 conservation", "a late or excessive report does not suspend the mandate", in("conformance", "TestVectors")},
	{"period_in_utc", "4 conservation", "a period is UTC's, not that of the zone", in("spec/rule", "TestDraw")},
	{"day_of_24_hours", "4 conservation", "every day has 24 hours", in("spec/rule", "TestCalendarTiles")},
	{"check_outside_lock", "4 conservation", "a budget is judged by what was read before the lock", []suite{{"verifier", "TestBudgetMoves", quick}, {"cmd/writ", "TestHistory", kills}}},
	{"other_ledger", "5 one ledger", "whoever is asked decides", in("verifier", "TestInvariant5OneLedger")},
	{"audience_unchecked", "5 one ledger", "a presentation for another ledger is taken", in("conformance", "TestVectors")},
	{"second_begin", "6 once", "a hold is entered twice", in("verifier", "TestInvariant6Once")},
	{"key_forgotten", "6 once", "a restart forgets request keys", []suite{{"internal/journal", "TestRequestKey", quick}, {"cmd/writ", "TestKill", kills}}},
	{"reply_before_commit", "6 once", "the answer does not wait for COMMIT", in("internal/journal", "TestEveryOperationFails")},
	{"other_action_begun", "7 same action", "another action is executed under the hold", in("verifier", "TestInvariant7SameAction")},
	{"previous_skipped", "8 one complete history", "an entry does not name the one before", in("verifier", "TestInvariant8OneCompleteHistory")},
	{"stale_checkpoint", "8 one complete history", "the checkpoint is of the tree before", in("log", "TestRootsAgainstForeignTree")},
	{"tile_unsynced", "8 one complete history", "tiles are not synced", []suite{{"log", "TestManyCrashes", quick}, {"cmd/writ", "TestPowerCuts", power}}},
	{"guard_unsynced", "8 one complete history", "the guard is not synced", []suite{{"log", "TestManyCrashes", quick}, {"cmd/writ", "TestPowerCuts", power}}},
	{"record_unsynced", "8 one complete history", "the write-ahead record of a log by itself is not synced", in("log", "TestAppenderManyCrashes")},
	{"witness_unsynced", "8 one complete history", "a witness cosigns before its state is durable", []suite{{"log/witness", "TestEveryOperation", quick}, {"cmd/writ", "TestPowerCutsOfAWitness", power}}},
	{"mirror_unreplayed", "8 one complete history", "a mirror cosigns what it did not replay", in("log/monitor", "TestMirrorCosignsWhatItReplayed")},
	{"heads_stale", "8 one complete history", "a heads entry has the root of before the last batch", in("internal/journal", "TestHeads")},
	{"commit_unsynced", "8 one complete history", "the database is not synced at COMMIT", under(power, "cmd/writ", "TestPowerCuts")},
	{"time_goes_back", "9 time and freshness", "ledger time goes back with the clock", in("internal/journal", "TestLedgerTimeNeverGoesBack")},
	{"stale_presentation", "9 time and freshness", "a presentation counts for ever", in("verifier", "TestInvariant9TimeAndFreshness")},
	{"judged_for_ever", "9 time and freshness", "a mandate that passed once passes under each later roster", in("verifier", "TestJudgedAnew")},
	{"old_roster", "9 time and freshness", "a decision rests on the roster of before the lock", in("verifier", "TestRosterMoves")},
	{"compromised_key", "9 time and freshness", "a compromised key counts", in("verifier", "TestCompromisedKey")},
	{"chain_gap", "10 fail closed", "a bundle may leave a word out", in("verifier", "TestNoWithdrawnApproval")},
	{"absent_receipt", "10 fail closed", "a receipt that is not there says what the reader expects", in("verifier", "TestInvariant10DeterministicFailClosed")},
	{"absent_passes", "10 fail closed", "what is absent passes noneOf", in("spec/rule", "TestCheck")},
	{"modes_mix", "11 neighbours", "a test document is decided live", in("verifier", "TestInvariant11Neighbours")},
	{"neighbour_seen", "11 neighbours", "an operation sees what another in its batch asked for", in("internal/journal", "TestNeighbours")},
	{"retired_counts", "ended logs", "entries behind the end of a log count", in("conformance", "TestVectors")},
	{"erased_kept", "erasure", "an erased document's body stays in the tables", in("internal/journal", "TestErasure")},
	{"salts_reused", "12 openings", "the openings of a link share one salt", in("verifier", "TestInvariant12Openings")},
	{"foreign_visible", "foreign = not found", "one organisation sees another's chains", in("internal/journal", "TestForeignIsNotFound")},
}

func in(folder, test string) []suite { return under(quick, folder, test) }

func under(n need, folder, test string) []suite { return []suite{{folder, test, n}} }
