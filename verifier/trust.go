package verifier

import (
	"slices"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// Trust is a reader's trust file (protocol.md 12): what the reader decided to believe before it saw any bundle. It is
// never read from a bundle.
type Trust struct {
	Version   string            `json:"version"`
	Mode      string            `json:"mode,omitempty"` // test: believes documents of test mode, and only those
	Rosters   []PinnedRoster    `json:"rosters"`
	Policy    string            `json:"policy"`            // C2SP tlog-policy text
	Mirrors   string            `json:"mirrors,omitempty"` // the same: which mirrors must have replayed the log
	Retired   []RetiredLog      `json:"retired,omitempty"`
	Resources map[string]string `json:"resources"`

	fingerprint string
	logs        *log.Policy
	mirrors     *log.Policy // nil where none are named
}

// PinnedRoster is a grantor's first roster by its content digest.
type PinnedRoster struct {
	Grantor string `json:"grantor"`
	Content string `json:"content"`
}

// ParseTrust reads a trust file strictly. An empty one, or one without a roster, a log or a resource, is refused: whoever
// trusts nothing can verify nothing.
func ParseTrust(data []byte) (*Trust, error) {
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return nil, err
	}
	t := &Trust{}
	if err := v.Decode(t); err != nil {
		return nil, err
	}
	t.fingerprint = jcs.Digest("writ/trust/v1\n", v.Canonical())
	if t.Version != spec.Version {
		return nil, spec.Refuse("version-unknown", "/version", "only version 1 is known")
	}
	if t.Mode != "" && t.Mode != spec.ModeTest {
		return nil, spec.Refuse("mode-unknown", "/mode", "mode is absent or test")
	}
	for _, r := range t.Rosters {
		if _, err := jcs.ParseDigest(r.Content); err != nil || did.Check(r.Grantor) != nil {
			return nil, spec.Refuse("trust-roster", "/rosters", "a pinned roster is a grantor's DID and a content digest")
		}
	}
	if t.logs, err = log.ParsePolicy([]byte(t.Policy)); err != nil {
		return nil, spec.Refuse("trust-policy", "/policy", "%v", err)
	}
	if len(t.logs.Logs()) == 0 {
		return nil, spec.Refuse("trust-empty", "/policy", "the policy names no log")
	}
	if err := t.readMirrors(); err != nil {
		return nil, err
	}
	return t, t.checkRetired()
}

// readMirrors reads the policy of mirrors, which names the log's keys and a quorum: what nobody must have replayed is no statement.
func (t *Trust) readMirrors() (err error) {
	if t.Mirrors == "" {
		return nil
	}
	if t.mirrors, err = log.ParsePolicy([]byte(t.Mirrors)); err != nil {
		return spec.Refuse("trust-policy", "/mirrors", "%v", err)
	}
	if len(t.mirrors.Logs()) == 0 || !t.mirrors.Witnessed() {
		return spec.Refuse("trust-policy", "/mirrors", "the policy names no log, or asks for no mirror")
	}
	return nil
}

// Fingerprint is the digest of the trust file: what a verdict was reached with.
func (t *Trust) Fingerprint() string { return t.fingerprint }

// Owner is the grantor to whom the resource belongs, by exact string, "" for nobody.
func (t *Trust) Owner(resource string) string { return t.Resources[resource] }

// Roster is the pinned content digest of a grantor's first roster, "" for a stranger.
func (t *Trust) Roster(grantor string) string {
	i := slices.IndexFunc(t.Rosters, func(r PinnedRoster) bool { return r.Grantor == grantor })
	if i < 0 {
		return ""
	}
	return t.Rosters[i].Content
}

// Bytes writes a trust file.
func (t *Trust) Bytes() ([]byte, error) { return jcs.Marshal(t) }
