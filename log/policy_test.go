package log

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
)

// witnessTest returns a witness made by other people's code.
func witnessTest(t testing.TB, seed byte) *torchwood.CosignatureSigner {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	w, err := torchwood.NewCosignatureSigner(fmt.Sprintf("witness.example/%d", seed), key)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// policyText is the example of tlog-policy.md with keys, comments and blanks.
func policyText(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# who is trusted\n\n  log\t%s https://ledger.example/\n", testSigner(1, nil))
	for i, name := range []string{"X1", "X2", "X3", "Y1", "Y2", "Y3"} {
		fmt.Fprintf(&b, "witness %s %s \n", name, witnessTest(t, byte(10+i)).Verifier())
	}
	b.WriteString("group X-witnesses 2 X1 X2 X3\n\t# any of these\ngroup Y-witnesses any Y1 Y2 Y3\n")
	b.WriteString("group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n")
	return b.String()
}

func parsePolicyTest(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cosign(t testing.TB, signed []byte, witnesses ...byte) []byte {
	t.Helper()
	n, err := note.Open(signed, note.VerifierList(&testSigner(1, nil).Verifier))
	if err != nil {
		t.Fatal(err)
	}
	var signers []note.Signer
	for _, w := range witnesses {
		signers = append(signers, witnessTest(t, w))
	}
	signed, err = note.Sign(n, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestPolicyNormalForm(t *testing.T) {
	p := parsePolicyTest(t, policyText(t))
	again := parsePolicyTest(t, p.String())
	if p.String() != again.String() || !p.Witnessed() || len(p.Logs()) != 1 || p.Logs()[0].Name() != testOrigin {
		t.Errorf("%s and then %s", p, again)
	}
	if !strings.Contains(p.String(), "https://ledger.example/\n") || !strings.Contains(p.String(), "group X-and-Y 2 X-witnesses Y-witnesses\n") {
		t.Error(p)
	}
	if _, err := torchwood.ParsePolicy([]byte(p.String())); err != nil {
		t.Errorf("elsewhere the policy is refused: %v", err)
	}
	if again := parsePolicyTest(t, testPolicy().String()); again.String() != testPolicy().String() || again.Witnessed() {
		t.Error(again)
	}
}

func TestQuorumLikeOthers(t *testing.T) {
	text := policyText(t)
	ours := parsePolicyTest(t, text)
	theirs, err := torchwood.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	signed := signTest(t, Checkpoint{testOrigin, 17, testRoot})
	for set := range 1 << 6 {
		var by []byte
		for i := range 6 {
			if set>>i&1 == 1 {
				by = append(by, byte(10+i))
			}
		}
		cosigned := cosign(t, signed, by...)
		c, err := ours.Verify(cosigned, testOrigin)
		_, _, foreign := torchwood.VerifyCheckpoint(cosigned, theirs)
		if (err == nil) != (foreign == nil) {
			t.Errorf("witnesses %v: %v here, %v elsewhere", by, err, foreign)
		}
		if err == nil && c.Size != 17 {
			t.Errorf("%v", c)
		}
		if err != nil {
			wantReason(t, err, "checkpoint-quorum")
		}
	}
}

func TestPolicyVerifyRefuses(t *testing.T) {
	p := parsePolicyTest(t, policyText(t))
	good := cosign(t, signTest(t, Checkpoint{testOrigin, 17, testRoot}), 10, 11, 13)
	if _, err := p.Verify(good, testOrigin); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(good), "\n")
	withoutLog := strings.Replace(string(good), lines[4], "", 1)
	stale := strings.Replace(string(good), lines[5], lineOf(t, cosign(t, signTest(t, Checkpoint{testOrigin, 16, testRoot}), 10)), 1)
	foreign, err := Checkpoint{"another", 17, testRoot}.Sign(testSigner(1, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ reason, signed, origin string }{
		{"checkpoint-origin", string(good), "another"},
		{"checkpoint-signature", withoutLog, testOrigin},
		{"checkpoint-signature", stale, testOrigin},
		{"checkpoint-signature", strings.Replace(string(good), "\n17\n", "\n18\n", 1), testOrigin},
		{"checkpoint-origin", string(foreign), testOrigin},
	} {
		_, err := p.Verify([]byte(c.signed), c.origin)
		wantReason(t, err, c.reason)
	}
}

// lineOf returns the first cosignature line.
func lineOf(t testing.TB, signed []byte) string {
	t.Helper()
	return strings.SplitAfter(string(signed), "\n")[5]
}

func TestCosignatureKey(t *testing.T) {
	w := witnessTest(t, 10)
	v, err := ParseVerifier(w.Verifier().String())
	if err != nil || v.KeyHash() != w.KeyHash() {
		t.Fatalf("%v, %v", v, err)
	}
	text := []byte(Checkpoint{testOrigin, 17, testRoot}.Text())
	sig, err := w.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Verify(text, sig) {
		t.Error("a witness's signature does not verify")
	}
	for _, bad := range [][]byte{nil, sig[8:], append(sig[:len(sig):len(sig)], 0), append([]byte{0x80}, sig[1:]...), append([]byte{sig[0] ^ 1}, sig[1:]...)} {
		if v.Verify(text, bad) {
			t.Errorf("%x verifies", bad)
		}
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	log, w1, w2 := testSigner(1, nil).String(), witnessTest(t, 10).Verifier().String(), witnessTest(t, 11).Verifier().String()
	renamed := newVerifier("renamed", typeEd25519, testSigner(1, nil).Public()).String()
	head := "witness A " + w1 + "\nwitness B " + w2 + "\n"
	for _, text := range []string{
		"", "\n", "log " + log + "\n", "quorum none", "quorum none\r\n", "quorum none\x00\n", "quorum none\x7f\n", "quorum\n", "quorum none x\n",
		"quorum none\nquorum none\n", "Quorum none\n", "quorum A\n" + head, "quorum C\n", "log\nquorum none\n", "log x y z\nquorum none\n",
		"log " + w1 + "\nquorum none\n", "witness A " + log + "\nquorum A\n", "log " + log + "\nlog " + log + "\nquorum none\n",
		"log " + log + "\nlog " + renamed + "\nquorum none\n", head + "witness C " + w1 + "\nquorum none\n", "witness A " + w1 + "\nwitness A " + w2 + "\nquorum none\n",
		"witness none " + w1 + "\nquorum none\n", "witness A\nquorum none\n", head + "group G 0 A B\nquorum G\n", head + "group G 3 A B\nquorum G\n",
		head + "group G 01 A B\nquorum G\n", head + "group G -1 A B\nquorum G\n", head + "group G some A B\nquorum G\n", head + "group G any\nquorum G\n",
		head + "group G any A A\nquorum G\n", head + "group G any A C\nquorum G\n", head + "group G any A none\nquorum G\n", head + "group G any G\nquorum G\n",
		head + "group A any A B\nquorum A\n", head + "group G any A\ngroup H any A\nquorum G\n", head + "group none any A\nquorum none\n",
		"#" + strings.Repeat("x", maxPolicySize) + "\nquorum none\n", "unknown line\nquorum none\n",
	} {
		if p, err := ParsePolicy([]byte(text)); err == nil {
			t.Errorf("%q is accepted: %s", text, p)
		} else {
			wantReason(t, err, "policy-syntax")
		}
	}
	_, err := ParsePolicy([]byte("log x\nquorum none\n"))
	wantReason(t, err, "key-syntax")
	parsePolicyTest(t, "# \xff\xc3 octets\nquorum none\n")
	parsePolicyTest(t, head+"group G\xff 1 A B\nquorum G\xff\n")
}

func TestManyLogs(t *testing.T) {
	second := testSigner(2, nil)
	p := parsePolicyTest(t, "log "+testSigner(1, nil).String()+"\nlog "+second.String()+"\nquorum none\n")
	for _, signed := range [][]byte{signTest(t, Checkpoint{testOrigin, 17, testRoot}), signOther(t)} {
		if _, err := p.Verify(signed, testOrigin); err != nil {
			t.Error(err)
		}
	}
	_, err := parsePolicyTest(t, "quorum none\n").Verify(signOther(t), testOrigin)
	wantReason(t, err, "checkpoint-signature")
}
