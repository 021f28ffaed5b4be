package log

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

const (
	maxPolicySize  = 256 << 10 // bytes
	maxPolicyNames = 1024      // lines of each kind; tlog-policy.md, "Implementation limits", asks for 32

	quorumNone = "none"
)

// Policy says whose checkpoints are accepted: which logs, and which witnesses must have cosigned.
type Policy struct {
	logs    []*Verifier
	members map[string]member // witnesses and groups
	order   []string          // their names as they were defined
	quorum  string
	urls    map[*Verifier]string
}

// member is a witness (key) or a group (of, threshold).
type member struct {
	key       *Verifier
	threshold int
	of        []string
}

// NewPolicy returns the policy that accepts the checkpoints of one log and asks for no witness.
func NewPolicy(logKey *Verifier) *Policy {
	return &Policy{logs: []*Verifier{logKey}, quorum: quorumNone}
}

// ParsePolicy reads a policy file (tlog-policy.md, "Policy file syntax and structure"). String returns it in
// normal form, which parses to the same policy. Reasons: policy-syntax, key-syntax.
func ParsePolicy(text []byte) (*Policy, error) {
	if err := checkPolicyBytes(text); err != nil {
		return nil, err
	}
	p := &policyParser{
		policy: Policy{members: map[string]member{}, urls: map[*Verifier]string{}},
		seen:   map[string]bool{}, grouped: map[string]bool{},
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines[:len(lines)-1] {
		if err := p.line(strings.FieldsFunc(line, isBlank)); err != nil {
			return nil, fault(err.Reason, "line %d: %s", i+1, err.Detail)
		}
	}
	if p.policy.quorum == "" {
		return nil, fault("policy-syntax", "no quorum line")
	}
	return &p.policy, nil
}

// checkPolicyBytes enforces tlog-policy.md, "Character set", and that each line ends in a newline.
func checkPolicyBytes(text []byte) error {
	if len(text) > maxPolicySize {
		return fault("policy-syntax", "%d bytes, at most %d allowed", len(text), maxPolicySize)
	}
	control := func(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' || r == 0x7f }
	if bytes.IndexFunc(text, control) >= 0 {
		return fault("policy-syntax", "a control character other than tab and newline")
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		return fault("policy-syntax", "the last line does not end in a newline")
	}
	return nil
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }

type policyParser struct {
	policy  Policy
	seen    map[string]bool // kind and public key, and key name and id
	grouped map[string]bool // names that are in a group already
}

func (p *policyParser) line(items []string) *Error {
	if len(items) == 0 || strings.HasPrefix(items[0], "#") {
		return nil
	}
	switch kind, rest := items[0], items[1:]; {
	case kind == "log" && (len(rest) == 1 || len(rest) == 2):
		return p.log(rest)
	case kind == "witness" && (len(rest) == 2 || len(rest) == 3):
		return p.witness(rest)
	case kind == "group" && len(rest) >= 3:
		return p.group(rest[0], rest[1], rest[2:])
	case kind == "quorum" && len(rest) == 1:
		return p.setQuorum(rest[0])
	}
	return wrong("%q with %d items is not a line of a policy", items[0], len(items)-1)
}

func wrong(format string, args ...any) *Error {
	return fault("policy-syntax", format, args...).(*Error)
}

// log reads "log <vkey> [<url>]" (tlog-policy.md, "Defining a log").
func (p *policyParser) log(items []string) *Error {
	key, err := p.key(items[0], typeEd25519)
	if err != nil {
		return err
	}
	if len(p.policy.logs) == maxPolicyNames {
		return wrong("more than %d logs", maxPolicyNames)
	}
	p.policy.logs = append(p.policy.logs, key)
	p.policy.urls[key] = strings.Join(items[1:], "")
	return nil
}

// witness reads "witness <name> <vkey> [<url>]" (tlog-policy.md, "Defining a witness"). One with an ML-DSA-44 key has a place in
// groups and never cosigns: its signature lines are those of an unknown key (tlog-cosignature.md, "Format").
func (p *policyParser) witness(items []string) *Error {
	key, err := p.key(items[1], typeCosignature, typeMLDSA)
	if err != nil {
		return err
	}
	p.policy.urls[key] = strings.Join(items[2:], "")
	return p.define(items[0], member{key: key})
}

// key reads a key of a kind that the line may have and refuses duplicates: "if they wrap the same underlying
// public key, even if they differ by key name and key id" (tlog-policy.md, "Public key representation").
func (p *policyParser) key(vkey string, kinds ...byte) (*Verifier, *Error) {
	key, err := parseKey(vkey)
	if err != nil {
		return nil, err.(*Error)
	}
	if !slices.Contains(kinds, key.kind) {
		return nil, wrong("key of %s has type %#02x, want %#02x", key.name, key.kind, kinds)
	}
	for _, mark := range []string{string(key.typed()), key.name + "+" + strconv.FormatUint(uint64(key.id), 16)} {
		if p.seen[mark] {
			return nil, wrong("key of %s is given twice", key.name)
		}
		p.seen[mark] = true
	}
	return key, nil
}

func (p *policyParser) define(name string, m member) *Error {
	if _, taken := p.policy.members[name]; taken || name == quorumNone {
		return wrong("the name %q is taken", name)
	}
	if len(p.policy.order) == 2*maxPolicyNames {
		return wrong("more than %d witnesses and groups", 2*maxPolicyNames)
	}
	p.policy.members[name] = m
	p.policy.order = append(p.policy.order, name)
	return nil
}

// group reads "group <name> all|any|<k> <name>..." (tlog-policy.md, "Defining a witness group").
func (p *policyParser) group(name, threshold string, of []string) *Error {
	k, err := parseThreshold(threshold, len(of))
	if err != nil {
		return err
	}
	for _, m := range of {
		if _, defined := p.policy.members[m]; !defined {
			return wrong("group %q has %q, which no line before defines", name, m)
		}
		if p.grouped[m] {
			return wrong("%q is in two groups, or twice in one", m)
		}
		p.grouped[m] = true
	}
	return p.define(name, member{threshold: k, of: slices.Clone(of)})
}

func parseThreshold(s string, n int) (int, *Error) {
	switch s {
	case "any":
		return 1, nil
	case "all":
		return n, nil
	}
	k, err := parseDecimal(s)
	if err != nil || k < 1 || k > int64(n) {
		return 0, wrong("threshold %q is not any, all or 1 to %d", s, n)
	}
	return int(k), nil
}

// setQuorum reads "quorum <name>" (tlog-policy.md, "Defining the quorum").
func (p *policyParser) setQuorum(name string) *Error {
	if p.policy.quorum != "" {
		return wrong("a second quorum line")
	}
	if _, defined := p.policy.members[name]; !defined && name != quorumNone {
		return wrong("quorum %q, which no line before defines", name)
	}
	p.policy.quorum = name
	return nil
}

// String returns the policy in normal form: logs, then witnesses and groups as they were defined, then the quorum.
func (p *Policy) String() string {
	var b strings.Builder
	line := func(items ...string) { b.WriteString(strings.TrimRight(strings.Join(items, " "), " ") + "\n") }
	for _, key := range p.logs {
		line("log", key.String(), p.urls[key])
	}
	for _, name := range p.order {
		if m := p.members[name]; m.key != nil {
			line("witness", name, m.key.String(), p.urls[m.key])
		} else {
			line("group", name, strconv.Itoa(m.threshold), strings.Join(m.of, " "))
		}
	}
	line("quorum", p.quorum)
	return b.String()
}

// Logs returns the keys of the policy's logs. A key's name is its log's origin.
func (p *Policy) Logs() []*Verifier { return slices.Clone(p.logs) }

// Witnessed reports whether the policy asks for cosignatures at all.
func (p *Policy) Witnessed() bool { return p.quorum != quorumNone }

// Verify checks that a signed checkpoint is of the log called origin, is signed by a key that the policy lists for
// it, and is cosigned by the quorum, and returns it. Any wrong signature of a known key refuses it.
// Reasons: note-syntax, checkpoint-syntax, checkpoint-signature, checkpoint-origin, checkpoint-quorum.
func (p *Policy) Verify(signed []byte, origin string) (Checkpoint, error) {
	c, by, err := openCheckpoint(signed, p.keysFor(origin))
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != origin {
		return Checkpoint{}, fault("checkpoint-origin", "it is of %s, want %s", c.Origin, origin)
	}
	if !slices.ContainsFunc(by, func(v *Verifier) bool { return v.kind == typeEd25519 }) {
		return Checkpoint{}, fault("checkpoint-signature", "not signed by a key that the policy lists for %s", origin)
	}
	if !p.met(p.quorum, by) {
		return Checkpoint{}, fault("checkpoint-quorum", "quorum %s is not met", p.quorum)
	}
	return c, nil
}

func (p *Policy) keysFor(origin string) []*Verifier {
	var keys []*Verifier
	for _, key := range p.logs {
		if key.name == origin {
			keys = append(keys, key)
		}
	}
	for _, name := range p.order {
		if m := p.members[name]; m.key != nil && m.key.kind != typeMLDSA {
			keys = append(keys, m.key)
		}
	}
	return keys
}

// met says whether the named witness or group has cosigned. Groups refer to earlier lines only, so it ends.
func (p *Policy) met(name string, by []*Verifier) bool {
	m := p.members[name]
	if name == quorumNone || m.key != nil {
		return name == quorumNone || slices.Contains(by, m.key)
	}
	met := 0
	for _, of := range m.of {
		if p.met(of, by) {
			met++
		}
	}
	return met >= m.threshold
}
