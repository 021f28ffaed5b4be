package spec

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// The two contexts of every credential of Writ, in this order; nothing may stand before, between or behind them.
const (
	ContextCredentials = "https://www.w3.org/ns/credentials/v2"
	ContextWrit        = "https://w3id.org/writ/v1"
)

// Contexts is the fixed `@context` of every credential and presentation of Writ.
func Contexts() []string { return []string{ContextCredentials, ContextWrit} }

// Envelope is what the credentials of Writ share (VCDM 2.0 section 4).
type Envelope struct {
	Context    []string `json:"@context"`
	ID         string   `json:"id"`
	Type       []string `json:"type"`
	Name       string   `json:"name,omitempty"`
	Issuer     string   `json:"issuer"`
	ValidFrom  Time     `json:"validFrom,omitempty"`
	ValidUntil Time     `json:"validUntil,omitempty"`
}

// NewEnvelope makes the envelope of a credential of this type, such as "MandateCredential".
func NewEnvelope(credentialType, id, issuer string) Envelope {
	return Envelope{Context: Contexts(), Type: []string{"VerifiableCredential", credentialType}, ID: id, Issuer: issuer}
}

func (e *Envelope) check(credentialType string) error {
	switch {
	case !slices.Equal(e.Context, Contexts()):
		return refuse("context-fixed", "/@context", "the contexts are fixed, in order")
	case !slices.Equal(e.Type, []string{"VerifiableCredential", credentialType}):
		return refuse("type-fixed", "/type", "the types are fixed, in order")
	case !isUUID(e.ID):
		return refuse("id-syntax", "/id", "an id is urn:uuid:…")
	case did.Check(e.Issuer) != nil:
		return refuse("did-syntax", "/issuer", "not a DID of a known method")
	case !e.ValidFrom.IsZero() && !e.ValidUntil.IsZero() && !e.ValidFrom.Before(e.ValidUntil.Time):
		return refuse("validity-order", "/validUntil", "validUntil is after validFrom")
	}
	return nil
}

// isUUID says whether s is urn:uuid: and a UUID in lower case (RFC 9562 section 4).
func isUUID(s string) bool {
	digits, ok := strings.CutPrefix(s, "urn:uuid:")
	if !ok || len(digits) != 36 {
		return false
	}
	for i := range len(digits) {
		c := digits[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// UUIDv7 forms the urn of a UUIDv7 (RFC 9562 section 5.7) from an instant and ten random bytes that are handed in.
func UUIDv7(at time.Time, random [10]byte) string {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], uint64(at.UnixMilli())<<16)
	copy(u[6:], random[:])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return uuidString(u)
}

// uuidOf derives a UUIDv8 (RFC 9562 section 5.8) from a digest, for documents that are functions of other documents.
func uuidOf(digest string) string {
	sum := sha256.Sum256([]byte("writ/uuid/v1\n" + digest))
	u := [16]byte(sum[:16])
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return uuidString(u)
}

func uuidString(u [16]byte) string {
	const digits = "0123456789abcdef"
	b := []byte("urn:uuid:")
	for i, x := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[x>>4], digits[x&15])
	}
	return string(b)
}

// ShortID shows a document's urn:uuid as people see it: a prefix such as "dec" and Crockford base32 of the 16 bytes.
func ShortID(prefix, urn string) string {
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	hex := strings.ReplaceAll(strings.TrimPrefix(urn, "urn:uuid:"), "-", "")
	var out []byte
	var acc, bits uint
	for i := 0; i+1 < len(hex); i += 2 {
		b, err := strconv.ParseUint(hex[i:i+2], 16, 8)
		if err != nil {
			return ""
		}
		for acc, bits = acc<<8|uint(b), bits+8; bits >= 5; bits -= 5 {
			out = append(out, crockford[acc>>(bits-5)&31])
		}
	}
	if bits > 0 {
		out = append(out, crockford[acc<<(5-bits)&31])
	}
	return prefix + "_" + string(out)
}

// durationUnits are the members of a duration in their order, with the most digits that each has.
var durationUnits = [...]struct {
	letter byte
	digits int
	unit   time.Duration
}{{'D', 4, 24 * time.Hour}, {'H', 4, time.Hour}, {'M', 4, time.Minute}, {'S', 5, time.Second}}

// ParseDuration reads the durations of documents: ISO 8601 with days, hours, minutes and seconds only, more than zero.
func ParseDuration(s string) (time.Duration, error) {
	var d time.Duration
	rest, ok := strings.CutPrefix(s, "P")
	for i, u := range durationUnits {
		if i == 1 {
			inDay, hasT := strings.CutPrefix(rest, "T")
			if ok = ok && hasT == (rest != "") && hasT == (inDay != ""); !ok {
				break
			}
			rest = inDay
		}
		n, length := leadingDigits(rest)
		if length > 0 && length <= u.digits && length < len(rest) && rest[length] == u.letter {
			d, rest = d+time.Duration(n)*u.unit, rest[length+1:]
		}
	}
	if !ok || rest != "" || d == 0 {
		return 0, refuse("duration-syntax", "", "a duration is PnDTnHnMnS, more than zero")
	}
	return d, nil
}

// leadingDigits is the number that s begins with, and its length; one of more than nine digits is of no use here.
func leadingDigits(s string) (n, length int) {
	for length < len(s) && length < 9 && '0' <= s[length] && s[length] <= '9' {
		n, length = n*10+int(s[length]-'0'), length+1
	}
	return n, length
}

