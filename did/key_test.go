package did

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"pgregory.net/rapid"
)

const (
	edMultikey   = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"                                // key of the W3C vectors of eddsa-jcs-2022
	p256Multikey = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"                               // key of the W3C vectors of ecdsa-jcs-2019
	edJWK        = `{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}` // RFC 8037 appendix A.2
	p256JWK      = `{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"}`
	p256JWKDID   = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9" // the did:jwk specification's
)

// reasonOf returns the reason code and pointer of an error of this package.
func reasonOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(e.Reason + " " + e.Pointer)
}

func mustParse(t testing.TB, multikey string) PublicKey {
	t.Helper()
	key, err := ParseMultikey(multikey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestMultikey(t *testing.T) {
	for multikey, kind := range map[string]string{edMultikey: "Ed25519", p256Multikey: "P-256"} {
		key := mustParse(t, multikey)
		if key.Multikey() != multikey || key.String() != multikey || key.Type() != kind || key.IsZero() {
			t.Errorf("%s came back as a %s, %s", multikey, key.Type(), key)
		}
		if key.DID() != "did:key:"+multikey {
			t.Errorf("DID %s", key.DID())
		}
	}
}

func TestZeroKey(t *testing.T) {
	var k PublicKey
	if !k.IsZero() || k.Type() != "" || k.Multikey() != "" || k.DID() != "" || k.JWK() != nil || k.Verify(nil, make([]byte, 64)) {
		t.Error("the zero PublicKey is something")
	}
}

func TestParseMultikeyRefusals(t *testing.T) {
	encode := func(prefix [2]byte, key []byte) string { return jcs.EncodeBase58(append(prefix[:], key...)) }
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	edKey, p256 := mustParse(t, edMultikey), mustParse(t, p256Multikey)
	ed := edKey.data[:ed25519Size]
	rows := []struct{ name, multikey, want string }{
		{"empty", "", "did-multikey"},
		{"prefix letter only", "z", "did-multikey"},
		{"base64url", "u7QEAAA", "did-multikey"},
		{"not base58", edMultikey[:47] + "0", "did-multikey"},
		{"space behind", edMultikey + " ", "did-multikey"},
		{"leading zero byte", "z1" + edMultikey[1:], "did-key-type"},
		{"Ed25519, 31 bytes", encode(ed25519Prefix, ed[:31]), "did-multikey"},
		{"Ed25519, 33 bytes", encode(ed25519Prefix, append(slices.Clone(ed), 0)), "did-multikey"},
		{"P-256 uncompressed", encode(p256Prefix, p256.data[:]), "did-key-type"}, // too long to be any of ours
		{"P-256, 32 bytes", encode(p256Prefix, p256.compressed()[:32]), "did-multikey"},
		{"P-256, sign 4", encode(p256Prefix, append([]byte{4}, p256.data[1:33]...)), "did-key-point"},
		{"P-256, x of no point", encode(p256Prefix, append([]byte{2}, append(make([]byte, 31), 1)...)), "did-key-point"},
		{"P-256, x above the prime", encode(p256Prefix, append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)), "did-key-point"},
		{"P-256, infinity", encode(p256Prefix, []byte{0}), "did-multikey"},
		{"X25519", encode([2]byte{0xec, 0x01}, ed), "did-key-type"},
		{"Ed25519 private", encode([2]byte{0x80, 0x26}, ed), "did-key-type"},
		{"secp256k1", encode([2]byte{0xe7, 0x01}, p256.compressed()), "did-key-type"},
		{"varint not minimal", jcs.EncodeBase58(append([]byte{0xed, 0x81, 0x00}, ed...)), "did-key-type"},
		{"too long", "z" + strings.Repeat("2", 100), "did-key-type"},
		{"y is the prime", encode(ed25519Prefix, unhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")), "did-key-point"},
		{"y above the prime, sign set", encode(ed25519Prefix, unhex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")), "did-key-point"},
	}
	for _, row := range rows {
		if key, err := ParseMultikey(row.multikey); reasonOf(err) != row.want || !key.IsZero() {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// TestSmallOrder shows for each refused point why it must be: with it, a signature of zeros holds
// for some of a few messages, for the standard library.
func TestSmallOrder(t *testing.T) {
	identity := append([]byte{1}, make([]byte, 63)...) // R is the neutral element, S is 0
	for y := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			point := y
			point[31] |= sign
			if key := FromEd25519(point[:]); !key.IsZero() {
				t.Errorf("%x is accepted", point)
			}
			forged := false
			for i := range uint32(200) {
				forged = forged || ed25519.Verify(point[:], binary.BigEndian.AppendUint32(nil, i), identity)
			}
			if !forged {
				t.Errorf("%x forges nothing: is it of small order?", point)
			}
		}
	}
}

func TestVerify(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	private := ed25519.NewKeyFromSeed(seed)
	key := FromEd25519(private.Public().(ed25519.PublicKey))
	message := []byte("writ")
	signature := ed25519.Sign(private, message)
	if !key.Verify(message, signature) {
		t.Error("a good signature is refused")
	}
	for name, changed := range map[string][]byte{
		"short": signature[:63], "long": append(slices.Clone(signature), 0), "empty": nil, "S plus the order": plusOrder(signature),
	} {
		if key.Verify(message, changed) {
			t.Errorf("%s: accepted", name)
		}
	}
	if key.Verify([]byte("Writ"), signature) {
		t.Error("another message is accepted")
	}
}

// plusOrder adds the order of edwards25519 to S, which RFC 8032 §5.1.7 forbids.
func plusOrder(signature []byte) []byte {
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	out, carry := slices.Clone(signature), 0
	for i, b := range order {
		carry += int(out[32+i]) + int(b)
		out[32+i], carry = byte(carry), carry>>8
	}
	return out
}

func TestFromP256(t *testing.T) {
	key := mustParse(t, p256Multikey)
	standard, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key.data[:])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FromP256(standard); err != nil || got != key {
		t.Errorf("got %v, %v", got, err)
	}
	if key.Verify([]byte("x"), make([]byte, 64)) {
		t.Error("r and s zero are accepted")
	}
	other, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), append(make([]byte, 47), 5))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []*ecdsa.PublicKey{nil, {}, &other.PublicKey} {
		if _, err := FromP256(bad); reasonOf(err) != "did-key-type" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if !FromEd25519(ed25519.PublicKey{1, 2}).IsZero() {
		t.Error("two bytes are an Ed25519 key")
	}
}

func TestJWK(t *testing.T) {
	for _, jwk := range []string{edJWK, p256JWK} {
		key, err := ParseJWK([]byte(jwk))
		if err != nil || string(key.JWK()) != jwk {
			t.Errorf("%s came back as %s, %v", jwk, key.JWK(), err)
		}
	}
	if key, err := ParseJWK([]byte(` {"y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE", "x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
		"kty":"EC","crv":"P-256","kid":"k1","use":"sig","alg":"ES256"}`)); err != nil || string(key.JWK()) != p256JWK {
		t.Errorf("in another order: %s, %v", key.JWK(), err)
	}
}

func TestParseJWKRefusals(t *testing.T) {
	const x, y = "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0", "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"
	edWith := func(more string) string { return strings.TrimSuffix(edJWK, "}") + more + "}" }
	rows := []struct{ name, jwk, want string }{
		{"empty", "", "did-jwk"},
		{"not an object", `["OKP"]`, "did-key-type"},
		{"member twice", edWith(`,"x":"A"`), "did-jwk"},
		{"private", edWith(`,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"`), "did-jwk"},
		{"unknown member", edWith(`,"x5u":"https://a.example/"`), "did-jwk"},
		{"for encryption", edWith(`,"use":"enc"`), "did-key-type"},
		{"other algorithm", edWith(`,"alg":"ES256"`), "did-jwk"},
		{"OKP with y", edWith(`,"y":"` + y + `"`), "did-jwk"},
		{"X25519", `{"kty":"OKP","crv":"X25519","x":"` + x + `"}`, "did-key-type"},
		{"RSA", `{"kty":"RSA"}`, "did-key-type"},
		{"OKP on P-256", `{"kty":"OKP","crv":"P-256","x":"` + x + `"}`, "did-key-type"},
		{"padded", strings.Replace(edJWK, `Ro"`, `Ro="`, 1), "did-jwk"},
		{"last character of two that decode alike", strings.Replace(edJWK, `Ro"`, `Rp"`, 1), "did-jwk"},
		{"short", strings.Replace(edJWK, `HURo"`, `"`, 1), "did-jwk"},
		{"small order", `{"crv":"Ed25519","kty":"OKP","x":"` + strings.Repeat("A", 43) + `"}`, "did-key-point"},
		{"EC without y", `{"crv":"P-256","kty":"EC","x":"` + x + `"}`, "did-jwk"},
		{"EC off the curve", `{"crv":"P-256","kty":"EC","x":"` + y + `","y":"` + x + `"}`, "did-key-point"},
		{"too long", edWith(`,"kid":"` + strings.Repeat("k", 1024) + `"`), "did-jwk"},
	}
	for _, row := range rows {
		if key, err := ParseJWK([]byte(row.jwk)); reasonOf(err) != row.want || !key.IsZero() {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// TestKeyProperty carries random keys through every form.
func TestKeyProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "seed")
		keys := []PublicKey{FromEd25519(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))}
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed); err == nil {
			key, err := FromP256(&private.PublicKey)
			if err != nil {
				rt.Fatal(err)
			}
			keys = append(keys, key)
		}
		for _, key := range keys {
			for _, did := range []string{key.DID(), "did:jwk:" + jcs.EncodeBase64(key.JWK())[1:]} {
				if got, err := KeyOf(did); err != nil || got != key {
					rt.Errorf("%s gave %v, %v, want %v", did, got, err, key)
				}
			}
		}
	})
}

func FuzzParseMultikey(f *testing.F) {
	f.Add(edMultikey)
	f.Add(p256Multikey)
	f.Add("z")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := ParseMultikey(s)
		if err == nil && key.Multikey() != s {
			t.Errorf("%q came back as %q", s, key.Multikey())
		}
		if (err == nil) == key.IsZero() {
			t.Errorf("%q: a key and an error, or neither", s)
		}
	})
}

// FuzzParseJWK: what is read is read again from the form that JWK writes.
func FuzzParseJWK(f *testing.F) {
	f.Add([]byte(edJWK))
	f.Add([]byte(p256JWK))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParseJWK(data)
		if err != nil {
			return
		}
		if again, err := ParseJWK(key.JWK()); err != nil || again != key {
			t.Errorf("%s came back as %s, %v", data, key.JWK(), err)
		}
	})
}
