package status

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/vc"
	"pgregory.net/rapid"
)

var from = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

const listID = "https://writ.acme.example/status/1"

// reasonOf returns the reason code and pointer of an error of this package.
func reasonOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(e.Reason + " " + e.Pointer)
}

func newList(t testing.TB, set ...int) List {
	t.Helper()
	l := List{
		ID: listID, Issuer: "did:web:writ.acme.example", Purpose: "revocation",
		ValidFrom: from, ValidUntil: from.Add(time.Hour), TTL: 5 * time.Minute, Bits: NewBits(MinEntries),
	}
	for _, index := range set {
		if err := l.Bits.Set(index, true); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func parse(t testing.TB, text string) vc.Value {
	t.Helper()
	v, err := vc.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSpecificationList reads the encodedList of Bitstring Status List 1.0 §2.2, which is all zero.
func TestSpecificationList(t *testing.T) {
	const encoded = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
	bits, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if bits.Len() != MinEntries || !bytes.Equal(bits.bytes, make([]byte, MinEntries/8)) {
		t.Errorf("%d entries, not all unset", bits.Len())
	}
}

// TestBitOrder pins §3.3: entry 0 is the left-most bit.
func TestBitOrder(t *testing.T) {
	bits := NewBits(MinEntries)
	for _, index := range []int{0, 9, MinEntries - 1} {
		if err := bits.Set(index, true); err != nil {
			t.Fatal(err)
		}
	}
	last := len(bits.bytes) - 1
	if bits.bytes[0] != 0x80 || bits.bytes[1] != 0x40 || bits.bytes[last] != 0x01 {
		t.Errorf("%x %x … %x", bits.bytes[0], bits.bytes[1], bits.bytes[last])
	}
	if err := bits.Set(0, false); err != nil || bits.bytes[0] != 0 {
		t.Errorf("unset: %x, %v", bits.bytes[0], err)
	}
}

func TestIndexRange(t *testing.T) {
	bits := NewBits(MinEntries)
	for _, index := range []int{-1, MinEntries, MaxEntries} {
		if _, err := bits.Get(index); reasonOf(err) != "status-index" {
			t.Errorf("get %d: %v", index, err)
		}
		if err := bits.Set(index, true); reasonOf(err) != "status-index" {
			t.Errorf("set %d: %v", index, err)
		}
	}
	if _, err := (Bits{}).Get(0); reasonOf(err) != "status-index" {
		t.Errorf("no bits: %v", err)
	}
}

func TestNewBits(t *testing.T) {
	for entries, want := range map[int]int{
		0: MinEntries, MinEntries + 1: MinEntries + 8, MaxEntries: MaxEntries, MaxEntries + 1: MaxEntries,
	} {
		if got := NewBits(entries).Len(); got != want {
			t.Errorf("%d entries became %d, want %d", entries, got, want)
		}
	}
}

// TestBitsProperty sets random entries and reads them, and no other, from the encoded list.
func TestBitsProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bits := NewBits(rapid.IntRange(0, 2*MinEntries).Draw(rt, "entries"))
		set := rapid.SliceOfDistinct(rapid.IntRange(0, bits.Len()-1), rapid.ID[int]).Draw(rt, "set")
		for _, index := range set {
			if err := bits.Set(index, true); err != nil {
				rt.Fatal(err)
			}
		}
		encoded := bits.Encode()
		if again := bits.Encode(); again != encoded {
			rt.Error("encoded twice, two results")
		}
		read, err := Decode(encoded)
		if err != nil || !bytes.Equal(read.bytes, bits.bytes) {
			rt.Fatalf("came back different: %v", err)
		}
		count := 0
		for index := range read.Len() {
			if is, err := read.Get(index); err != nil {
				rt.Fatal(err)
			} else if is {
				count++
			}
		}
		for _, index := range set {
			if is, err := read.Get(index); err != nil || !is {
				rt.Errorf("entry %d: %v, %v", index, is, err)
			}
		}
		if count != len(set) {
			rt.Errorf("%d entries set, want %d", count, len(set))
		}
	})
}

