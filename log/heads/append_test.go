//go:build unix

package heads

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/writ-trust/writ/log"
)

// BenchmarkAppend is a log of 300-byte entries with the heads of a million chains beside it, and without: what the log computes and
// writes for 8,192 entries in batches of 512 with a proof for each, and then the heads of them all, each of another chain. rate is the
// share of the rate that is left, by the least processor time of each over the run.
func BenchmarkAppend(b *testing.B) {
	const batches, batch = 16, 512
	m, l := million(b), benchLog(b)
	seqs := make([]int64, 1_000_000)
	next := uint64(0)
	without, with := time.Duration(1<<62), time.Duration(1<<62)
	round := func(headed bool) time.Duration {
		start := processorTime(b)
		for range batches {
			first, entries := l.Size(), make([][]byte, batch)
			for i := range entries {
				entries[i] = bytes.Repeat([]byte{byte(i)}, 300)
			}
			appendAll(b, l, entries)
			for i := 0; headed && i < batch; i++ {
				n := next * 7919 % 1_000_000
				next, seqs[n] = next+1, seqs[n]+1
				m.Put(numbered(n), Head{seqs[n] + 1, 1_000_000 + first + int64(i), log.RecordHash(entries[i])})
			}
		}
		if headed {
			m.Root()
		}
		return processorTime(b) - start
	}
	for b.Loop() {
		without, with = min(without, round(false)), min(with, round(true))
		if _, err := l.Publish(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(without)/float64(with), "rate")
	b.ReportMetric(float64(with-without)/(batches*batch), "ns-of-heads/entry")
}

func benchLog(b *testing.B) *log.Log {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, err := log.NewSigner("bench", key.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(key, text), nil })
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	l, err := log.Open(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"), Signer: signer})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

// appendAll stages and keeps entries and proves each.
func appendAll(b *testing.B, l *log.Log, entries [][]byte) {
	first := l.Size()
	c, err := l.Stage(first, entries)
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Keep(context.Background(), c); err != nil {
		b.Fatal(err)
	}
	for i := range entries {
		if _, err := l.Proof(first + int64(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
