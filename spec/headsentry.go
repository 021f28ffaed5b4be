package spec

import "github.com/writ-trust/writ/internal/jcs"

// HeadsEntry is the log entry that says the root of the heads of all chains (protocol.md 16.3).
func HeadsEntry(root [32]byte) *Entry {
	return &Entry{V: 1, Kind: EntryHeads, Root: jcs.FormatDigest(root)}
}

// DigestBytes returns the 32 bytes of a digest, such as the id of a chain. Reason: digest-syntax.
func DigestBytes(digest string) ([32]byte, error) { return jcs.ParseDigest(digest) }
