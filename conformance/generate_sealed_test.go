package conformance

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/status"
)

func entryVectors(b *book) {
	row := func(name, title, text string, want DocumentEnd) {
		b.doc("entry/"+name, entryClause, title, "entry", text, want)
	}
	digest := func(i int) string { return jcs.Digest("", []byte{byte(i)}) }
	links := func(n int) []spec.Link {
		var all []spec.Link
		for i := range n {
			all = append(all, spec.Link{Chain: digest(i), Seq: 1, State: digest(100)})
		}
		sortLinks(all)
		return all
	}
	event := func(n int) *spec.Entry {
		return &spec.Entry{V: 1, Kind: spec.EntryEvent, Links: links(n), Commitment: digest(101)}
	}
	text := func(e *spec.Entry) string { return string(e.Bytes()) }
	row("event", "An event on one chain.", text(event(1)), taken)
	row("eight-links", "At most eight links, and they fit.", text(event(8)), taken)
	row("nine-links", "At most eight links.", text(event(9)), no("too-many-chains", "/links"))
	heads := text(&spec.Entry{V: 1, Kind: spec.EntryHeads, Root: digest(1)})
	row("heads", "A heads entry.", heads, taken)
	row("heads-with-commitment", "A heads entry is exactly v, kind, root.", text(&spec.Entry{V: 1, Kind: spec.EntryHeads, Root: digest(1), Commitment: digest(2)}), no("entry-shape", ""))
	unsorted := event(2)
	unsorted.Links[0], unsorted.Links[1] = unsorted.Links[1], unsorted.Links[0]
	row("links-unsorted", "Links are sorted by chain: one form.", text(unsorted), no("entry-links", "/links"))
	twice := event(1)
	twice.Links = append(twice.Links, twice.Links[0])
	row("chain-twice", "One link for every chain.", text(twice), no("entry-links", "/links"))
	zero := event(1)
	zero.Links[0].Seq = 0
	row("seq-of-zero", "Entries count from 1.", text(zero), no("entry-links", "/links"))
	named := event(1)
	named.Grantor = writtest.Grantor
	row("event-with-grantor", "Events name no grantor.", text(named), no("entry-shape", "/grantor"))
	other := event(1)
	other.Kind = "payment"
	row("kind-unknown", "A closed list.", text(other), no("entry-kind", "/kind"))
	none := event(1)
	none.Links = nil
	row("no-links", "An event is on a chain.", text(none), no("too-many-chains", "/links"))
	row("not-canonical", "A leaf has one form.", strings.Replace(heads, ",", ", ", 1), no("entry-canonical", ""))
	row("foreign-member", "A closed schema.", strings.Replace(heads, "{", `{"a":1,`, 1), no("member-unknown", "/a"))
	long := event(1)
	long.Kind, long.Grantor = spec.EntryMandate, "did:web:"+strings.Repeat("a", 2000)+".example"
	row("larger-than-2-kib", "At most 2048 bytes.", text(long), no("entry-size", ""))
}

func sortLinks(links []spec.Link) {
	for i := range links {
		for j := range i {
			if links[i].Chain < links[j].Chain {
				links[i], links[j] = links[j], links[i]
			}
		}
	}
}

