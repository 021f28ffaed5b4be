package witness

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	f_note "github.com/transparency-dev/formats/note"
	w_http "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// programs are the two that speak to each other, built once.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "writ-interop-")
	if err != nil {
		panic(err)
	}
	programs = dir
	for _, build := range []*exec.Cmd{
		exec.Command("go", "build", "-o", filepath.Join(dir, "omniwitness"), "github.com/transparency-dev/witness/cmd/omniwitness"),
		exec.Command("go", "-C", "../../..", "build", "-o", filepath.Join(dir, "writ"), "./cmd/writ"),
	} {
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a folder in which programs run.
type place struct {
	*testing.T
	dir string
	url string // of writ serve
}

func (p *place) command(name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(p.Context(), filepath.Join(programs, name), args...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "WRIT_PASSPHRASE=interop", "WRIT_KEY_PASSPHRASE=mine", "WRIT_URL="+p.url, "WRIT_API_KEY_FILE=data/admin.key",
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	return c
}

// start starts a program and returns the first lines of its standard output, and how to stop it.
func (p *place) start(lines int, name string, args ...string) (said []string, stop func()) {
	p.Helper()
	c := p.command(name, args...)
	var messages bytes.Buffer
	c.Stderr = &messages
	out, err := c.StdoutPipe()
	must(p.T, err)
	must(p.T, c.Start())
	ended := false
	stop = func() {
		if !ended {
			ended = true
			c.Process.Signal(syscall.SIGTERM)
			c.Wait()
		}
	}
	p.Cleanup(stop)
	in := bufio.NewReader(out)
	for range lines {
		line, err := in.ReadString('\n')
		if err != nil {
			stop()
			p.Fatalf("%s %v: %v\n%s", name, args, err, &messages)
		}
		said = append(said, strings.TrimSpace(line))
	}
	return said, stop
}

func (p *place) serve(args ...string) (stop func()) {
	said, stop := p.start(1, "writ", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	p.url = said[0]
	return stop
}

// sh runs a line of the shell and returns what it printed, and whether it succeeded.
func (p *place) sh(line string) (string, bool) {
	c := p.command("writ")
	c.Path, c.Args = "/bin/sh", []string{"sh", "-c", line}
	out, err := c.CombinedOutput()
	return string(out), err == nil
}

func (p *place) do(line string) {
	p.Helper()
	if out, ok := p.sh(line); !ok {
		p.Fatalf("%s: %s", line, out)
	}
}

func (p *place) write(name, text string) {
	p.Helper()
	must(p.T, os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600))
}

// logKey is the verifier key of the ledger's log.
func (p *place) logKey() string {
	response, err := http.Get(p.url + "/v1/ledger")
	must(p.T, err)
	defer response.Body.Close()
	var ledger struct{ Log struct{ Key string } }
	must(p.T, json.NewDecoder(response.Body).Decode(&ledger))
	return ledger.Log.Key
}

// checkpoint waits until the served checkpoint has at least so many entries, and opens it with the verifiers, all of which must
// have signed.
func (p *place) checkpoint(size int64, verifiers ...note.Verifier) tlog.Tree {
	p.Helper()
	var n *note.Note
	var tree tlog.Tree
	for range 100 {
		response, err := http.Get(p.url + "/log/checkpoint")
		must(p.T, err)
		data, err := io.ReadAll(response.Body)
		response.Body.Close()
		must(p.T, err)
		if n, err = note.Open(data, note.VerifierList(verifiers...)); err == nil {
			lines := strings.Split(n.Text, "\n")
			hash, err := base64.StdEncoding.DecodeString(lines[2])
			must(p.T, err)
			_, err = fmt.Sscan(lines[1], &tree.N)
			must(p.T, err)
			copy(tree.Hash[:], hash)
			if tree.N >= size && len(n.Sigs) == len(verifiers) {
				return tree
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.Fatalf("no checkpoint of %d entries, signed by %d, in ten seconds: %v", size, len(verifiers), n)
	return tree
}

// roster logs two entries: a roster of the grantor, and its approval.
func (p *place) roster(grantor string) {
	p.Helper()
	p.do(`writ roster new --grantor ` + grantor + ` --person "treasurer,Ana Reis,$(writ key show ana.key | sed -n "s/^public key *//p")" --action "payments.*" > roster.json &&
		writ roster propose roster.json --json > proposed.json && writ approve --key ana.key --yes proposed.json`)
}

// omniwitness starts the witness of others for a log and returns its policy line and its key.
func (p *place) omniwitness(logKey string) (line string, key note.Verifier) {
	p.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "omni.example/w1")
	must(p.T, err)
	p.write("omni.key", secret)
	origin, _, _ := strings.Cut(logKey, "+")
	p.write("logs.yaml", fmt.Sprintf("Logs:\n  - Origin: %s\n    URL: http://127.0.0.1:1/\n    PublicKey: %s\n    Feeder: none\n", origin, logKey))
	door, err := net.Listen("tcp", "127.0.0.1:0")
	must(p.T, err)
	address := door.Addr().String()
	must(p.T, door.Close())
	p.start(0, "omniwitness", "--listen", address, "--metrics_listen", "", "--private_key_path", "omni.key", "--db_file", "omni.db", "--additional_logs", "logs.yaml")
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	vkey, err := f_note.VKeyToCosignatureV1(public)
	must(p.T, err)
	key, err = f_note.NewVerifierForCosignatureV1(public)
	must(p.T, err)
	return fmt.Sprintf("witness omni %s http://%s/\nquorum omni\n", vkey, address), key
}

// TestOmniwitness: the witness of others cosigns a ledger's log as it grows; a fork that the same key signed is noticed at the start.
func TestOmniwitness(t *testing.T) {
	p := &place{T: t, dir: t.TempDir()}
	p.do("writ key new ana.key --name treasurer --work-factor 10")
	stop := p.serve("--data", "data")
	logKey := p.logKey()
	p.roster("did:web:acme.example")
	stop()
	p.do("cp -r data fork && cp -r data old")
	line, omni := p.omniwitness(logKey)
	p.write("witnesses.policy", line)
	own, err := note.NewVerifier(logKey)
	must(t, err)

	stop = p.serve("--data", "data", "--witnesses", "witnesses.policy", "--witness-start", "require")
	if tree := p.checkpoint(0, own, omni); tree.N < 2 {
		t.Errorf("%d entries at the start", tree.N)
	}
	p.roster("did:web:other.example")
	grown := p.checkpoint(4, own, omni)
	t.Logf("omniwitness cosigned %d entries", grown.N)
	stop()
	stop = p.serve("--data", "data", "--witnesses", "witnesses.policy", "--witness-start", "require")
	p.checkpoint(grown.N, own, omni)
	stop()

	out, ok := p.sh("writ serve --data old --listen 127.0.0.1:0 --witnesses witnesses.policy")
	if ok || !strings.Contains(out, "log-behind-witness") {
		t.Errorf("a restored backup started: %s", out)
	}
	stop = p.serve("--data", "fork")
	p.roster("did:web:third.example")
	p.checkpoint(grown.N, own)
	stop()
	out, ok = p.sh("writ serve --data fork --listen 127.0.0.1:0 --witnesses witnesses.policy")
	if ok || !strings.Contains(out, "log-forked") {
		t.Errorf("a fork started: %s", out)
	}
}

// tree is a log that the foreign client feeds from.
type tree struct{ hashes []tlog.Hash }

func (l *tree) ReadHashes(indexes []int64) (all []tlog.Hash, err error) {
	for _, i := range indexes {
		all = append(all, l.hashes[i])
	}
	return all, nil
}

func grown(t *testing.T, n, fork int64) *tree {
	l := &tree{}
	for i := range n {
		stored, err := tlog.StoredHashes(i, fmt.Append(nil, i, i >= fork), l)
		must(t, err)
		l.hashes = append(l.hashes, stored...)
	}
	return l
}

func (l *tree) signed(t *testing.T, size int64, signer note.Signer) []byte {
	root := tlog.Hash(sha256.Sum256(nil))
	if size > 0 {
		var err error
		root, err = tlog.TreeHash(size, l)
		must(t, err)
	}
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)}, signer)
	must(t, err)
	return signed
}

func (l *tree) proof(t *testing.T, older, newer int64) (all [][]byte) {
	if older == 0 || older == newer {
		return nil
	}
	hashes, err := tlog.ProveTree(newer, older, l)
	must(t, err)
	for _, h := range hashes {
		all = append(all, h[:])
	}
	return all
}

// TestForeignClient: the client of others feeds writ witness, and is told what the specification says.
func TestForeignClient(t *testing.T) {
	p := &place{T: t, dir: t.TempDir()}
	secret, public, err := note.GenerateKey(rand.Reader, "log.example/l1")
	must(t, err)
	signer, err := note.NewSigner(secret)
	must(t, err)
	strange, _, err := note.GenerateKey(rand.Reader, "log.example/l1")
	must(t, err)
	impostor, err := note.NewSigner(strange)
	must(t, err)
	unknown, _, err := note.GenerateKey(rand.Reader, "log.example/l2")
	must(t, err)
	other, err := note.NewSigner(unknown)
	must(t, err)
	p.write("logs.policy", "log "+public+"\nquorum none\n")
	said, _ := p.start(2, "writ", "witness", "--data", "witness", "--name", "writ.example/w1", "--logs", "logs.policy", "--listen", "127.0.0.1:0")
	address, err := url.Parse(said[1])
	must(t, err)
	key, err := f_note.NewVerifier(said[0])
	must(t, err)
	client := w_http.NewWitness(address, http.DefaultClient)
	trunk, fork := grown(t, 30, 30), grown(t, 30, 4)
	for _, row := range []struct {
		name         string
		of           *tree
		by           note.Signer
		older, newer int64
		want         error
		size         uint64
	}{
		{"first", trunk, signer, 0, 7, nil, 0},
		{"growth", trunk, signer, 7, 19, nil, 0},
		{"the same", trunk, signer, 19, 19, nil, 0},
		{"stale", trunk, signer, 7, 25, witness.ErrCheckpointStale, 19},
		{"from nothing", trunk, signer, 0, 25, witness.ErrCheckpointStale, 19},
		{"a fork", fork, signer, 19, 25, witness.ErrInvalidProof, 0},
		{"a fork of the same size", fork, signer, 19, 19, witness.ErrInvalidProof, 0},
		{"an impostor", trunk, impostor, 19, 25, witness.ErrNoValidSignature, 0},
		{"another log", trunk, other, 19, 25, witness.ErrUnknownLog, 0},
		{"growth again", trunk, signer, 19, 25, nil, 0},
	} {
		signed := row.of.signed(t, row.newer, row.by)
		lines, size, err := client.Update(t.Context(), uint64(row.older), signed, row.of.proof(t, row.older, row.newer))
		if !errors.Is(err, row.want) || size != row.size {
			t.Errorf("%s: %v %d, want %v %d", row.name, err, size, row.want, row.size)
			continue
		}
		if row.want != nil {
			continue
		}
		if n, err := note.Open(append(signed, lines...), note.VerifierList(key)); err != nil || len(n.Sigs) != 1 {
			t.Errorf("%s: %v in %q", row.name, err, lines)
		}
	}
}
