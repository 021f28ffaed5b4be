package log

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"
)

// mldsaKey is a witness's ML-DSA-44 key: any bytes of the right length, since nothing here is checked with it.
func mldsaKey(name string) *Verifier {
	return newVerifier(name, typeMLDSA, make([]byte, mldsaPublicKeySize))
}

// mldsaLine is a cosignature line of that key (tlog-cosignature.md, "Format").
func mldsaLine(v *Verifier) string {
	raw := append(binary.BigEndian.AppendUint32(nil, v.id), make([]byte, 8+2420)...)
	return fmt.Sprintf("— %s %s\n", v.name, base64.StdEncoding.EncodeToString(raw))
}

// TestMLDSAIsReadAndIgnored: a witness with an ML-DSA-44 key may stand in a policy, and its lines in a checkpoint; it never counts.
func TestMLDSAIsReadAndIgnored(t *testing.T) {
	quantum := mldsaKey("witness.example/pq")
	base := fmt.Sprintf("log %s\nwitness pq %s\nwitness ed %s\n", testSigner(1, nil), quantum, witnessTest(t, 10).Verifier())
	signed := cosign(t, signTest(t, Checkpoint{testOrigin, 17, testRoot}), 10)
	signed = append(signed, mldsaLine(quantum)...)
	for quorum, reason := range map[string]string{
		"quorum ed":                   "",
		"group g any pq ed\nquorum g": "",
		"quorum none":                 "",
		"quorum pq":                   "checkpoint-quorum",
		"group g all pq ed\nquorum g": "checkpoint-quorum",
	} {
		text := base + quorum + "\n"
		p := parsePolicyTest(t, text)
		if again := parsePolicyTest(t, p.String()); again.String() != p.String() {
			t.Errorf("%s and then %s", p, again)
		}
		if _, err := p.Verify(signed, testOrigin); reason == "" && err != nil {
			t.Errorf("%s: %v", quorum, err)
		} else if reason != "" {
			wantReason(t, err, reason)
		}
	}
	_, err := ParseVerifier(quantum.String())
	wantReason(t, err, "key-syntax")
	_, err = ParsePolicy([]byte("log " + mldsaKey(testOrigin).String() + "\nquorum none\n"))
	wantReason(t, err, "policy-syntax")
	short := newVerifier("witness.example/pq", typeMLDSA, make([]byte, mldsaPublicKeySize-1))
	_, err = ParsePolicy([]byte("witness pq " + short.String() + "\nquorum pq\n"))
	wantReason(t, err, "key-syntax")
}
