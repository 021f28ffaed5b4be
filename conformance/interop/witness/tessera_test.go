package witness

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// TestTessera: a Tessera log whose policy asks for writ witness publishes, so its own gateway fed it and took the cosignatures.
func TestTessera(t *testing.T) {
	p := &place{T: t, dir: t.TempDir()}
	secret, public, err := note.GenerateKey(rand.Reader, "tessera.example/l1")
	must(t, err)
	signer, err := note.NewSigner(secret)
	must(t, err)
	own, err := note.NewVerifier(public)
	must(t, err)
	p.write("logs.policy", "log "+public+"\nquorum none\n")
	said, _ := p.start(2, "writ", "witness", "--data", "witness", "--name", "writ.example/w1", "--logs", "logs.policy", "--listen", "127.0.0.1:0")
	key, err := f_note.NewVerifier(said[0])
	must(t, err)
	witnesses, err := tessera.NewWitnessGroupFromPolicy(fmt.Appendf(nil, "witness w %s %s\nquorum w\n", said[0], said[1]))
	must(t, err)
	driver, err := posix.New(t.Context(), posix.Config{Path: filepath.Join(p.dir, "tessera")})
	must(t, err)
	appender, shutdown, reader, err := tessera.NewAppender(t.Context(), driver, tessera.NewAppendOptions().WithCheckpointSigner(signer).
		WithBatching(1, 10*time.Millisecond).WithCheckpointInterval(200*time.Millisecond).WithWitnesses(witnesses, nil))
	must(t, err)
	awaiter := tessera.NewPublicationAwaiter(t.Context(), reader.ReadCheckpoint, 50*time.Millisecond)
	for i := range 12 {
		_, signed, err := awaiter.Await(t.Context(), appender.Add(t.Context(), tessera.NewEntry(fmt.Append(nil, "entry ", i))))
		must(t, err)
		n, err := note.Open(signed, note.VerifierList(own, key))
		if err != nil || len(n.Sigs) != 2 {
			t.Fatalf("%v\n%s", err, signed)
		}
		if i == 11 {
			t.Logf("published with its cosignature: %s", strings.ReplaceAll(n.Text, "\n", " "))
		}
	}
	must(t, shutdown(t.Context()))
}
