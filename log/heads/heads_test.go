package heads

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/log"
)

// naiveRoot is the root as spec/protocol.md 16.2 says it, from the heads alone.
func naiveRoot(all map[Chain]Head) log.Hash {
	chains := slices.SortedFunc(maps.Keys(all), func(a, b Chain) int { return bytes.Compare(a[:], b[:]) })
	if len(chains) == 0 {
		return sha256.Sum256(nil)
	}
	return naiveNode(all, chains)
}

func naiveNode(all map[Chain]Head, chains []Chain) log.Hash {
	if len(chains) == 1 {
		h := all[chains[0]]
		value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(h.Seq)), uint64(h.Index))
		hashed := sha256.Sum256(append(value, h.Leaf[:]...))
		return sha256.Sum256(slices.Concat([]byte{2}, chains[0][:], hashed[:]))
	}
	depth := 0
	bit := func(c Chain) bool { return c[depth/8]&(0x80>>(depth%8)) != 0 }
	for bit(chains[0]) == bit(chains[len(chains)-1]) {
		depth++
	}
	i := slices.IndexFunc(chains, bit)
	left, right := naiveNode(all, chains[:i]), naiveNode(all, chains[i:])
	return sha256.Sum256(slices.Concat([]byte{3, byte(depth)}, left[:], right[:]))
}

// someChain draws ids that often have long beginnings in common.
func someChain() *rapid.Generator[Chain] {
	return rapid.Custom(func(t *rapid.T) Chain {
		var c Chain
		for _, i := range []int{0, 1, 15, 31} {
			c[i] = rapid.SampledFrom([]byte{0, 1, 0x80, 0xff}).Draw(t, "byte")
		}
		return c
	})
}

// TestMap holds the map against the model: roots, heads, order, and a proof for every chain there is and for some there are not.
func TestMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Map
		model, index := map[Chain]Head{}, int64(0)
		for range rapid.IntRange(0, 6).Draw(t, "roots") {
			for range rapid.IntRange(0, 12).Draw(t, "entries") {
				c := someChain().Draw(t, "chain")
				h := Head{model[c].Seq + 1, index, sha256.Sum256([]byte{byte(index)})}
				if err := m.Add(c, h); err != nil {
					t.Fatal(err)
				}
				model[c] = h
				index += rapid.Int64Range(1, 3).Draw(t, "others")
			}
			checkMap(t, &m, model)
		}
	})
}

func checkMap(t *rapid.T, m *Map, model map[Chain]Head) {
	root := m.Root()
	if want := naiveRoot(model); root != want || m.Root() != root {
		t.Fatalf("root of %d chains is %s, want %s", len(model), root, want)
	}
	if got := maps.Collect(m.All()); m.Len() != len(model) || !maps.Equal(got, model) {
		t.Fatalf("the map has %v, want %v", got, model)
	}
	for c, h := range model {
		checkProof(t, m, root, c, h)
	}
	for range 5 {
		c := someChain().Draw(t, "asked")
		checkProof(t, m, root, c, model[c])
	}
}

// checkProof wants the proof of a chain's head, or of its absence where h is zero, and no proof of anything else.
func checkProof(t *rapid.T, m *Map, root log.Hash, c Chain, h Head) {
	p, err := ParseProof(m.Prove(c).Marshal())
	if err != nil {
		t.Fatal(err)
	}
	got, exists := m.Head(c)
	if exists != (h.Seq > 0) || exists && got != h {
		t.Fatalf("head of %x is %v, want %v", c, got, h)
	}
	if err := p.CheckHead(root, c, h); (err == nil) != exists {
		t.Fatalf("head %v of %x: %v", h, c, err)
	}
	if err := p.CheckAbsent(root, c); (err == nil) == exists {
		t.Fatalf("absence of %x: %v", c, err)
	}
	for _, other := range []Head{{h.Seq + 1, h.Index, h.Leaf}, {h.Seq, h.Index + 1, h.Leaf}, {h.Seq, h.Index, log.Hash{7}}} {
		if p.CheckHead(root, c, other) == nil {
			t.Fatalf("%v passes for %v", other, h)
		}
	}
	if p.CheckHead(log.Hash{1}, c, h) == nil || p.CheckAbsent(log.Hash{1}, c) == nil {
		t.Fatal("a proof passes under any root")
	}
}

// TestProofOfOther shows that a proof for one chain says nothing of a chain to which the search does not lead there.
func TestProofOfOther(t *testing.T) {
	var m Map
	for i, first := range []byte{0x00, 0x40, 0x80, 0xc0} {
		if err := m.Add(Chain{first}, Head{1, int64(i), log.Hash{}}); err != nil {
			t.Fatal(err)
		}
	}
	root := m.Root()
	p := m.Prove(Chain{0x00})
	if err := p.CheckAbsent(root, Chain{0x01}); err != nil {
		t.Errorf("the search for 01… ends at 00…: %v", err)
	}
	for _, there := range []Chain{{0x40}, {0x80}, {0xc0}, {0x41}} {
		if err := p.CheckAbsent(root, there); reason(err) != "heads-proof" {
			t.Errorf("the leaf of 00… shows that %x has no entry: %v", there[0], err)
		}
	}
	if err := (Proof{}).CheckAbsent(root, Chain{1}); reason(err) != "heads-proof" {
		t.Errorf("the empty map's proof passes under another root: %v", err)
	}
}

