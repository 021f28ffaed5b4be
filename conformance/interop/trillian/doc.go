// Package trillian names the servers of Trillian that Writ's distributed log is tested against, for building alone: nothing of them is
// linked into Writ, and their go.sum stays apart from ours. `make trillian` builds them into bin/trillian.
package trillian