func keyVectors(b *book) {
	w := world("key")
	row := func(name, title, parser, text string, want DocumentEnd) {
		b.doc("key/"+name, didClause, title, parser, text, want)
	}
	agent := w.Key("agent").Public()
	row("ed25519", "An Ed25519 key.", "multikey", agent.Multikey(), taken)
	row("p256", "A P-256 key.", "multikey", p256Signer("agent").Public().Multikey(), taken)
	multikey := func(prefix []byte, key []byte) string { return jcs.EncodeBase58(append(prefix, key...)) }
	row("secp256k1", "Another curve.", "multikey", multikey([]byte{0xe7, 0x01}, append([]byte{2}, make([]byte, 32)...)), no("did-key-type", ""))
	row("ed25519-of-31-bytes", "A key has its length.", "multikey", multikey([]byte{0xed, 0x01}, make([]byte, 31)), no("did-multikey", ""))
	row("ed25519-of-small-order", "For the neutral element one signature holds for many messages.", "multikey", multikey([]byte{0xed, 0x01}, append([]byte{1}, make([]byte, 31)...)), no("did-key-point", ""))
	row("p256-off-the-curve", "Not a point.", "multikey", multikey([]byte{0x80, 0x24}, append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)), no("did-key-point", ""))
	row("base64-multikey", "A multikey is base58btc.", "multikey", jcs.EncodeBase64(append([]byte{0xed, 0x01}, make([]byte, 32)...)), no("did-multikey", ""))
	row("did-key", "An agent.", "agent-did", agent.DID(), taken)
	row("did-web-as-agent", "A hosted document could change its key.", "agent-did", "did:web:agent.example", no("did-method", ""))
	row("did-key-with-fragment", "A DID has no fragment.", "agent-did", agent.DID()+"#x", no("did-multikey", ""))
	jwk := func(text string) string {
		return "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	row("did-jwk", "An agent by its JWK.", "agent-did", jwk(string(agent.JWK())), taken)
	row("did-jwk-with-private-part", "A JWK that gives its secret away.", "agent-did", jwk(strings.Replace(string(agent.JWK()), "}", `,"d":"`+strings.Repeat("A", 43)+`"}`, 1)), no("did-jwk", ""))
	row("did-jwk-of-rsa", "Another key type.", "agent-did", jwk(`{"e":"AQAB","kty":"RSA","n":"AQAB"}`), no("did-jwk", ""))

	form := func(name, title, parser, text string, want DocumentEnd) {
		b.doc("key/"+name, bytesClause, title, parser, text, want)
	}
	d := jcs.Digest("", nil)
	form("digest", "A digest.", "digest", d, taken)
	form("digest-with-other-tail", "Other last bits for the same bytes: the same digest twice.", "digest", tail(d), no("encoding-invalid", ""))
	form("digest-with-newline", "Decoders that skip line ends.", "digest", d[:10]+"\n"+d[10:], no("encoding-invalid", ""))
	form("digest-with-padding", "Base64url has no padding here.", "digest", d+"=", no("encoding-invalid", ""))
	form("digest-in-base58", "A digest is base64url.", "digest", jcs.EncodeBase58(append([]byte{0x12, 0x20}, make([]byte, 32)...)), no("encoding-invalid", ""))
	form("digest-of-sha-512", "SHA-256, no other.", "digest", jcs.EncodeBase64(append([]byte{0x13, 0x40}, make([]byte, 64)...)), no("encoding-invalid", ""))
	form("digest-cut-short", "32 bytes.", "digest", jcs.EncodeBase64(append([]byte{0x12, 0x20}, make([]byte, 31)...)), no("encoding-invalid", ""))
	form("base64-of-other-alphabet", "Plus and slash are the other alphabet.", "base64", "u-_+/", no("encoding-invalid", ""))
	form("base58-with-zero", "0 is no letter of base58.", "base58", "z10", no("encoding-invalid", ""))
	form("duration", "Four hours.", "duration", "PT4H", taken)
	form("duration-of-nothing", "More than zero.", "duration", "PT0S", no("duration-syntax", ""))
}

// p256Signer is a P-256 key that is a function of its name. Its signatures have the nonce of RFC 6979's idea in its plainest form:
// a hash of key and message, which is enough for test keys.
func p256Signer(name string) vc.Signer { return newP256(name) }

type p256 struct{ key *ecdsa.PrivateKey }

