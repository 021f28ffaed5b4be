package spec

import "github.com/writ-trust/writ/internal/jcs"

// TypeLogMetadata is a log's description of itself (protocol.md 18.4). It is served beside the checkpoint and has no digest.
const TypeLogMetadata = "LogMetadata"

// LogMetadata says what a log's operator promises to its readers. Nobody signs it: it is for finding out, never for relying on.
type LogMetadata struct {
	Type    string `json:"type"`
	Version string `json:"version"`
	Origin  string `json:"origin"`
	Key     string `json:"key"`    // verifier key, name+id+key
	Policy  string `json:"policy"` // URL of the log's policy
	// PublishWithin is how many seconds after an entry was acknowledged a checkpoint that covers it is served, at most.
	PublishWithin int64 `json:"publishWithin"`
	// MaxCheckpointAge is how many seconds the quorum's cosignatures may be old. 0 where nobody cosigns: then a log at rest signs nothing.
	MaxCheckpointAge int64        `json:"maxCheckpointAge,omitempty"`
	MaxEntrySize     int64        `json:"maxEntrySize"`        // bytes
	MinIndex         int64        `json:"minIndex"`            // the first entry that is still served (tlog-tiles, "Pruning")
	Witnesses        string       `json:"witnesses,omitempty"` // C2SP tlog-policy
	Mirrors          string       `json:"mirrors,omitempty"`   // the same
	Retired          []RetiredLog `json:"retired,omitempty"`   // the logs that this one carries on, oldest first
}

// RetiredLog is a log that has ended, at a size.
type RetiredLog struct {
	Origin string `json:"origin"`
	Key    string `json:"key"`
	Size   int64  `json:"size"`
}

// ParseLogMetadata reads the metadata of the log called origin. Reasons: those of documents; type-unknown,
// version-unknown, member-range, checkpoint-origin.
func ParseLogMetadata(data []byte, origin string) (*LogMetadata, error) {
	var m LogMetadata
	if err := jcs.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	switch {
	case m.Type != TypeLogMetadata:
		return nil, refuse("type-unknown", "/type", "metadata of a log is wanted")
	case m.Version != Version:
		return nil, refuse("version-unknown", "/version", "only version 1 is known")
	case m.Origin != origin:
		return nil, refuse("checkpoint-origin", "/origin", "it is of %s, want %s", m.Origin, origin)
	case m.PublishWithin < 0 || m.MaxCheckpointAge < 0 || m.MaxEntrySize < 0 || m.MinIndex < 0:
		return nil, refuse("member-range", "", "a number below zero")
	}
	return &m, nil
}