func TestAdd(t *testing.T) {
	a, b := Chain{1}, Chain{2}
	rows := []struct {
		name  string
		chain Chain
		head  Head
		want  string
	}{
		{"first", b, Head{Seq: 1, Index: 9}, ""},
		{"next", a, Head{Seq: 3, Index: 9}, ""},
		{"not from one", b, Head{Seq: 2, Index: 9}, "heads-seq"},
		{"gap", a, Head{Seq: 4, Index: 9}, "heads-seq"},
		{"repeat", a, Head{Seq: 2, Index: 9}, "heads-seq"},
		{"before its own newest", a, Head{Seq: 3, Index: 4}, "heads-seq"},
	}
	for _, flushed := range []bool{false, true} {
		for _, row := range rows {
			var m Map
			for seq := range int64(2) {
				if err := m.Add(a, Head{Seq: seq + 1, Index: seq + 3}); err != nil {
					t.Fatal(err)
				}
			}
			if flushed {
				m.Root()
			}
			if got := reason(m.Add(row.chain, row.head)); got != row.want {
				t.Errorf("%s, flushed %t: %q, want %q", row.name, flushed, got, row.want)
			}
		}
	}
}

// TestLoad builds the same tree in whatever steps it comes.
func TestLoad(t *testing.T) {
	var all, again Map
	for i := range 1000 {
		c := Chain(sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
		if err := all.Add(c, Head{1, int64(i), log.Hash{}}); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			all.Root()
		}
	}
	root := all.Root()
	again.Load(all.All())
	if got := again.Root(); got != root || again.Len() != 1000 {
		t.Errorf("loaded root %s, want %s", got, root)
	}
}

func TestParseProof(t *testing.T) {
	var m Map
	for i := range 3 {
		if err := m.Add(Chain{byte(i) << 6}, Head{1, int64(i), log.Hash{}}); err != nil {
			t.Fatal(err)
		}
	}
	m.Root()
	good := string(m.Prove(Chain{}).Marshal())
	lines := strings.SplitAfter(good, "\n")
	rows := map[string]string{
		"empty":             "",
		"other version":     strings.Replace(good, "v1", "v2", 1),
		"no newline":        strings.TrimSuffix(good, "\n"),
		"empty line":        good + "\n",
		"carriage return":   strings.ReplaceAll(good, "\n", "\r\n"),
		"no chain":          lines[0] + lines[2] + lines[3],
		"zero value":        lines[0] + lines[1][:45] + log.Hash{}.String() + "\n",
		"leading zero":      lines[0] + lines[1] + "0" + lines[2],
		"depth of 256":      lines[0] + lines[1] + "256" + lines[2][1:],
		"from the root":     lines[0] + lines[1] + lines[3] + lines[2],
		"one depth twice":   lines[0] + lines[1] + lines[2] + lines[2],
		"short hash":        lines[0] + lines[1] + "1 AAAA\n",
		"two spaces":        lines[0] + lines[1] + strings.Replace(lines[2], " ", "  ", 1),
		"last bits not set": lines[0] + strings.Replace(lines[1], "A= ", "B= ", 1) + lines[2],
		"too long":          good + strings.Repeat("x", MaxProofSize),
	}
	for name, text := range rows {
		if _, err := ParseProof([]byte(text)); reason(err) != "heads-proof-syntax" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseProof([]byte(good)); err != nil {
		t.Error(err)
	}
}

// TestLongestProof has a branch at every depth.
func TestLongestProof(t *testing.T) {
	var m Map
	for i := range depths {
		var c Chain
		c[i/8] = 0x80 >> (i % 8)
		if err := m.Add(c, Head{Seq: 1}); err != nil {
			t.Fatal(err)
		}
	}
	root := m.Root()
	text := m.Prove(Chain{}).Marshal()
	p, err := ParseProof(text)
	if err != nil || len(text) > MaxProofSize || len(p.Steps) != depths-1 {
		t.Fatalf("%d bytes, %d steps: %v", len(text), len(p.Steps), err)
	}
	if err := p.CheckAbsent(root, Chain{}); err != nil {
		t.Error(err)
	}
}

func FuzzParseProof(f *testing.F) {
	var m Map
	for i := range 3 {
		f.Add(m.Prove(Chain{}).Marshal())
		if err := m.Add(Chain{byte(i)}, Head{1, int64(i), log.Hash{}}); err != nil {
			f.Fatal(err)
		}
		m.Root()
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProof(text)
		if err == nil && !bytes.Equal(p.Marshal(), text) {
			t.Errorf("%q came back as %q", text, p.Marshal())
		}
	})
}

func reason(err error) string {
	var e *log.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