func newP256(name string) p256 {
	sum := sha256.Sum256([]byte("conformance P-256\n" + name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		panic(err)
	}
	return p256{key}
}

func (s p256) Public() did.PublicKey {
	k, err := did.FromP256(&s.key.PublicKey)
	if err != nil {
		panic(err)
	}
	return k
}

// Sign is ECDSA (FIPS 186-5 section 6.4.1) with a nonce that is a function of key and message.
func (s p256) Sign(message []byte) ([]byte, error) {
	curve, n := elliptic.P256(), elliptic.P256().Params().N
	secret, err := s.key.Bytes()
	if err != nil {
		return nil, err
	}
	nonce := sha256.Sum256(append(append([]byte("conformance nonce\n"), secret...), message...))
	one, err := ecdsa.ParseRawPrivateKey(curve, nonce[:])
	if err != nil {
		return nil, err
	}
	point, err := one.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(message)
	r := new(big.Int).Mod(new(big.Int).SetBytes(point[1:33]), n)
	k := new(big.Int).ModInverse(new(big.Int).SetBytes(nonce[:]), n)
	x := new(big.Int).Mul(r, new(big.Int).SetBytes(secret))
	x.Add(x, new(big.Int).SetBytes(hash[:])).Mul(x, k).Mod(x, n)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	x.FillBytes(signature[32:])
	return signature, nil
}

func proofVectors(b *book) {
	w := world("proof")
	plain := w.Mandate()
	sealed := w.Seal(plain)
	seal := w.Key("seal").Public().Multikey()
	row := func(name, title, text, key string, want DocumentEnd) {
		b.put("proof/"+name, Vector{Title: title, Section: bytesClause, Kind: KindDocument,
			Document: &Document{Parser: "signed", Input: Input{Text: text}, Key: key, Want: want}})
	}
	change := func(name, title string, want DocumentEnd, edits ...Edit) {
		row(name, title, b.changed(sealed, edits...), seal, want)
	}
	change("eddsa-jcs-2022", "A sealed mandate.", taken)
	change("content-changed", "The content was changed after signing.", no("proof-signature", "/proof/proofValue"), set("/name", "Pay any invoice"))
	change("context-appended-behind-the-proof", "A context was appended to the document, not to the proof.", no("proof-context", "/proof/@context"), add("/@context/-", "https://evil.example/v1"))
	change("context-appended-to-both", "A context was appended to document and proof after signing.", no("proof-signature", "/proof/proofValue"), add("/@context/-", "https://evil.example/v1"), add("/proof/@context/-", "https://evil.example/v1"))
	change("context-of-proof-absent", "The proof has the document's context.", no("proof-context", "/proof/@context"), remove("/proof/@context"))
	change("foreign-member-of-proof", "An unknown member of a proof is an unchecked claim.", no("member-unknown", "/proof/nonce"), set("/proof/nonce", "x"))
	change("two-proofs", "A set of proofs verifies in some libraries when any one does.", no("proof-not-single", "/proof"), set("/proof", []any{proofOf(sealed), proofOf(sealed)}))
	change("no-proof", "A document without a proof.", no("proof-missing", ""), remove("/proof"))
	change("other-suite", "A suite that Writ does not have at rest.", no("proof-suite", "/proof/cryptosuite"), set("/proof/cryptosuite", "eddsa-rdfc-2022"))
	change("purpose-changed", "The signature covers the purpose.", no("proof-signature", "/proof/proofValue"), set("/proof/proofPurpose", "capabilityDelegation"))
	change("created-changed", "The signature covers its time.", no("proof-signature", "/proof/proofValue"), set("/proof/created", "2026-11-01T09:00:00Z"))
	change("domain-on-a-credential", "An audience is for presentations.", no("proof-audience", "/proof"), set("/proof/domain", writtest.Verifier))
	change("value-in-base64", "A proof's value is base58btc.", no("proof-value", "/proof/proofValue"), set("/proof/proofValue", jcs.EncodeBase64(make([]byte, 64))))
	row("other-key", "Signed by somebody else.", string(sealed.Bytes()), w.Key("mallory").Public().Multikey(), no("proof-signature", "/proof/proofValue"))

	signer := newP256("seal")
	v, err := vc.Sign(plain.Value, vc.ProofOptions{VerificationMethod: w.KeyID("seal"), Purpose: did.AssertionMethod, Created: w.Now}, signer)
	b.must(err)
	signed, err := plain.WithValue(v)
	b.must(err)
	row("ecdsa-jcs-2019", "A mandate sealed with P-256, low s.", string(v.Canonical()), signer.Public().Multikey(), taken)
	row("suite-of-another-key", "The suite is the key's.", b.changed(signed, set("/proof/cryptosuite", "eddsa-jcs-2022")), signer.Public().Multikey(), no("proof-key", "/proof/cryptosuite"))
	row("ecdsa-with-high-s", "n - s is a second signature of the same document that anybody can make.", b.changed(signed, set("/proof/proofValue", highS(b, signed))),
		signer.Public().Multikey(), no("proof-high-s", "/proof/proofValue"))
}

func proofOf(d spec.Document) json.RawMessage {
	p, _ := d.Value.Member("proof")
	return json.RawMessage(p.Canonical())
}

// highS is the other signature that verifies: r with n - s.
func highS(b *book, d spec.Document) string {
	text, _ := d.Value.Lookup("/proof/proofValue")
	s, _ := text.Text()
	signature, err := jcs.DecodeBase58(s)
	b.must(err)
	high := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(signature[32:]))
	high.FillBytes(signature[32:])
	return jcs.EncodeBase58(signature)
}

