// Package witness holds both sides of witnessing against the programs of others: omniwitness cosigns a ledger's log, and the client of
// the same project feeds writ witness. It is a module of its own, so that what they link is linked by nobody else; it has tests only.
package witness
