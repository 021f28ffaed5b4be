package monitor

import "slices"

// Codes of alarms: a closed list (spec/protocol.md 18.2).
const (
	Fork       = "fork"           // two signed checkpoints of one log of which neither tree begins with the other
	Rollback   = "rollback"       // a smaller tree is served than was seen before
	Unsigned   = "checkpoint"     // the checkpoint is not one that the policy accepts
	Stale      = "stale"          // no checkpoint, or cosignature, for longer than the maximum delay
	Tiles      = "tiles"          // the tiles are not those of the signed root
	Entries    = "entries"        // the entry bundles are not those of the signed root
	Malformed  = "entry"          // an entry outside the closed schema
	SeqGap     = "seq-gap"        // a chain goes on without the entries before
	SeqRepeat  = "seq-repeat"     // a number of a chain stands in the log again
	HeadsRoot  = "heads-root"     // a heads entry is not the map of the entries before it
	HeadsOrder = "heads-not-last" // the last entry under a published checkpoint is no heads entry
	Grantor    = "grantor"        // an entry names a watched grantor: somebody issued in its name
)

// Alarm is one thing that the monitor found. Reason is a stable code of what broke an entry or a checkpoint.
type Alarm struct {
	Code       string `json:"alarm"`
	Origin     string `json:"origin"`
	Index      *int64 `json:"index,omitempty"` // of the entry
	Chain      string `json:"chain,omitempty"`
	Grantor    string `json:"grantor,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Detail     string `json:"detail"`
	Checkpoint string `json:"checkpoint,omitempty"` // the signed note that was served
	Seen       string `json:"seen,omitempty"`       // the signed note that it contradicts: with the other, evidence
}

// breaks says whether no later entry can mend what the alarm says: the log stays broken.
func (a Alarm) breaks() bool {
	return slices.Contains([]string{Fork, Malformed, SeqGap, SeqRepeat, HeadsRoot}, a.Code)
}
