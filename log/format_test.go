package log

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The examples of signed-note.md and tlog-checkpoint.md.
const (
	exampleKey  = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
	exampleNote = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

	exampleCheckpoint = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
		"— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

var testRoot = RecordHash([]byte("entry"))

func signTest(t testing.TB, c Checkpoint) []byte {
	t.Helper()
	signed, err := c.Sign(testSigner(1, nil))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestVerifierKeyExample(t *testing.T) {
	v, err := ParseVerifier(exampleKey)
	if err != nil || v.Name() != "example.com/foo" || v.KeyHash() != 0x530d903a || v.String() != exampleKey {
		t.Fatalf("%v, %v", v, err)
	}
	if _, err := note.Open([]byte(exampleNote), note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	_, err = OpenCheckpoint([]byte(exampleNote), v)
	wantReason(t, err, "checkpoint-syntax")
}

func TestVerifierKeyRefuses(t *testing.T) {
	for _, vkey := range []string{
		"", "+", "++", "example.com/foo", "example.com/foo+530d903a", exampleKey + "+", exampleKey + "\n", " " + exampleKey,
		"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l", // tail bits
		"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", // type 2
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", // short
	} {
		_, err := ParseVerifier(vkey)
		wantReason(t, err, "key-syntax")
	}
	_, err := NewSigner("with space", make([]byte, ed25519.PublicKeySize), func([]byte) ([]byte, error) { return nil, nil })
	wantReason(t, err, "key-syntax")
	_, err = NewSigner("short", make([]byte, 31), func([]byte) ([]byte, error) { return nil, nil })
	wantReason(t, err, "key-syntax")
}

func TestCheckpointIsReadByOthers(t *testing.T) {
	c := Checkpoint{testOrigin, 17, testRoot}
	signed, signer := signTest(t, c), testSigner(1, nil)
	foreign, err := note.NewVerifier(signer.String())
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := torchwood.VerifyCheckpoint(signed, torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(testOrigin), torchwood.SingleVerifierPolicy(foreign)))
	if err != nil || got.N != c.Size || Hash(got.Hash) != c.Root || got.Origin != c.Origin {
		t.Errorf("%v, %v", got, err)
	}
	if again := signTest(t, c); !bytes.Equal(signed, again) {
		t.Error("signed twice, different bytes")
	}
	if got, err := OpenCheckpoint(signed, &signer.Verifier); err != nil || got != c {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCheckpointExample(t *testing.T) {
	c, err := ReadCheckpoint([]byte(exampleCheckpoint))
	if err != nil || c.Origin != "example.com/behind-the-sofa" || c.Size != 20852163 || c.Root.String() != "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" {
		t.Errorf("%v, %v", c, err)
	}
	_, err = OpenCheckpoint([]byte(exampleCheckpoint), &testSigner(1, nil).Verifier)
	wantReason(t, err, "checkpoint-signature")
}

func TestParseCheckpointRefuses(t *testing.T) {
	good := Checkpoint{testOrigin, 17, testRoot}.Text()
	if c, err := ParseCheckpoint(good); err != nil || c.Text() != good {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "\n", "\n\n\n", good[:len(good)-1], good + "\n", good + "extension\n", "\n" + good,
		strings.Replace(good, "17", "017", 1), strings.Replace(good, "17", "+17", 1), strings.Replace(good, "17", "-17", 1),
		strings.Replace(good, "17", "", 1), strings.Replace(good, "17", "9223372036854775808", 1), strings.Replace(good, "17", "1_7", 1),
		strings.Replace(good, testOrigin, "", 1), strings.Replace(good, testOrigin, "a b", 1), strings.Replace(good, testOrigin, "a+b", 1),
		strings.Replace(good, testOrigin, "a\u00a0b", 1), strings.Replace(good, testOrigin, "a\xffb", 1),
		strings.Replace(good, testRoot.String(), "", 1), strings.Replace(good, testRoot.String(), testRoot.String()[4:], 1),
		strings.Replace(good, "=", "", 1), strings.Replace(good, "=\n", "=\r\n", 1), strings.Replace(good, "\n", "\r\n", 1),
	} {
		_, err := ParseCheckpoint(text)
		wantReason(t, err, "checkpoint-syntax")
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	good, key := string(signTest(t, Checkpoint{testOrigin, 17, testRoot})), &testSigner(1, nil).Verifier
	signature := good[strings.Index(good, "—"):]
	raw := strings.TrimSuffix(strings.Fields(signature)[2], "=")
	for _, c := range []struct{ reason, note string }{
		{"note-syntax", ""},
		{"note-syntax", strings.TrimSuffix(good, "\n")},
		{"note-syntax", good + "x"},
		{"note-syntax", good + signature},
		{"note-syntax", strings.Replace(good, "— ", "- ", 1)},
		{"note-syntax", strings.Replace(good, raw, tailBits(raw), 1)},
		{"note-syntax", good + strings.Repeat("— x AAAAAAA=\n", MaxCheckpointSize/10)},
		{"checkpoint-signature", strings.Replace(good, "\n17\n", "\n18\n", 1)},
		{"checkpoint-signature", string(signOther(t))},
		{"checkpoint-signature", strings.Replace(good, "— "+testOrigin, "— another", 1)},
	} {
		_, err := OpenCheckpoint([]byte(c.note), key)
		wantReason(t, err, c.reason)
	}
	_, err := OpenCheckpoint([]byte(good))
	wantReason(t, err, "checkpoint-signature")
	many := good
	for i := range 20 {
		many += "— other" + string(rune('a'+i)) + " " + base64.StdEncoding.EncodeToString(make([]byte, 2428)) + "\n"
	}
	if _, err := OpenCheckpoint([]byte(many), key); err != nil {
		t.Errorf("20 long signatures of unknown keys: %v", err)
	}
}

// tailBits changes bits of base64 that decode to nothing.
func tailBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + alphabet[last^1:last^1+1]
}

func signOther(t testing.TB) []byte {
	t.Helper()
	signed, err := Checkpoint{testOrigin, 17, testRoot}.Sign(testSigner(2, nil))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		tile Tile
		path string
	}{
		{Tile{0, 1234067, 256}, "tile/0/x001/x234/067"}, // the example of tlog-tiles.md
		{Tile{0, 0, 256}, "tile/0/000"},
		{Tile{1, 999, 1}, "tile/1/999.p/1"},
		{Tile{63, 1000, 255}, "tile/63/x001/000.p/255"},
		{Tile{Entries, 273, 112}, "tile/entries/273.p/112"},
		{Tile{0, 999_999_999_999_999_999, 256}, "tile/0/x999/x999/x999/x999/x999/999"},
	} {
		if got := c.tile.Path(); got != c.path {
			t.Errorf("%v has path %s, want %s", c.tile, got, c.path)
		}
		if got, err := ParseTile(c.path); err != nil || got != c.tile {
			t.Errorf("%s is %v, %v", c.path, got, err)
		}
		foreign := tlog.Tile{H: tileHeight, L: c.tile.Level, N: c.tile.Index, W: c.tile.Width}
		if got := torchwood.TilePath(foreign); got != c.path {
			t.Errorf("elsewhere the path is %s, here %s", got, c.path)
		}
	}
}

func TestParseTileRefuses(t *testing.T) {
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000",
		"tile/0/x000/000", "tile/0/001/000", "tile/0/x001", "tile/0/x001/x000", "tile/0/xx01/000", "tile/0/X001/000", "tile/0/000.p", "tile/0/000.p/",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/", "tile/0/000.p/1/2", "tile/0/000/p/1", "tile/0/.p/1", "/tile/0/000",
		"tile/0/000/", "tile//000", "tile/Entries/000", "tile/data/000", "tile/0/-01", "tile/0/+01", "tile/0/0x1", "tile/0/x001/x001/x001/x001/x001/x001/001",
		"tile/0/" + strings.Repeat("x001/", 20) + "001", "tile/0/..", "tile/0/000\x00", "tile/0/1e2",
	} {
		_, err := ParseTile(path)
		wantReason(t, err, "tile-path")
	}
}

func TestBundle(t *testing.T) {
	var bundle, foreign []byte
	for _, e := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte{0}, MaxEntrySize), bytes.Repeat([]byte{1}, 0xffff)} {
		bundle = AppendEntry(bundle, e)
		var err error
		if foreign, err = torchwood.AppendTileEntry(foreign, e); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(bundle, foreign) {
		t.Error("elsewhere the bundle has other bytes")
	}
	entries, err := ParseBundle(bundle)
	if err != nil || len(entries) != 4 || len(entries[3]) != 0xffff {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	for _, b := range [][]byte{nil, {0}, {0, 1}, bundle[:len(bundle)-1], append(bundle, 0), make([]byte, 2*257)} {
		_, err := ParseBundle(b)
		wantReason(t, err, "bundle-syntax")
	}
	if _, err := ParseBundle(make([]byte, 2*256)); err != nil {
		t.Error(err)
	}
}

func testProof(t testing.TB, size, index int64) ([]byte, Hash) {
	t.Helper()
	l := openTest(t, diskOptions(newDisk()))
	grow(t, l, size)
	text, err := l.Proof(index)
	if err != nil {
		t.Fatal(err)
	}
	return text, RecordHash(testEntry(index))
}

func TestProofIsReadByOthers(t *testing.T) {
	foreign, err := note.NewVerifier(testSigner(1, nil).String())
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(testOrigin), torchwood.SingleVerifierPolicy(foreign))
	for size := int64(1); size <= 300; size += 13 {
		text, leaf := testProof(t, size, size*2/3)
		if err := torchwood.VerifyProof(policy, tlog.Hash(leaf), text); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
		leaf[0] ^= 1
		if torchwood.VerifyProof(policy, tlog.Hash(leaf), text) == nil {
			t.Error("the foreign reader accepts anything")
		}
	}
}

func TestProofOfOthersIsRead(t *testing.T) {
	text, leaf := testProof(t, 100, 30)
	p, err := ParseProof(text)
	if err != nil {
		t.Fatal(err)
	}
	var hashes tlog.RecordProof
	for _, h := range p.Hashes {
		hashes = append(hashes, tlog.Hash(h))
	}
	foreign := torchwood.FormatProofWithExtraData(30, []byte("extra data"), hashes, p.Checkpoint)
	got, err := ParseProof(foreign)
	if err != nil || string(got.Extra) != "extra data" || !bytes.Equal(got.Marshal(), foreign) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := CheckInclusion(got, leaf, testOrigin, testPolicy()); err != nil {
		t.Error(err)
	}
}

func TestParseProofRefuses(t *testing.T) {
	text, _ := testProof(t, 100, 30)
	good := string(text)
	if p, err := ParseProof(text); err != nil || string(p.Marshal()) != good {
		t.Fatal(err)
	}
	hash := strings.Split(good, "\n")[2]
	for _, bad := range []string{
		"", "\n\n", proofHeader, proofHeader + "\n\n", strings.Replace(good, "@v1", "@v2", 1), "\n" + good,
		strings.Replace(good, "index 30", "index 030", 1), strings.Replace(good, "index 30", "index -1", 1), strings.Replace(good, "index 30", "Index 30", 1),
		strings.Replace(good, "index 30\n", "", 1), strings.Replace(good, "index 30\n", "index 30\nindex 30\n", 1), strings.Replace(good, "index 30", "index 30 ", 1),
		strings.Replace(good, "index 30", "extra \nindex 30", 1), strings.Replace(good, "index 30", "extra !\nindex 30", 1), strings.Replace(good, "index 30\n", "index 30\nextra AAAA\n", 1),
		strings.Replace(good, "index 30", "extra AAAA\nextra AAAA\nindex 30", 1), strings.Replace(good, hash, hash[1:], 1), strings.Replace(good, hash, "A"+hash, 1),
		strings.Replace(good, hash, hash+" ", 1), strings.Replace(good, hash, tailBits(hash[:43])+"=", 1), strings.Replace(good, hash, strings.Repeat(hash+"\n", 63)+hash, 1),
		strings.Replace(good, "index 30", "extra "+strings.Repeat("AAAA", maxExtraSize)+"\nindex 30", 1), strings.Repeat("x", MaxProofSize+1),
	} {
		_, err := ParseProof([]byte(bad))
		wantReason(t, err, "proof-syntax")
	}
	for reason, bad := range map[string]string{"note-syntax": good + "x", "checkpoint-syntax": strings.Replace(good, "\n100\n", "\n0100\n", 1)} {
		_, err := ParseProof([]byte(bad))
		wantReason(t, err, reason)
	}
}

func TestCheckInclusionRefuses(t *testing.T) {
	text, leaf := testProof(t, 100, 30)
	for _, c := range []struct {
		reason string
		spoil  func(p *InclusionProof, leaf *Hash, origin *string, policy **Policy)
	}{
		{"", func(*InclusionProof, *Hash, *string, **Policy) {}},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Index = 31 }},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Index = 100 }},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Index = -1 }},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Hashes[3][7] ^= 1 }},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Hashes = p.Hashes[1:] }},
		{"proof-inclusion", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) { p.Hashes = append(p.Hashes, Hash{}) }},
		{"proof-inclusion", func(_ *InclusionProof, leaf *Hash, _ *string, _ **Policy) { leaf[0] ^= 1 }},
		{"checkpoint-signature", func(_ *InclusionProof, _ *Hash, origin *string, _ **Policy) { *origin = "another" }},
		{"checkpoint-signature", func(p *InclusionProof, _ *Hash, _ *string, _ **Policy) {
			p.Checkpoint = bytes.Replace(p.Checkpoint, []byte("\n100\n"), []byte("\n101\n"), 1)
		}},
		{"checkpoint-signature", func(_ *InclusionProof, _ *Hash, _ *string, policy **Policy) {
			*policy = NewPolicy(&testSigner(2, nil).Verifier)
		}},
	} {
		p, err := ParseProof(text)
		if err != nil {
			t.Fatal(err)
		}
		l, origin, policy := leaf, testOrigin, testPolicy()
		c.spoil(&p, &l, &origin, &policy)
		_, err = CheckInclusion(p, l, origin, policy)
		if c.reason == "" && err != nil {
			t.Error(err)
		} else if c.reason != "" {
			wantReason(t, err, c.reason)
		}
	}
}

func TestCheckConsistencyRefuses(t *testing.T) {
	empty, some := Checkpoint{testOrigin, 0, emptyRoot}, Checkpoint{testOrigin, 3, testRoot}
	if err := CheckConsistency(empty, some, nil); err != nil {
		t.Error(err)
	}
	if err := CheckConsistency(some, some, nil); err != nil {
		t.Error(err)
	}
	fork := some
	fork.Root[0] ^= 1
	for _, pair := range [][2]Checkpoint{{some, empty}, {some, fork}, {{testOrigin, 0, testRoot}, some}, {{"another", 3, testRoot}, some}, {{testOrigin, -1, testRoot}, some}} {
		wantReason(t, CheckConsistency(pair[0], pair[1], nil), "proof-consistency")
	}
	wantReason(t, CheckConsistency(empty, some, []Hash{{}}), "proof-consistency")
}
