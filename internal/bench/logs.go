package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writ-trust/writ/log"
)

// logEntry is the size of the entries that logs get here, ours and others', in bytes.
const logEntry = 300

// What a caller of Tessera waits for.
const (
	tesseraIndex      = "Tessera on files, durable index; no checkpoint, no proof"
	tesseraCheckpoint = "Tessera on files, published checkpoint; no proof is made"
	tesseraTuned      = "batches of 1 ms, checkpoints of 100 ms, which is its floor"
)

// logs measures the log by itself: durable append to inclusion proof, beside Tessera's on the same disk. The program is built from
// conformance/interop/tlog.
func (r *run) logs() (err error) {
	dir, err := os.MkdirTemp(r.disk, "writ-bench-log-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	floor, err := r.pageSync(dir)
	if err != nil {
		return err
	}
	r.add("floor", "one write and fsync of one page behind the end of a file", µs(floor), "µs")
	return errors.Join(r.appends(dir, floor), r.logGrowth(dir))
}

// pageSync is what one durable append cannot be faster than.
func (r *run) pageSync(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "page"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page, at := make([]byte, 4096), int64(0)
	took, err := r.each(r.several(400, 20), func() error {
		if _, err := f.WriteAt(page, at); err != nil {
			return err
		}
		at += int64(len(page))
		return f.Sync()
	})
	return quantile(took, 0.5), err
}

// appends are the figures by callers.
func (r *run) appends(dir string, floor time.Duration) error {
	for _, c := range []struct{ callers, entries, short int }{{1, 1000, 20}, {64, 50_000, 500}, {1024, 400_000, 5000}} {
		l, err := openLog(filepath.Join(dir, strconv.Itoa(c.callers)))
		if err != nil {
			return err
		}
		took, rate, err := r.appendBy(l, c.callers, r.several(c.entries, c.short))
		if err := errors.Join(err, l.close()); err != nil {
			return err
		}
		p50 := r.add("log append to proof", callersOf(c.callers)+", p50", µs(quantile(took, 0.5)), "µs")
		if c.callers == 1 {
			p50.over(µs(floor)).ratioAtMost(4)
		}
		r.add("log append to proof", callersOf(c.callers)+", p99", µs(quantile(took, 0.99)), "µs")
		f := r.add("log append to proof", callersOf(c.callers)+", rate", rate, "entries/s")
		if c.callers == 1024 {
			f.target("≥ 80000 entries/s", rate >= 80_000)
			if err := r.logBytes(l.dir, len(took)); err != nil {
				return err
			}
		}
		if err := r.tessera(dir, c.callers, r.several(c.entries/20, c.short/10), µs(quantile(took, 0.5)), rate); err != nil {
			return err
		}
	}
	return nil
}

// logBytes says what the closed log takes beside the entries.
func (r *run) logBytes(dir string, entries int) error {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	r.add("log on disk", "beside the entries, each", float64(size)/float64(entries)-logEntry, "bytes").atMost(50)
	return err
}

// tessera runs the peer with the same load, and sets ours beside it.
func (r *run) tessera(dir string, callers, n int, ours, rate float64) error {
	program := filepath.Join(r.peers, "tessera")
	if _, err := os.Stat(program); r.peers == "" || errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(r.out, "\nTessera: NOT MEASURED: name the folder of the program tessera with -peers (make bench builds it)")
		return nil
	}
	for _, row := range []struct {
		until, name string
		target      float64
	}{{"index", tesseraIndex, 5}, {"checkpoint", tesseraCheckpoint, 50}} {
		folder := filepath.Join(dir, "tessera-"+row.until+strconv.Itoa(callers))
		out, err := exec.CommandContext(r.ctx, program, "-dir", folder, "-callers", strconv.Itoa(callers), "-n", strconv.Itoa(max(n, callers)), "-until", row.until).Output()
		if err != nil {
			return fmt.Errorf("tessera: %w", err)
		}
		var theirs struct{ P50, P99, Rate float64 }
		if err := json.Unmarshal(out, &theirs); err != nil {
			return fmt.Errorf("tessera: %w", err)
		}
		r.add("log peers", row.name+", "+callersOf(callers)+", p50", theirs.P50, "µs").noting(tesseraTuned)
		r.add("log peers", row.name+", "+callersOf(callers)+", p99", theirs.P99, "µs").noting(tesseraTuned)
		if f := r.add("log peers", row.name+", beside ours, "+callersOf(callers)+", p50", theirs.P50, "µs").beside(ours); callers == 1 {
			f.ratioAtLeast(row.target)
		}
		if f := r.add("log peers", "ours beside "+row.name+", "+callersOf(callers)+", rate", rate, "entries/s").beside(theirs.Rate); callers == 1024 {
			f.ratioAtLeast(10)
		}
	}
	return nil
}