func statusVectors(b *book) {
	const url = "https://writ.acme.example/status/1"
	bits := status.NewBits(status.MinEntries)
	b.must(bits.Set(42, true))
	list := status.List{ID: url, Issuer: writtest.Verifier, Purpose: "revocation", ValidFrom: writtest.Start, ValidUntil: writtest.Start.Add(time.Hour), Bits: bits}
	v, err := list.Value()
	b.must(err)
	entry := func(index int, purpose, url string) string {
		e, err := status.Entry{Purpose: purpose, List: url, Index: index}.Value()
		b.must(err)
		return string(e.Canonical())
	}
	const clause = "protocol.md 3.6: status lists"
	ask := func(name, title, text, entry string, after time.Duration, maxAge int64, want DocumentEnd) {
		b.put("status/"+name, Vector{Title: title, Section: clause, Kind: KindDocument, Document: &Document{Parser: "status-list",
			Input: Input{Text: text}, Status: &StatusAsk{Entry: entry, At: writtest.Start.Add(after), MaxAge: maxAge}, Want: want}})
	}
	text := string(v.Canonical())
	ask("not-set", "Entry 41 is not revoked.", text, entry(41, "revocation", url), time.Minute, 300, taken)
	ask("set", "Entry 42 is revoked.", text, entry(42, "revocation", url), time.Minute, 300, DocumentEnd{Accept: true, Set: true})
	ask("past-its-end", "Past validUntil the status is unknown, which is no.", text, entry(41, "revocation", url), time.Hour, 0, no("status-stale", "/validUntil"))
	ask("older-than-the-mandate-allows", "Older than statusMaxAge is unknown.", text, entry(41, "revocation", url), 301*time.Second, 300, no("status-stale", "/validFrom"))
	ask("before-its-time", "A list from the future.", text, entry(41, "revocation", url), -time.Second, 300, no("status-early", "/validFrom"))
	ask("other-purpose", "A suspension asked of a revocation list.", text, entry(41, "suspension", url), time.Minute, 300, no("status-purpose", "/credentialSubject/statusPurpose"))
	ask("other-list", "Another list than the entry names.", text, entry(41, "revocation", url+"0"), time.Minute, 300, no("status-other-list", ""))
	ask("index-out-of-range", "The list does not reach that far.", text, entry(status.MinEntries, "revocation", url), time.Minute, 300, no("status-index", ""))
	encoded := "/credentialSubject/encodedList"
	broken := func(name, title, list, reason string) {
		data, err := applyEdits(v.Canonical(), []Edit{set(encoded, list)})
		b.must(err)
		b.doc("status/"+name, clause, title, "status-list", string(data), no(reason, encoded))
	}
	broken("decompression-bomb", "A few kilobytes that promise gigabytes.", packed(1<<24, 1), "status-size")
	broken("too-few-entries", "Fewer than 131,072 entries say who is meant.", packed(1024, 1), "status-size")
	broken("second-gzip-member", "Exactly one gzip member.", packed(status.MinEntries/8, 2), "status-encoding")
	broken("not-gzip", "Base64url of something else.", jcs.EncodeBase64([]byte("no")), "status-encoding")
	broken("cut-short", "A stream that ends early.", cut(packed(status.MinEntries/8, 1)), "status-encoding")
	one := func(name, title, text string, want DocumentEnd) {
		b.doc("status/"+name, clause, title, "status-entry", text, want)
	}
	one("entry", "An entry.", entry(42, "revocation", url), taken)
	one("entry-with-leading-zero", "An index has one spelling.", strings.Replace(entry(42, "revocation", url), `"42"`, `"042"`, 1), no("status-entry", "/statusListIndex"))
	one("entry-with-negative-index", "Before the list.", strings.Replace(entry(42, "revocation", url), `"42"`, `"-1"`, 1), no("status-entry", "/statusListIndex"))
	one("entry-of-other-purpose", "Revocation or suspension.", strings.Replace(entry(42, "revocation", url), `"revocation"`, `"message"`, 1), no("status-entry", "/statusPurpose"))
}

