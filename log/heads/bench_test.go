package heads

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/writ-trust/writ/log"
)

// million is a map of so many chains, in memory once a benchmark.
func million(b *testing.B) *Map {
	m := new(Map)
	m.Load(func(yield func(Chain, Head) bool) {
		for i := range uint64(1_000_000) {
			if !yield(numbered(i), Head{1, int64(i), log.Hash{}}) {
				return
			}
		}
	})
	m.Root()
	return m
}

func numbered(i uint64) Chain {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
}

// BenchmarkLoad is a start with a million chains; it says how many bytes stay in memory for each.
func BenchmarkLoad(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := million(b)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(m.Len()), "bytes/chain")
		runtime.KeepAlive(m)
	}
}

// BenchmarkPublish is what one second of n entries on other chains each costs at a million chains.
func BenchmarkPublish(b *testing.B) {
	m, index := million(b), int64(2_000_000)
	for _, n := range []uint64{1, 1_000, 80_000} {
		b.Run(name(n), func(b *testing.B) {
			seqs := map[Chain]int64{}
			for i := range n {
				c := numbered(i * 7919 % 1_000_000)
				h, _ := m.Head(c)
				seqs[c] = h.Seq
			}
			for b.Loop() {
				for c, seq := range seqs {
					index++
					seqs[c] = seq + 1
					if err := m.Add(c, Head{seq + 1, index, log.Hash{}}); err != nil {
						b.Fatal(err)
					}
				}
				m.Root()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
		})
	}
}

func name(n uint64) string {
	return map[uint64]string{1: "one", 1_000: "thousand", 80_000: "eighty-thousand"}[n]
}

func BenchmarkProve(b *testing.B) {
	m := million(b)
	i := uint64(0)
	for b.Loop() {
		m.Prove(numbered(i % 2_000_000)).Marshal()
		i += 7919
	}
}
