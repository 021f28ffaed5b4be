package tlog

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/formats/proof"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"

	"filippo.io/torchwood"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"github.com/writ-trust/writ/log"
)

const (
	origin  = "ledger.example/log"
	success = "Successfully fsck'd log with size "
)

// patience is how long fsck may take: it hangs on some logs that do not hold.
const patience = 30 * time.Second

// ours is a log of Writ, kept by itself, with the answers that its callers got.
type ours struct {
	t      *testing.T
	a      *log.Appender
	vkey   string
	proofs [][]byte
	signed []byte
}

func entry(i int) []byte { return fmt.Appendf(nil, `{"entry":%d}`, i) }

func newSigner(t *testing.T) *log.Signer {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	signer, err := log.NewSigner(origin, key.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newLog(t *testing.T, size int) *ours {
	t.Helper()
	signer, dir := newSigner(t), t.TempDir()
	a, err := log.OpenAppender(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	o := &ours{t: t, a: a, vkey: signer.String(), proofs: make([][]byte, size)}
	for i := range size {
		index, text, err := a.Append(t.Context(), entry(i))
		if err != nil || index != int64(i) {
			t.Fatalf("entry %d: %d, %v", i, index, err)
		}
		o.proofs[i] = text
	}
	if o.signed, err = a.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

// serve is the log as writ serve answers for it: partial tiles are cut from wider ones.
func (o *ours) serve() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := o.a.Log().ReadTile(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Write(data)
	}))
	o.t.Cleanup(server.Close)
	return server.URL
}

// export is a static copy in a folder, and the address of a file server.
func (o *ours) export() (dir, address string) {
	dir = o.t.TempDir()
	err := log.WriteStatic(o.signed, func(tile log.Tile) ([]byte, error) { return o.a.Log().ReadTile(tile.Path()) },
		func(path string, data []byte) error {
			name := filepath.Join(dir, filepath.FromSlash(path))
			return errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644))
		})
	if err != nil {
		o.t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	o.t.Cleanup(server.Close)
	return dir, server.URL
}

// fsck runs Tessera's program on an address. Its exit code says nothing: only the line counts.
func fsck(t *testing.T, program, vkey, address string) (said string, holds bool) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(vkey), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, "--storage_url="+address+"/", "--public_key="+key, "--N=4", "--ui=false", "--logtostderr")
	out, _ := command.CombinedOutput()
	return string(out), strings.Contains(string(out), success)
}

func buildFsck(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fsck")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/transparency-dev/tessera/cmd/fsck").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestFsck(t *testing.T) {
	program := buildFsck(t)
	for _, size := range []int{1, 255, 256, 257, 700} {
		o := newLog(t, size)
		_, static := o.export()
		for _, address := range []string{o.serve(), static} {
			if said, holds := fsck(t, program, o.vkey, address); !holds || !strings.Contains(said, fmt.Sprintf("%s%d and", success, size)) {
				t.Errorf("%d entries: fsck says\n%s", size, said)
			}
		}
	}
}

// TestFsckFindsDamage: the line is missing as soon as one bit of any file is another.
func TestFsckFindsDamage(t *testing.T) {
	program := buildFsck(t)
	o := newLog(t, 300)
	dir, address := o.export()
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"} {
		name := filepath.Join(dir, path)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		spoiled := bytes.Clone(data)
		spoiled[len(data)/2] ^= 1
		if err := os.WriteFile(name, spoiled, 0o644); err != nil {
			t.Fatal(err)
		}
		if said, holds := fsck(t, program, o.vkey, address); holds {
			t.Errorf("%s with another bit holds:\n%s", path, said)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if said, holds := fsck(t, program, o.vkey, address); !holds {
		t.Errorf("the same files again do not hold:\n%s", said)
	}
}

// TestClient lets Tessera's client make proofs from what is served.
func TestClient(t *testing.T) {
	const size = 600
	o := newLog(t, size)
	clientReads(t, o.serve(), o.vkey, size, o.a.Log().CheckpointAt)
}

// clientReads lets Tessera's client make proofs from a log at an address, and holds them against the checkpoints that the log had.
func clientReads(t *testing.T, address, vkey string, size uint64, had func(size int64) (log.Checkpoint, error)) {
	t.Helper()
	base, err := url.Parse(address + "/")
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := client.NewHTTPFetcher(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	c, _, _, err := client.FetchCheckpoint(t.Context(), fetcher.ReadCheckpoint, verifier, origin)
	if err != nil || c.Size != size {
		t.Fatalf("%v, %v", c, err)
	}
	builder, err := client.NewProofBuilder(t.Context(), c.Size, fetcher.ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{0, 255, 256, 300, size - 1} {
		hashes, err := builder.InclusionProof(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(entry(int(index)))
		if err := merkle.VerifyInclusion(rfc6962.DefaultHasher, index, c.Size, leaf, hashes, c.Hash); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
	}
	for _, older := range []uint64{1, 256, 511} {
		hashes, err := builder.ConsistencyProof(t.Context(), older, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		at, err := had(int64(older))
		if err != nil {
			t.Fatal(err)
		}
		if err := merkle.VerifyConsistency(rfc6962.DefaultHasher, older, c.Size, hashes, at.Root[:], c.Hash); err != nil {
			t.Errorf("from %d: %v", older, err)
		}
	}
}

// TestProofs: two libraries read what Append answers, and one says that it holds.
func TestProofs(t *testing.T) {
	o := newLog(t, 300)
	librariesRead(t, o.vkey, o.proofs)
}

// librariesRead holds two libraries before the proof of each entry.
func librariesRead(t *testing.T, vkey string, proofs [][]byte) {
	t.Helper()
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(verifier))
	for i, text := range proofs {
		var p proof.TLogProof
		if err := p.Unmarshal(text); err != nil || p.Index != uint64(i) || !bytes.Equal(p.Marshal(), text) {
			t.Fatalf("entry %d: formats/proof: %v", i, err)
		}
		if err := torchwood.VerifyProof(policy, sumdb.RecordHash(entry(i)), text); err != nil {
			t.Fatalf("entry %d: torchwood: %v", i, err)
		}
		if torchwood.VerifyProof(policy, sumdb.RecordHash(entry(i+1)), text) == nil {
			t.Fatalf("torchwood takes the proof of entry %d for another", i)
		}
	}
}
