package writtest

import (
	"context"
	"slices"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// LogHeads records a heads entry over all that was recorded so far, with changes, which make it a lie.
func (l *Ledger) LogHeads(changes ...func(*heads.Map)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.replay(len(l.records))
	for _, c := range changes {
		c(m)
	}
	l.records = append(l.records, spec.Record{Document: spec.Document{Digest: "heads"}, Entry: spec.HeadsEntry(m.Root()), Index: int64(len(l.records)),
		At: l.World.Now})
}

// replay is the map of the first n records.
func (l *Ledger) replay(n int) *heads.Map {
	m := new(heads.Map)
	for _, r := range l.records[:n] {
		for _, link := range r.Entry.Links {
			chain := must(spec.DigestBytes(link.Chain))
			if err := m.Add(chain, heads.Head{Seq: link.Seq, Index: r.Index, Leaf: log.RecordHash(r.Entry.Bytes())}); err != nil {
				panic("writtest: " + err.Error())
			}
		}
	}
	m.Root()
	return m
}

// Heads is what the newest heads entry says of chains, if it says the truth.
func (l *Ledger) Heads(chains []heads.Chain) (heads.Shown, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range slices.Backward(l.records) {
		if r.Entry.Kind == spec.EntryHeads {
			return l.replay(i).Show(r.Index, chains), nil
		}
	}
	return heads.Shown{}, spec.Refuse("heads-not-ready", "", "no heads entry here")
}

// RecordAt is the record of an entry.
func (l *Ledger) RecordAt(_ context.Context, _ string, index int64) (spec.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[index], nil
}
