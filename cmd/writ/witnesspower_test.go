package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/powercut"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/witness"
)

// blackout is writ witness on a disk that forgets, at a power cut, what was not synced.
type blackout struct {
	*testing.T
	program, dir string
	disk         *powercut.Disk
	unmount      func() error
	command      *exec.Cmd
	url          string
	cosigned     int64 // largest size of which a cosignature got out
}

// TestPowerCutsOfAWitness: no cosignature that got out is forgotten, and the fork stays refused, whatever of the disk is left.
func TestPowerCutsOfAWitness(t *testing.T) {
	program, err := exec.LookPath("writ")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	luck := mathrand.New(mathrand.NewPCG(seed, 0))
	b := &blackout{T: t, program: program, dir: t.TempDir(), disk: powercut.NewDisk()}
	b.must(os.Mkdir(filepath.Join(b.dir, "witness"), 0o700))
	if err := b.mount(); err != nil {
		if powercut.Required(os.Getenv) {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: power cuts under writ witness (%v)\n", err)
		return
	}
	t.Cleanup(func() { b.must(b.unmount()) })
	trunk, fork := b.log("trunk"), b.log("fork")
	b.must(os.WriteFile(filepath.Join(b.dir, "logs.policy"), []byte("log "+b.signer().Verifier.String()+"\nquorum none\n"), 0o600))
	b.start()
	t.Cleanup(func() { b.command.Process.Kill(); b.command.Wait() })
	cuts := int(powercut.Losses)
	if asked, err := strconv.Atoi(os.Getenv("WRIT_CUTS")); err == nil {
		cuts = asked
	}
	for round := range cuts {
		b.feedUntilDark(trunk, luck.IntN(60))
		b.must(b.command.Process.Kill())
		b.disk.Release()
		b.command.Wait()
		b.must(b.unmount())
		b.disk.Cut(powercut.Loss(round%int(powercut.Losses)), luck)
		b.must(b.mount())
		b.start()
		b.remembers(trunk, fork)
	}
}

func (b *blackout) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *blackout) mount() (err error) {
	b.unmount, err = b.disk.Mount(filepath.Join(b.dir, "witness"))
	return err
}

func (b *blackout) signer() *log.Signer {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	s, err := log.NewSigner("ledger.example/log", key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	b.must(err)
	return s
}

func (b *blackout) log(name string) *log.Log {
	l, err := log.Open(log.Options{Dir: filepath.Join(b.dir, name), Guard: filepath.Join(b.dir, name+".guard", "checkpoint"), Signer: b.signer()})
	b.must(err)
	b.Cleanup(func() { l.Close() })
	return l
}

func (b *blackout) start() {
	b.Helper()
	b.command = exec.Command(b.program, "witness", "--data", "witness", "--name", "witness.example/w1", "--logs", "logs.policy", "--listen", "127.0.0.1:0")
	b.command.Dir, b.command.Env = b.dir, append(os.Environ(), "WRIT_PASSPHRASE=power")
	var messages bytes.Buffer
	b.command.Stderr = &messages
	out, err := b.command.StdoutPipe()
	b.must(err)
	b.must(b.command.Start())
	said := bufio.NewReader(out)
	for range 2 {
		if b.url, err = said.ReadString('\n'); err != nil {
			b.Fatalf("no start after %d were cosigned: %v\n%s", b.cosigned, err, &messages)
		}
	}
	b.url = strings.TrimSpace(b.url)
}

// grow adds an entry to a log and returns the request from another size.
func (b *blackout) grow(l *log.Log, name string, older int64) witness.Request {
	for first := true; first || l.Size() <= older; first = false {
		c, err := l.Stage(l.Size(), [][]byte{[]byte(name)})
		b.must(err)
		b.must(l.Keep(b.Context(), c))
	}
	r := witness.Request{Old: older, Checkpoint: l.CommitCheckpoint()}
	if older > 0 {
		var err error
		r.Proof, err = l.Consistency(older, l.Size())
		b.must(err)
	}
	return r
}

func (b *blackout) post(ctx context.Context, r witness.Request) (status int, body string, err error) {
	in, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/add-checkpoint", bytes.NewReader(r.Marshal()))
	b.must(err)
	out, err := http.DefaultClient.Do(in)
	if err != nil {
		return 0, "", err
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	return out.StatusCode, string(data), err
}

// feedUntilDark has checkpoints cosigned until the power goes, after so many changes of the disk.
func (b *blackout) feedUntilDark(trunk *log.Log, after int) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	dark := b.disk.PowerOff(after)
	go func() {
		select {
		case <-dark:
		case <-ctx.Done():
		}
		cancel()
	}()
	for {
		status, body, err := b.post(ctx, b.grow(trunk, "trunk", b.cosigned))
		if err != nil {
			return
		}
		if status != http.StatusOK {
			b.Fatalf("%d %s", status, body)
		}
		b.cosigned = trunk.Size()
	}
}

// remembers asks the witness what it cosigned last, which is what got out or one that nearly did, and shows it the fork.
func (b *blackout) remembers(trunk, fork *log.Log) {
	b.Helper()
	status, body, err := b.post(b.Context(), b.grow(trunk, "trunk", 0))
	b.must(err)
	if status == http.StatusOK && b.cosigned == 0 {
		b.cosigned = trunk.Size()
		return
	}
	size, err := strconv.ParseInt(strings.TrimSpace(body), 10, 64)
	if status != http.StatusConflict || err != nil || size < b.cosigned || size > trunk.Size() {
		b.Fatalf("%d entries were cosigned, the witness says %d %s", b.cosigned, status, body)
	}
	b.cosigned = size
	if status, body, err := b.post(b.Context(), b.grow(fork, "fork", size)); status != http.StatusUnprocessableEntity {
		b.Fatalf("the fork: %d %s %v", status, body, err)
	}
}
