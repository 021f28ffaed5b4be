package jcs

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDigest(t *testing.T) {
	// SHA-256("abc"), the first vector of FIPS 180-4, as a multihash.
	const want = "uEiC6eBa_jwHP6kFBQN5driIjsANho5YXepy0EP9h8gAVrQ"
	sum := sha256.Sum256([]byte("abc"))
	got := Digest("a", []byte("bc"))
	if got != want || FormatDigest(sum) != want {
		t.Errorf("Digest = %s, want %s", got, want)
	}
	if back, err := ParseDigest(got); err != nil || back != sum {
		t.Errorf("ParseDigest(%s) = %x, %v", got, back, err)
	}
}

func TestParseDigestRefuses(t *testing.T) {
	good := Digest("", nil)
	for name, s := range map[string]string{
		"empty":            "",
		"no multibase":     good[1:],
		"another base":     "z" + good[1:],
		"too short":        EncodeBase64(append([]byte(multihash), make([]byte, 31)...)),
		"too long":         EncodeBase64(append([]byte(multihash), make([]byte, 33)...)),
		"SHA-512":          EncodeBase64(append([]byte("\x13\x20"), make([]byte, 32)...)),
		"length 31":        EncodeBase64(append([]byte("\x12\x1f"), make([]byte, 32)...)),
		"padded":           good + "=",
		"line end":         good[:9] + "\n" + good[9:],
		"spare bits set":   good[:len(good)-1] + string(good[len(good)-1]+1),
		"standard base64":  strings.NewReplacer("-", "+", "_", "/").Replace(FormatDigest([32]byte{0xFB, 0xFF, 0xBF, 0xFB, 0xFF, 0xBF})),
		"something before": " " + good,
	} {
		if _, err := ParseDigest(s); reasonOf(err) != reasonEncoding {
			t.Errorf("%s (%q): %v", name, s, err)
		}
	}
}

func TestBase64(t *testing.T) {
	for text, want := range map[string][]byte{"u": {}, "uAA": {0}, "u_-8": {0xFF, 0xEF}, "uAAEC": {0, 1, 2}} {
		if got, err := DecodeBase64(text); err != nil || !bytes.Equal(got, want) || EncodeBase64(want) != text {
			t.Errorf("%s is %x (%v), want %x", text, got, err, want)
		}
	}
	for _, text := range []string{"", "AA", "mAA", "uA", "uAB", "uAA==", "uAA\n", "u\rAA", "u+/8", "uAA "} {
		if got, err := DecodeBase64(text); err == nil {
			t.Errorf("%q is %x", text, got)
		}
	}
}

func TestBase58(t *testing.T) {
	// Vectors of draft-msporny-base58-03 §5 and of the multibase specification.
	for text, want := range map[string]string{
		"z":                  "",
		"z1":                 "\x00",
		"z2NEpo7TZRRrLZSi2U": "Hello World!",
		"zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z": "The quick brown fox jumps over the lazy dog.",
		"z11233QC4":         "\x00\x00\x28\x7f\xb4\xcd",
		"z7paNL19xttacUY":   "yes mani !",
		"z17paNL19xttacUY":  "\x00yes mani !",
		"z117paNL19xttacUY": "\x00\x00yes mani !",
	} {
		got, err := DecodeBase58(text)
		if err != nil || string(got) != want {
			t.Errorf("%s is %q (%v), want %q", text, got, err, want)
		}
		if got := EncodeBase58([]byte(want)); got != text {
			t.Errorf("%q is written %s, want %s", want, got, text)
		}
	}
	for _, text := range []string{"", "2NEpo", "Z1", "z0", "zO", "zI", "zl", "z2N ", "z2N\n", "zé", "z" + strings.Repeat("2", MaxBase58)} {
		if got, err := DecodeBase58(text); reasonOf(err) != reasonEncoding {
			t.Errorf("%q is %x (%v)", text, got, err)
		}
	}
}

// TestBase58AgreesWithIntegers compares with the definition: a number written to
// the base 58 by math/big.
func TestBase58AgreesWithIntegers(t *testing.T) {
	const big58 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 127).Draw(t, "bytes")
		b = append(make([]byte, rapid.IntRange(0, 1).Draw(t, "zeros")), b...)
		want := "z"
		for i := 0; i < len(b) && b[i] == 0; i++ {
			want += "1"
		}
		if n := new(big.Int).SetBytes(b); n.Sign() > 0 {
			for _, c := range n.Text(58) {
				want += string(alphabet58[strings.IndexRune(big58, c)])
			}
		}
		if got := EncodeBase58(b); got != want {
			t.Fatalf("%x is written %s, want %s", b, got, want)
		}
		if got, err := DecodeBase58(want); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%s is %x (%v), want %x", want, got, err, b)
		}
	})
}