// FormatDuration writes a duration of whole seconds as ParseDuration reads it.
func FormatDuration(d time.Duration) string {
	s := int64(d / time.Second)
	out := append(make([]byte, 0, 24), 'P')
	if days := s / 86400; days > 0 {
		out = append(strconv.AppendInt(out, days, 10), 'D')
	}
	inDay := false
	for _, part := range [...]struct {
		seconds int64
		letter  byte
	}{{3600, 'H'}, {60, 'M'}, {1, 'S'}} {
		n := s % 86400 / part.seconds % 60
		if n <= 0 {
			continue
		}
		if !inDay {
			out, inDay = append(out, 'T'), true
		}
		out = append(strconv.AppendInt(out, n, 10), part.letter)
	}
	return string(out)
}

func checkSalt(s, pointer string) error {
	if _, err := jcs.DecodeKey(s); err != nil {
		return refuse("salt-syntax", pointer, "a salt is 32 bytes, multibase base64url")
	}
	return nil
}

func checkDigest(s, pointer string) error {
	if _, err := jcs.ParseDigest(s); err != nil {
		return refuse("digest-syntax", pointer, "a digest is a base64url SHA-256 multihash (uEi…)")
	}
	return nil
}

// checkOptional is checkDigest where absent is allowed.
func checkOptional(s, pointer string) error {
	if s == "" {
		return nil
	}
	return checkDigest(s, pointer)
}

// checkDIDs checks members of an object, given as name and value in turn.
func checkDIDs(place string, members ...string) error {
	for i := 0; i < len(members); i += 2 {
		if did.Check(members[i+1]) != nil {
			return refuse("did-syntax", place+"/"+members[i], "not a DID of a known method")
		}
	}
	return nil
}

// checkEach checks an array of digests.
func checkEach(place string, digests []string) error {
	for i, d := range digests {
		if err := checkDigest(d, place+"/"+itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func checkMode(mode string) error {
	if mode != "" && mode != ModeTest {
		return refuse("mode-unknown", "/mode", "mode is absent or test")
	}
	return nil
}

// checkEvidence admits approval entries in exactly one shape and anything else only where no `type` contains the word, so
// that no reader can take foreign evidence for an approval (protocol.md 3.4).
func checkEvidence(evidence []jcs.Value) error {
	for i, e := range evidence {
		at := "/evidence/" + strconv.Itoa(i)
		if e.Kind() != jcs.Object {
			return refuse("evidence-shape", at, "evidence is an object")
		}
		if !mentionsApproval(e) {
			continue
		}
		if !isApprovalEntry(e) {
			return refuse("evidence-approval-shape", at, `an approval entry is exactly {"type":["MandateApproval"],"approval":{…}}`)
		}
	}
	return nil
}

func mentionsApproval(e jcs.Value) bool {
	t, _ := e.Member("type")
	return strings.Contains(string(t.Canonical()), "MandateApproval")
}

func isApprovalEntry(e jcs.Value) bool {
	t, _ := e.Member("type")
	a, ok := e.Member("approval")
	return ok && len(e.Members()) == 2 && a.Kind() == jcs.Object && string(t.Canonical()) == `["MandateApproval"]`
}

// ContentDigest is the identity of an approved credential (mandate, supplement, roster): it covers everything except the
// proof and the approval entries, so every set of approvers and every envelope of one content has one digest.
func ContentDigest(credential jcs.Value) string {
	const prefix = "writ/content/v1\n"
	evidence, _ := credential.Member("evidence")
	if kept := evidenceOfContent(evidence); len(kept) > 0 {
		return jcs.Digest(prefix, credential.Without("proof").With("evidence", arrayOf(kept)).Canonical())
	}
	return jcs.FormatDigest(credential.SumWithout(prefix, "proof", "evidence"))
}

// Approvals reads the approval documents out of a credential's evidence, in their order.
func Approvals(credential jcs.Value) ([]Document, error) {
	evidence, _ := credential.Member("evidence")
	var docs []Document
	for i, e := range evidence.Elements() {
		if !isApprovalEntry(e) {
			continue
		}
		a, _ := e.Member("approval")
		d, err := FromValue(a)
		if err != nil {
			return nil, at("/evidence/"+strconv.Itoa(i)+"/approval", err)
		}
		if d.Type != TypeApproval {
			return nil, refuse("evidence-approval-shape", "/evidence/"+strconv.Itoa(i), "not an approval")
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// WithApprovals returns the credential content with these approvals appended to its evidence.
func WithApprovals(content jcs.Value, approvals []Document) jcs.Value {
	evidence, _ := content.Member("evidence")
	all := slices.Clone(evidence.Elements())
	for _, a := range approvals {
		all = append(all, approvalType.With("approval", a.Value))
	}
	if len(all) == 0 {
		return content
	}
	return content.With("evidence", arrayOf(all))
}

// approvalType is an approval entry without its approval.
var approvalType, _ = jcs.ValueOf(struct {
	Type []string `json:"type"`
}{[]string{"MandateApproval"}})

// arrayOf is an array of values, absent if there are none.
func arrayOf(elements []jcs.Value) jcs.Value {
	v, _ := jcs.ValueOf(elements)
	return v
}

// at puts a pointer in front of the place that an error names.
func at(pointer string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Reason: e.Reason, Pointer: pointer + e.Pointer, Detail: e.Detail}
	}
	return err
}

func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func distinct(names []string) bool {
	seen := map[string]bool{}
	for _, n := range names {
		if n == "" || seen[n] {
			return false
		}
		seen[n] = true
	}
	return true
}
