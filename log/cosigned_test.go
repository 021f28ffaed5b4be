package log

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"
)

// TestCosignedAt: a quorum's time is that of the cosignature with which it was met by the latest ones.
func TestCosignedAt(t *testing.T) {
	logSigner := testSigner(1, nil)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	policy := fmt.Sprintf("log %s\n", &logSigner.Verifier)
	signed, err := Checkpoint{logSigner.name, 0, emptyRoot}.Sign(logSigner)
	if err != nil {
		t.Fatal(err)
	}
	none := bytes.Clone(signed)
	for i := range 3 { // b has cosigned a minute after a, c a minute after b
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(20 + i)}, ed25519.SeedSize))
		name := string(rune('a' + i))
		w, err := NewCosigner(name+".example", key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
		if err != nil {
			t.Fatal(err)
		}
		line, err := w.Cosign(Checkpoint{logSigner.name, 0, emptyRoot}.Text(), at.Add(time.Duration(i)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		policy += fmt.Sprintf("witness %s %s\n", name, &w.Verifier)
		signed = append(signed, line...)
	}
	for _, row := range []struct {
		quorum string
		signed []byte
		want   time.Time
		ok     bool
	}{
		{"quorum a\n", signed, at, true},
		{"group g 2 a b c\nquorum g\n", signed, at.Add(time.Minute), true},
		{"group g all a b\nquorum g\n", signed, at, true},
		{"group g any a b c\nquorum g\n", signed, at.Add(2 * time.Minute), true},
		{"quorum none\n", signed, time.Time{}, false},
		{"quorum none\n", none, time.Time{}, false},
	} {
		p, err := ParsePolicy([]byte(policy + row.quorum))
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := p.CosignedAt(row.signed, logSigner.name)
		if err != nil || ok != row.ok || !got.Equal(row.want) {
			t.Errorf("%q: %v, %v, %v, want %v", row.quorum, got, ok, err, row.want)
		}
	}
	p, err := ParsePolicy([]byte(policy + "quorum a\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.CosignedAt(none, logSigner.name); err == nil {
		t.Error("a checkpoint without its quorum has a time")
	}
}
