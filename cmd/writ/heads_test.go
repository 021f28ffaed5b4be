package main

import (
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// replay follows the chains through the published entries: none has a gap, each heads entry has the root of the heads before it, and one
// is the last.
func (l *load) replay(all [][]byte) map[string]int64 {
	l.t.Helper()
	var replayed heads.Map
	seqs, kind := map[string]int64{}, ""
	for i, data := range all {
		e, err := spec.ParseEntry(data)
		l.must(err)
		if kind = e.Kind; kind == spec.EntryHeads && e.Root != spec.HeadsEntry(replayed.Root()).Root {
			l.t.Fatalf("entry %d has other heads than the entries before it", i)
		}
		for _, link := range e.Links {
			chain, err := spec.DigestBytes(link.Chain)
			l.must(err)
			l.must(replayed.Add(chain, heads.Head{Seq: link.Seq, Index: int64(i), Leaf: log.RecordHash(data)}))
			seqs[link.Chain] = link.Seq
		}
	}
	if kind != spec.EntryHeads {
		l.t.Fatalf("the last of %d published entries is of kind %s", len(all), kind)
	}
	return seqs
}