// packed is an encodedList of that many zero bytes, in as many gzip members.
func packed(size, members int) string {
	var out bytes.Buffer
	for range members {
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			panic(err)
		}
		w.Write(make([]byte, size))
		w.Close()
	}
	return jcs.EncodeBase64(out.Bytes())
}

// cut takes the last bytes of an encodedList away.
func cut(list string) string {
	data, err := jcs.DecodeBase64(list)
	if err != nil {
		panic(err)
	}
	return jcs.EncodeBase64(data[:len(data)-4])
}

func logVectors(b *book) {
	w := world("log")
	signer := w.LogSigner()
	hash := log.RecordHash([]byte("leaf"))
	checkpoint, err := log.Checkpoint{Origin: writtest.Origin, Size: 2, Root: hash}.Sign(signer)
	b.must(err)
	proof := log.InclusionProof{Index: 1, Hashes: []log.Hash{hash}, Checkpoint: checkpoint}
	row := func(name, title, parser, text string, want DocumentEnd) {
		b.doc("log/"+name, "protocol.md 8.6: the log's formats", title, parser, text, want)
	}
	text := string(proof.Marshal())
	row("proof", "A tlog-proof.", "tlog-proof", text, taken)
	replaced := func(old, new string) string {
		out := strings.Replace(text, old, new, 1)
		if out == text {
			b.t.Fatalf("%q is not in the proof", old)
		}
		return out
	}
	row("proof-of-other-version", "The header is fixed.", "tlog-proof", replaced("@v1", "@v2"), no("proof-syntax", ""))
	row("proof-with-leading-zero", "An index has one spelling.", "tlog-proof", replaced("index 1\n", "index 01\n"), no("proof-syntax", ""))
	row("proof-with-negative-index", "An index counts from 0.", "tlog-proof", replaced("index 1\n", "index -1\n"), no("proof-syntax", ""))
	row("proof-with-carriage-return", "Lines end with LF.", "tlog-proof", replaced("index 1\n", "index 1\r\n"), no("proof-syntax", ""))
	row("proof-with-other-tail", "Base64 has 15 other last characters.", "tlog-proof", replaced(hash.String(), otherTail(hash.String())), no("proof-syntax", ""))
	row("proof-with-short-hash", "A hash is 32 bytes.", "tlog-proof", replaced(hash.String(), base64.StdEncoding.EncodeToString(hash[:31])), no("proof-syntax", ""))
	row("proof-without-checkpoint", "A proof ends in a checkpoint.", "tlog-proof", strings.Split(text, "\n\n")[0]+"\n", no("proof-syntax", ""))

	signed := string(checkpoint)
	row("checkpoint", "A signed checkpoint.", "checkpoint", signed, taken)
	row("checkpoint-with-leading-zero", "A size has one spelling.", "checkpoint", strings.Replace(signed, "\n2\n", "\n02\n", 1), no("checkpoint-syntax", ""))
	row("checkpoint-with-short-root", "A root is 32 bytes.", "checkpoint", strings.Replace(signed, hash.String(), base64.StdEncoding.EncodeToString(hash[:31]), 1), no("checkpoint-syntax", ""))
	row("checkpoint-without-signature", "A note is signed.", "checkpoint", strings.Split(signed, "\n\n")[0]+"\n", no("note-syntax", ""))
	row("checkpoint-with-line-behind", "Nothing follows the signatures.", "checkpoint", signed+"x\n", no("note-syntax", ""))
	key := signer.Verifier.String()
	row("log-key", "A log's key.", "log-key", key, taken)
	parts := strings.SplitN(key, "+", 3)
	row("log-key-with-other-id", "The id is a hash of name and key.", "log-key", fmt.Sprintf("%s+%s+%s", parts[0], "00000000", parts[2]), no("key-syntax", ""))
	row("policy", "A policy of one log.", "log-policy", "log "+key+"\nquorum none\n", taken)
	row("policy-without-quorum", "A policy says how many witnesses.", "log-policy", "log "+key+"\n", no("policy-syntax", ""))
	row("policy-of-unknown-witness", "A quorum names what was defined.", "log-policy", "log "+key+"\nquorum w1\n", no("policy-syntax", ""))
}

// otherTail is another spelling of 32 bytes in base64.
func otherTail(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := len(s) - 2 // before the padding
	return s[:i] + string(alphabet[strings.IndexByte(alphabet, s[i])+1]) + s[i+1:]
}
