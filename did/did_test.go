package did

import (
	"context"
	"strings"
	"testing"
	"time"
)

const now = 1764580000 // an instant; keys of did:key have no end

func TestKeyOf(t *testing.T) {
	jwkKey, err := ParseJWK([]byte(p256JWK))
	if err != nil {
		t.Fatal(err)
	}
	for did, want := range map[string]PublicKey{
		"did:key:" + edMultikey:   mustParse(t, edMultikey),
		"did:key:" + p256Multikey: mustParse(t, p256Multikey),
		p256JWKDID:                jwkKey,
	} {
		if got, err := KeyOf(did); err != nil || got != want {
			t.Errorf("%s: %v, %v", did, got, err)
		}
	}
}

func TestMethodID(t *testing.T) {
	for did, want := range map[string]string{
		"did:key:" + edMultikey: "did:key:" + edMultikey + "#" + edMultikey,
		p256JWKDID:              p256JWKDID + "#0",
		"did:web:acme.example":  "",
	} {
		if got := MethodID(did); got != want {
			t.Errorf("%s: %s", did, got)
		}
	}
}

func TestCheck(t *testing.T) {
	rows := []struct{ did, want string }{
		{"did:key:" + edMultikey, "<nil>"},
		{p256JWKDID, "<nil>"},
		{"did:web:acme.example", "<nil>"},
		{"did:web:writ.acme.example:ledgers:main", "<nil>"},
		{"did:web:localhost%3A8080:bank", "<nil>"},
		{"did:web:xn--nxasmq6b.example", "<nil>"},
		{"", "did-method"},
		{"acme.example", "did-method"},
		{"did:ion:abc", "did-method"},
		{"DID:web:acme.example", "did-method"},
		{"did:key:" + edMultikey + "#" + edMultikey, "did-key-type"},
		{"did:key:" + edMultikey[:47] + "#", "did-multikey"},
		{"did:jwk:" + strings.TrimPrefix(p256JWKDID, "did:jwk:") + "=", "did-jwk"},
		{"did:jwk:", "did-jwk"},
		{"did:web:", "did-syntax"},
		{"did:web:Acme.example", "did-syntax"},
		{"did:web:acme.example.", "did-syntax"},
		{"did:web:acme..example", "did-syntax"},
		{"did:web:-acme.example", "did-syntax"},
		{"did:web:acme_.example", "did-syntax"},
		{"did:web:127.0.0.1", "did-syntax"},
		{"did:web:[::1]", "did-syntax"},
		{"did:web:2130706433", "did-syntax"},
		{"did:web:acme.example:8080x/", "did-syntax"},
		{"did:web:acme.example%3a8080", "did-syntax"},
		{"did:web:acme.example%3A0", "did-syntax"},
		{"did:web:acme.example/path", "did-syntax"},
		{"did:web:acme.example:..:x", "did-syntax"},
		{"did:web:acme.example:%2e%2e", "did-syntax"},
		{"did:web:acme.example:", "did-syntax"},
		{"did:web:acme.example#key", "did-syntax"},
		{"did:web:user@acme.example", "did-syntax"},
		{"did:web:аcme.example", "did-syntax"},
		{"did:web:acme.example\n", "did-syntax"},
		{"did:web:acme.example:" + strings.Repeat("a", MaxSize), "did-syntax"},
		{"did:key:" + strings.Repeat("z", MaxSize), "did-syntax"},
	}
	for _, row := range rows {
		if err := Check(row.did); reasonOf(err) != row.want {
			t.Errorf("%q: got %v, want %s", row.did, err, row.want)
		}
	}
}

func TestPure(t *testing.T) {
	for _, did := range []string{"did:key:" + edMultikey, p256JWKDID} {
		doc, err := Pure{}.Resolve(context.Background(), did)
		if err != nil {
			t.Fatal(err)
		}
		want, err := KeyOf(did)
		if err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []string{AssertionMethod, Authentication, CapabilityDelegation} {
			if key, err := doc.Key(MethodID(did), purpose, time.Unix(now, 0)); err != nil || key != want {
				t.Errorf("%s for %s: %v, %v", did, purpose, key, err)
			}
		}
	}
	if _, err := (Pure{}).Resolve(context.Background(), "did:web:acme.example"); reasonOf(err) != "did-method" {
		t.Errorf("did:web: %v", err)
	}
}

// FuzzKeyOf: a DID that has a key is well formed, and the key's own DID has the same key.
func FuzzKeyOf(f *testing.F) {
	f.Add("did:key:" + edMultikey)
	f.Add("did:key:" + p256Multikey)
	f.Add(p256JWKDID)
	f.Fuzz(func(t *testing.T, did string) {
		key, err := KeyOf(did)
		if err != nil {
			return
		}
		if err := Check(did); err != nil {
			t.Errorf("%q: %v", did, err)
		}
		if again, err := KeyOf(key.DID()); err != nil || again != key {
			t.Errorf("%q came back as %q, %v", did, key.DID(), err)
		}
		if strings.HasPrefix(did, "did:key:") && key.DID() != did {
			t.Errorf("%q and %q are one key", did, key.DID())
		}
	})
}
