package main

import (
	"testing"

	"github.com/writ-trust/writ/verifier"
)

// BenchmarkJudge is the case of the figure with the target, for a profile.
func BenchmarkJudge(b *testing.B) {
	for _, last := range lastLimits {
		c, states, now, err := decidingCase(append(commonLimits[:len(commonLimits):len(commonLimits)], last.text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(last.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Judge(c, states, now); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(last.name+", document", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Decide(c, states, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
