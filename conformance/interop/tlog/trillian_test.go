package tlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log/trillian"
)

// site is a PostgreSQL with the tables of Trillian and of the log over it, and their servers.
type site struct {
	*testing.T
	db     *trilliantest.Cluster
	server *trilliantest.Server
}

// newSite is nil where the programs are not there: the output says so.
func newSite(t *testing.T) *site {
	t.Helper()
	bin, err := trilliantest.Bin()
	if err != nil {
		if os.Getenv(trilliantest.Variable) != "" {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: the log over Trillian before programs of others (%v)\n", err)
		return nil
	}
	s := &site{T: t}
	s.db, err = trilliantest.StartPostgres(os.TempDir(), "")
	s.must(err)
	t.Cleanup(func() { s.must(s.db.Remove()) })
	schema, err := trilliantest.Schema()
	s.must(err)
	s.must(trillian.ApplySchema(t.Context(), s.db.URI, schema))
	s.server, err = trilliantest.StartServer(t.Context(), bin, s.db)
	s.must(err)
	t.Cleanup(func() { s.must(s.server.Kill()) })
	signer, err := trilliantest.StartSigner(bin, s.db, 5*time.Millisecond)
	s.must(err)
	t.Cleanup(func() { s.must(signer.Kill()) })
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// open is the log over Trillian.
func (s *site) open() *trillian.Log {
	s.Helper()
	l, err := trillian.Open(s.Context(), trillian.Options{Signer: newSigner(s.T), Database: s.db.URI, Server: s.server.Address})
	s.must(err)
	s.Cleanup(func() { s.must(l.Close()) })
	return l
}

// grow appends the entries up to a size as one batch, publishes, and returns a proof of each.
func (s *site) grow(l *trillian.Log, size int) (proofs [][]byte) {
	s.Helper()
	var entries [][]byte
	for i := int(l.Size()); i < size; i++ {
		entries = append(entries, entry(i))
	}
	first := l.Size()
	c, err := l.Stage(first, entries)
	s.must(err)
	s.must(l.Keep(s.Context(), c))
	_, err = l.Publish(s.Context())
	s.must(err)
	for i := first; i < int64(size); i++ {
		proof, err := l.Proof(i)
		s.must(err)
		proofs = append(proofs, proof)
	}
	return proofs
}

// serve starts writ log trillian-serve, another process that has the database and no key, and returns the address of the log.
func (s *site) serve() string {
	s.Helper()
	program := filepath.Join(s.TempDir(), "writ")
	build := exec.Command("go", "build", "-o", program, "./cmd/writ")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(program, "log", "trillian-serve", "--trillian-db", s.db.URI, "--origin", origin, "--listen", "127.0.0.1:0")
	out, err := command.StdoutPipe()
	s.must(err)
	s.must(command.Start())
	s.Cleanup(func() { command.Process.Kill(); command.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	s.must(err)
	return strings.TrimSpace(address) + "/log"
}

// spoiled serves what an address serves, with another bit in the middle of one file.
func (s *site) spoiled(address, file string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := http.Get(address + r.URL.Path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			http.Error(w, fmt.Sprint(err), http.StatusNotFound)
			return
		}
		if r.URL.Path == "/"+file {
			data[len(data)/2] ^= 1
		}
		w.Write(data)
	}))
	s.Cleanup(server.Close)
	return server.URL
}

// TestTrillian: fsck, the client and two libraries before the log over Trillian, served by a process that does not write it.
func TestTrillian(t *testing.T) {
	s := newSite(t)
	if s == nil {
		return
	}
	program, l, vkey := buildFsck(t), s.open(), newSigner(t).Verifier.String()
	var proofs [][]byte
	address := ""
	for _, size := range []int{1, 255, 256, 257, 700} {
		proofs = append(proofs, s.grow(l, size)...)
		if address == "" {
			address = s.serve()
		}
		if said, holds := fsck(t, program, vkey, address); !holds || !strings.Contains(said, fmt.Sprintf("%s%d and", success, size)) {
			t.Errorf("%d entries: fsck says\n%s", size, said)
		}
	}
	for _, file := range []string{"checkpoint", "tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/188"} {
		if said, holds := fsck(t, program, vkey, s.spoiled(address, file)); holds {
			t.Errorf("%s with another bit holds:\n%s", file, said)
		}
	}
	if said, holds := fsck(t, program, vkey, s.spoiled(address, "none")); !holds {
		t.Errorf("the same files through the same server do not hold:\n%s", said)
	}
	clientReads(t, address, vkey, 700, l.CheckpointAt)
	librariesRead(t, vkey, proofs)
}

// TestEnginesAgree: the entries, tiles and checkpoint of the two engines are the same bytes, to whoever reads them over HTTP.
func TestEnginesAgree(t *testing.T) {
	s := newSite(t)
	if s == nil {
		return
	}
	s.grow(s.open(), 700)
	files, trillian := newLog(t, 700).serve(), s.serve()
	for _, path := range []string{"/checkpoint", "/tile/0/000", "/tile/0/002.p/188", "/tile/1/000.p/2", "/tile/entries/001", "/tile/entries/002.p/188"} {
		if one, other := get(t, files+path), get(t, trillian+path); !bytes.Equal(one, other) {
			t.Errorf("%s: %d bytes from files, %d from Trillian", path, len(one), len(other))
		}
	}
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(answer.Status))
	}
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return data
}
