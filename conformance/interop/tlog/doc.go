// Package tlog holds Writ's log, kept in files and over Trillian, against programs of others: Tessera's fsck and client read it over HTTP,
// and libraries of others its proofs. `make trillian` builds what the second engine needs. It is a module of its own, so that what they link is linked by nobody else. Run it in this folder with go test.
package tlog