func compress(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDecodeRefusals(t *testing.T) {
	good := compress(t, make([]byte, MinEntries/8))
	broken := bytes.Clone(good)
	broken[len(broken)-8] ^= 1 // CRC
	text := encodeBase64(good)
	rows := []struct{ name, encoded, want string }{
		{"empty", "", "status-encoding"},
		{"no multibase letter", text[1:], "status-encoding"},
		{"base58", "z" + text[1:], "status-encoding"},
		{"padded", text + "=", "status-encoding"},
		{"line end behind", text + "\n", "status-encoding"},
		{"not gzip", encodeBase64(make([]byte, 100)), "status-encoding"},
		{"gzip cut", encodeBase64(good[:len(good)-9]), "status-encoding"},
		{"checksum", encodeBase64(broken), "status-encoding"},
		{"bytes behind", encodeBase64(append(bytes.Clone(good), 0)), "status-encoding"},
		{"second member", encodeBase64(append(bytes.Clone(good), good...)), "status-encoding"},
		{"too few", encodeBase64(compress(t, make([]byte, MinEntries/8-1))), "status-size"},
		{"nothing", encodeBase64(compress(t, nil)), "status-size"},
		{"one byte too many", encodeBase64(compress(t, make([]byte, MaxEntries/8+1))), "status-size"},
		{"bomb", encodeBase64(compress(t, make([]byte, 128*MaxEntries/8))), "status-size"},
	}
	for _, row := range rows {
		if bits, err := Decode(row.encoded); reasonOf(err) != row.want+" /credentialSubject/encodedList" || bits.Len() != 0 {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// TestBombMemory bounds what a bomb of 128 MiB costs: the cap, its doubling while read, no more.
func TestBombMemory(t *testing.T) {
	bomb := encodeBase64(compress(t, make([]byte, 128<<20)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(bomb); reasonOf(err) != "status-size /credentialSubject/encodedList" {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("a bomb takes %d bytes", got)
	}
}

func TestList(t *testing.T) {
	for _, test := range []bool{false, true} {
		want := newList(t, 42)
		want.Test = test
		doc, err := want.Value()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(doc)
		if err != nil || !bytes.Equal(got.Bits.bytes, want.Bits.bytes) {
			t.Fatalf("came back different: %v", err)
		}
		got.Bits, want.Bits = Bits{}, Bits{}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v came back as %+v", want, got)
		}
	}
}

// TestSigned carries a list through a proof: one bit more, and it verifies no longer.
func TestSigned(t *testing.T) {
	signer := vc.NewEd25519Signer(ed25519.NewKeyFromSeed(make([]byte, 32)))
	doc, err := newList(t, 1).Value()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := vc.Sign(doc, vc.ProofOptions{
		VerificationMethod: "did:web:writ.acme.example#key", Purpose: "assertionMethod", Created: from,
	}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vc.Verify(signed, signer.Public()); err != nil {
		t.Fatal(err)
	}
	if l, err := Read(signed); err != nil || l.ID != listID {
		t.Errorf("signed list: %v", err)
	}
	other, err := newList(t, 1, 2).Value()
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := signed.Member("proof")
	if _, err := vc.Verify(other.With("proof", proof), signer.Public()); reasonOf(err) != "proof-signature /proof/proofValue" {
		t.Errorf("one bit more: %v", err)
	}
}

func TestReadRefusals(t *testing.T) {
	doc, err := newList(t).Value()
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.Canonical())
	rows := []struct{ name, old, new, want string }{
		{"no id", `"id":"` + listID + `",`, ``, "status-list"},
		{"no validUntil", `,"validUntil":"2026-12-01T10:00:00Z"`, ``, "status-list"},
		{"no validFrom", `,"validFrom":"2026-12-01T09:00:00Z"`, ``, "status-list"},
		{"other credential type", TypeCredential, "MandateCredential", "status-list /type"},
		{"other subject type", `"` + TypeList + `"`, `"StatusList2021"`, "status-list /credentialSubject/type"},
		{"no purpose", `"statusPurpose":"revocation",`, ``, "member-missing /credentialSubject/statusPurpose"},
		{"unknown purpose", `"revocation"`, `"refresh"`, "status-list /credentialSubject/statusPurpose"},
		{"two purposes", `"revocation"`, `["revocation","suspension"]`, "member-type /credentialSubject/statusPurpose"},
		{"unknown member", `"ttl":300000`, `"statusSize":2`, "member-unknown /credentialSubject/statusSize"},
		{"ttl zero", `"ttl":300000`, `"ttl":0`, "status-list /credentialSubject/ttl"},
		{"ttl negative", `"ttl":300000`, `"ttl":-1`, "status-list /credentialSubject/ttl"},
		{"ttl of ages", `"ttl":300000`, `"ttl":9007199254740991`, "status-list /credentialSubject/ttl"},
		{"ttl a string", `"ttl":300000`, `"ttl":"300000"`, "member-type /credentialSubject/ttl"},
		{"other mode", `"ttl":300000`, `"mode":"live"`, "status-list /credentialSubject/mode"},
		{"broken list", `"encodedList":"u`, `"encodedList":"z`, "status-encoding /credentialSubject/encodedList"},
		{"no issuer", `"issuer":"did:web:writ.acme.example",`, ``, "vc-issuer /issuer"},
	}
	for _, row := range rows {
		if !strings.Contains(text, row.old) {
			t.Fatalf("%s: nothing to replace", row.name)
		}
		if l, err := Read(parse(t, strings.Replace(text, row.old, row.new, 1))); reasonOf(err) != row.want || l.ID != "" {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
	empty := newList(t)
	empty.Bits = Bits{}
	if v, err := empty.Value(); reasonOf(err) != "status-size /credentialSubject/encodedList" || !v.IsZero() {
		t.Errorf("a list without bits: %v", err)
	}
}

func TestCheck(t *testing.T) {
	good := Entry{Purpose: "revocation", List: listID, Index: 42}
	rows := []struct {
		name   string
		entry  Entry
		at     time.Duration // after validFrom
		maxAge time.Duration
		ttl    time.Duration
		set    bool
		want   string
	}{
		{"set", good, 0, time.Minute, 0, true, "<nil>"},
		{"not set", Entry{"revocation", listID, 43}, 0, time.Minute, 0, false, "<nil>"},
		{"other list", Entry{"revocation", listID + "0", 42}, 0, time.Minute, 0, false, "status-other-list"},
		{"other purpose", Entry{"suspension", listID, 42}, 0, time.Minute, 0, false, "status-purpose /credentialSubject/statusPurpose"},
		{"index out of range", Entry{"revocation", listID, MinEntries}, 0, time.Minute, 0, false, "status-index"},
		{"as old as allowed", good, time.Minute, time.Minute, 0, true, "<nil>"},
		{"older than the reader allows", good, time.Minute + 1, time.Minute, 0, false, "status-stale /validFrom"},
		{"older than its ttl", good, time.Minute + 1, time.Hour, time.Minute, false, "status-stale /validFrom"},
		{"older than the reader allows, within ttl", good, 2 * time.Minute, time.Minute, time.Hour, false, "status-stale /validFrom"},
		{"older than its ttl, no age asked", good, time.Minute + 1, 0, time.Minute, false, "status-stale /validFrom"},
		{"no limits but its own", good, time.Hour - 1, 0, 0, true, "<nil>"},
		{"at its end", good, time.Hour, 0, 0, false, "status-stale /validUntil"},
		{"before its time", good, -1, time.Minute, 0, false, "status-early /validFrom"},
	}
	for _, row := range rows {
		l := newList(t, 42)
		l.TTL = row.ttl
		set, err := l.Check(row.entry, from.Add(row.at), row.maxAge)
		if set != row.set || reasonOf(err) != row.want {
			t.Errorf("%s: got %v, %v, want %v, %s", row.name, set, err, row.set, row.want)
		}
	}
}

func TestEntry(t *testing.T) {
	want := Entry{Purpose: "suspension", List: listID, Index: 94567}
	v, err := want.Value()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadEntry(v); err != nil || got != want {
		t.Errorf("%+v came back as %+v, %v", want, got, err)
	}
	// The example of Bitstring Status List 1.0 §2.1 has an id too.
	example := parse(t, `{"id":"https://example.com/credentials/status/3#94567","type":"BitstringStatusListEntry",
		"statusPurpose":"revocation","statusListIndex":"94567","statusListCredential":"https://example.com/credentials/status/3"}`)
	if got, err := ReadEntry(example); err != nil || got != (Entry{"revocation", "https://example.com/credentials/status/3", 94567}) {
		t.Errorf("example: %+v, %v", got, err)
	}
}

func TestReadEntryRefusals(t *testing.T) {
	v, err := Entry{Purpose: "revocation", List: listID, Index: 42}.Value()
	if err != nil {
		t.Fatal(err)
	}
	text := string(v.Canonical())
	rows := []struct{ name, old, new, want string }{
		{"other type", TypeEntry, "StatusList2021Entry", "status-entry /type"},
		{"other purpose", `"revocation"`, `"message"`, "status-entry /statusPurpose"},
		{"no purpose", `"statusPurpose":"revocation",`, ``, "member-missing /statusPurpose"},
		{"index a number", `"42"`, `42`, "member-type /statusListIndex"},
		{"index negative", `"42"`, `"-1"`, "status-entry /statusListIndex"},
		{"index with a zero before", `"42"`, `"042"`, "status-entry /statusListIndex"},
		{"index with a sign", `"42"`, `"+42"`, "status-entry /statusListIndex"},
		{"index hexadecimal", `"42"`, `"0x2a"`, "status-entry /statusListIndex"},
		{"index empty", `"42"`, `""`, "status-entry /statusListIndex"},
		{"index too large", `"42"`, `"` + strconv.Itoa(MaxEntries) + `"`, "status-entry /statusListIndex"},
		{"index beyond int", `"42"`, `"99999999999999999999"`, "status-entry /statusListIndex"},
		{"no list", `"` + listID + `"`, `""`, "status-entry /statusListCredential"},
		{"several bits", `"42"`, `"42","statusSize":2`, "member-unknown /statusSize"},
	}
	for _, row := range rows {
		if !strings.Contains(text, row.old) {
			t.Fatalf("%s: nothing to replace", row.name)
		}
		if _, err := ReadEntry(parse(t, strings.Replace(text, row.old, row.new, 1))); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// FuzzDecode: what is read is within the limits and comes back from its own encoding.
func FuzzDecode(f *testing.F) {
	f.Add(NewBits(MinEntries).Encode())
	f.Add(encodeBase64(compress(f, make([]byte, MinEntries/8-1))))
	f.Add("u")
	f.Fuzz(func(t *testing.T, encoded string) {
		bits, err := Decode(encoded)
		if err != nil {
			return
		}
		if bits.Len() < MinEntries || bits.Len() > MaxEntries {
			t.Errorf("%d entries", bits.Len())
		}
		if again, err := Decode(bits.Encode()); err != nil || !bytes.Equal(again.bytes, bits.bytes) {
			t.Errorf("came back different: %v", err)
		}
	})
}

// FuzzRead: an entry or a list that is read is written and read again the same.
func FuzzRead(f *testing.F) {
	doc, err := newList(f, 7).Value()
	if err != nil {
		f.Fatal(err)
	}
	entry, err := Entry{Purpose: "revocation", List: listID, Index: 7}.Value()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc.Canonical())
	f.Add(entry.Canonical())
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := vc.Parse(data)
		if err != nil {
			return
		}
		if e, err := ReadEntry(v); err == nil {
			written, err := e.Value()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ReadEntry(written); err != nil || again != e {
				t.Errorf("%+v came back as %+v, %v", e, again, err)
			}
		}
		if l, err := Read(v); err == nil && (l.ID == "" || l.ValidUntil.Before(l.ValidFrom) || l.Bits.Len() < MinEntries) {
			t.Errorf("read %+v", l)
		}
	})
}
