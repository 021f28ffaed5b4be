package log

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkBatch is what a commit pays: Stage, Keep, and a proof for each leaf, on real files.
func BenchmarkBatch(b *testing.B) {
	for _, leaves := range []int64{1, 64} {
		b.Run(fmt.Sprintf("leaves=%d", leaves), func(b *testing.B) {
			l := benchLog(b)
			batch := testEntries(0, leaves)
			for n := 0; b.Loop(); n++ {
				if n%100 == 99 { // else Keep syncs when too many files are open
					b.StopTimer()
					publish(b, l)
					b.StartTimer()
				}
				first := l.Size()
				c, err := l.Stage(first, batch)
				if err != nil {
					b.Fatal(err)
				}
				if err := l.Keep(ctx, c); err != nil {
					b.Fatal(err)
				}
				for i := range leaves {
					if _, err := l.Proof(first + i); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkPublish(b *testing.B) {
	l := benchLog(b)
	for b.Loop() {
		grow(b, l, 64)
		publish(b, l)
	}
}

func BenchmarkProof(b *testing.B) {
	l := benchLog(b)
	for b.Loop() {
		if _, err := l.Proof(l.Size() - 1000); err != nil {
			b.Fatal(err)
		}
	}
}

func benchLog(b *testing.B) *Log {
	dir := b.TempDir()
	l := openTest(b, Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"), Signer: testSigner(1, nil)})
	grow(b, l, 100_000)
	return l
}