// logGrowth compares a small log with a large one: appends, and the start after a crash, with entries that only the record has.
func (r *run) logGrowth(dir string) error {
	small, large := int64(10_000), int64(r.several(1_000_000, 20_000))
	if r.long {
		large = 10_000_000
	}
	var rates [2]float64
	for i, size := range []int64{small, large} {
		folder := filepath.Join(dir, "grown")
		if err := fillLog(folder, size); err != nil {
			return err
		}
		start := r.now()
		l, err := openLog(folder)
		if err != nil {
			return err
		}
		if _, _, err := l.Append(r.ctx, make([]byte, logEntry)); err != nil {
			return err
		}
		if started := r.now().Sub(start); i == 1 {
			r.add("log start to first proof", fmt.Sprintf("%d entries", size), µs(started), "µs").atMost(1e6)
		}
		_, rates[i], err = r.appendBy(l, 1024, r.several(200_000, 5000))
		if err := errors.Join(err, l.close(), os.RemoveAll(folder)); err != nil {
			return err
		}
	}
	r.add("log append to proof", fmt.Sprintf("1024 callers, at %d entries beside at %d, time of one", large, small), 1e6/rates[1], "µs").
		over(1e6 / rates[0]).ratioAtMost(1.2)
	return nil
}

// benchLog is a log of its own in a folder.
type benchLog struct {
	*log.Appender
	dir string
}

func logOptions(dir string) (log.Options, error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, err := log.NewSigner("bench.example/log", key.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil })
	return log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: signer}, err
}

func openLog(dir string) (benchLog, error) {
	o, err := logOptions(dir)
	if err != nil {
		return benchLog{}, err
	}
	a, err := log.OpenAppender(o)
	return benchLog{a, dir}, err
}

func (l benchLog) close() error {
	_, err := l.Publish(context.Background())
	return errors.Join(err, l.Close())
}

// fillLog makes a published log of so many entries.
func fillLog(dir string, size int64) error {
	o, err := logOptions(dir)
	if err != nil {
		return err
	}
	l, err := log.Open(o)
	if err != nil {
		return err
	}
	leaves := slices.Repeat([][]byte{make([]byte, logEntry)}, 10_000)
	for l.Size() < size {
		c, err := l.Stage(l.Size(), leaves[:min(int64(len(leaves)), size-l.Size())])
		if err != nil {
			return err
		}
		if err := l.Keep(context.Background(), c); err != nil {
			return err
		}
	}
	_, err = l.Publish(context.Background())
	return errors.Join(err, l.Close())
}

// appendBy sends n entries from so many callers, each with one under way, and publishes each second meanwhile.
func (r *run) appendBy(l benchLog, callers, n int) (took []time.Duration, rate float64, err error) {
	took = make([]time.Duration, n)
	entries := make([]byte, callers*logEntry)
	rand.Read(entries)
	ctx, stop := context.WithCancelCause(r.ctx)
	var next atomic.Int64
	var group sync.WaitGroup
	start := r.now()
	for caller := range callers {
		entry := entries[caller*logEntry : (caller+1)*logEntry]
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				began := r.now()
				if _, _, err := l.Append(ctx, entry); err != nil {
					stop(err)
					return
				}
				took[i] = r.now().Sub(began)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for each := time.NewTicker(time.Second); ; {
			select {
			case <-each.C:
				l.Publish(ctx) // a failure is fatal to the log, and the next Append says so
			case <-ctx.Done():
				each.Stop()
				return
			}
		}
	}()
	group.Wait()
	whole := r.now().Sub(start)
	err = context.Cause(ctx)
	stop(nil)
	<-done
	slices.Sort(took)
	return took, float64(n) / whole.Seconds(), err
}

func callersOf(n int) string {
	if n == 1 {
		return "1 caller"
	}
	return strconv.Itoa(n) + " callers"
}
