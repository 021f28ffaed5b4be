package jcs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestOfficialDocuments(t *testing.T) {
	inputs, err := filepath.Glob("testdata/rfc8785/input/*.json")
	if err != nil || len(inputs) != 6 {
		t.Fatalf("found %d official documents, want 6 (%v)", len(inputs), err)
	}
	for _, path := range inputs {
		in, want := readFile(t, path), readFile(t, filepath.Join("testdata/rfc8785/output", filepath.Base(path)))
		v, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := v.Canonical(); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
		}
	}
}

// TestOfficialNumbers writes the first lines of the official number file and
// compares their checksums with the published ones.
func TestOfficialNumbers(t *testing.T) {
	sums := map[int]string{
		1_000:   "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
		10_000:  "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
		100_000: "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
	}
	h := sha256.New()
	next := officialDoubles(t)
	for line := 1; line <= 100_000; line++ {
		f := next()
		text := appendNumber(nil, f)
		h.Write(strconv.AppendUint(nil, math.Float64bits(f), 16))
		h.Write([]byte{','})
		h.Write(text)
		h.Write([]byte{'\n'})
		if want, ok := sums[line]; ok {
			if got := hex.EncodeToString(h.Sum(nil)); got != want {
				t.Fatalf("first %d lines have checksum %s, want %s", line, got, want)
			}
		}
		if v, err := Parse(text); err != nil || !bytes.Equal(v.Canonical(), text) {
			t.Fatalf("%s came back as %s (%v)", text, v.Canonical(), err)
		}
	}
}

// officialDoubles returns the sequence of the official number file: fixed
// values, 2,000 consecutive ones from the smallest normal double on, then the
// finite non-zero doubles in a chain of SHA-256 blocks.
func officialDoubles(t *testing.T) func() float64 {
	var bits []uint64
	lines := bufio.NewScanner(bytes.NewReader(readFile(t, "testdata/rfc8785/es6static.txt")))
	for lines.Scan() {
		u, err := strconv.ParseUint(lines.Text(), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		bits = append(bits, u)
	}
	for i := range uint64(2000) {
		bits = append(bits, 0x0010000000000000+i)
	}
	var block [sha256.Size]byte
	return func() float64 {
		for {
			if len(bits) == 0 {
				block = sha256.Sum256(block[:])
				for i := 0; i < len(block); i += 8 {
					u := binary.LittleEndian.Uint64(block[i:])
					if f := math.Float64frombits(u); f != 0 && !math.IsNaN(f) && !math.IsInf(f, 0) {
						bits = append(bits, u)
					}
				}
				continue
			}
			f := math.Float64frombits(bits[0])
			bits = bits[1:]
			return f
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
