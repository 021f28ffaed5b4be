package main

import (
	"bytes"
	"context"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// entries reads the whole log through its tiles, as anybody may, once everything acknowledged is published.
func (l *load) entries(ctx context.Context) [][]byte {
	l.t.Helper()
	var size int64
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		signed, err := l.acme.Tile(ctx, "checkpoint")
		if err == nil {
			c, err := l.policy.Verify(signed, l.ledger.Log.Origin)
			l.must(err)
			if size = c.Size; size > l.newest() {
				l.sizes[c.Size] = c.Root
				break
			}
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("published %d entries, and entry %d was acknowledged", size, l.newest())
		}
	}
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		tile := log.Tile{Level: log.Entries, Index: first / 256, Width: int(min(256, size-first))}
		data, err := l.acme.Tile(ctx, tile.Path())
		l.must(err)
		bundle, err := log.ParseBundle(data)
		l.must(err)
		all = append(all, bundle...)
	}
	return all
}

func (l *load) newest() int64 {
	var n int64 = -1
	for _, r := range l.records {
		n = max(n, r.Index)
	}
	return n
}

// settled is when nothing moves by itself any more: callers wait for people for a second, and what is authorised then lapses two
// seconds later.
const settled = 4 * time.Second

// audit holds everything that was acknowledged against the log and the account: each entry is where its proof said, the log has
// each root that was ever shown, the chain has no gap, and the sums are those of the reports.
func (l *load) audit(ctx context.Context) {
	l.t.Helper()
	time.Sleep(settled)
	l.sums(ctx, l.history(ctx))
}

// history is the audit's first half, which does not wait: the log. It returns where each chain is.
func (l *load) history(ctx context.Context) map[string]int64 {
	l.t.Helper()
	all := l.entries(ctx)
	for _, r := range l.records {
		if r.Index >= int64(len(all)) || !bytes.Equal(all[r.Index], r.Entry.Canonical()) {
			l.t.Fatalf("entry %d was acknowledged and is not in the log", r.Index)
		}
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, e := range all {
		l.must(tree.Append(rfc6962.DefaultHasher.HashLeaf(e), nil))
		if root, seen := l.sizes[int64(i+1)]; seen {
			got, err := tree.GetRootHash(nil)
			l.must(err)
			if !bytes.Equal(got, root[:]) {
				l.t.Fatalf("the log does not have the root that it showed at size %d", i+1)
			}
		}
	}
	return l.replay(all)
}

// sums adds up the receipts and holds them against the account.
func (l *load) sums(ctx context.Context, seqs map[string]int64) {
	m, day, err := l.daily(ctx, l.main)
	l.must(err)
	if m.Seq != seqs[m.Chain] {
		l.t.Errorf("the mandate is at seq %d, the log at %d", m.Seq, seqs[m.Chain])
	}
	var reported, begun int64
	for _, a := range l.answers {
		if a.Result != spec.Authorized {
			continue
		}
		receipt, err := l.acme.Receipt(ctx, a.Digest)
		l.must(err)
		doc, err := a.Document()
		l.must(err)
		action, err := spec.ParseAction(doc.Body.(*spec.Decision).Action)
		l.must(err)
		switch receipt.Outcome {
		case spec.OutcomeExecuted:
			terms := receipt.Receipt
			value, ok := terms.Lookup("/credentialSubject/receipt/amount/value")
			if !ok {
				l.t.Fatalf("a receipt of what was executed has no amount")
			}
			text, _ := value.Text()
			amount, err := rule.ParseUnits(text, "EUR")
			l.must(err)
			if acknowledged, ok := l.executed[a.Digest]; ok && acknowledged != amount {
				l.t.Errorf("a report of %d was acknowledged, the receipt says %d", acknowledged, amount)
			}
			reported += amount
		case spec.OutcomeUnknown:
			begun += action.Amount.Minor
		}
	}
	committed, err := rule.ParseUnits(day.Committed, "EUR")
	l.must(err)
	held, err := rule.ParseUnits(day.Held, "EUR")
	l.must(err)
	if committed != reported || held != begun {
		l.t.Errorf("the account has %d committed and %d held; the receipts add up to %d executed and %d begun", committed, held, reported, begun)
	}
	l.lifts = day.Lifts
	max, _ := rule.ParseUnits(day.Max, "EUR")
	lifted, _ := rule.ParseUnits(day.Lifted, "EUR")
	if committed+held > max+lifted {
		l.t.Errorf("%d used of %d with %d lifted", committed+held, max, lifted)
	}
	l.t.Logf("%d requests, %d acknowledged documents, %d checkpoints, %d committed, %d begun, %d lifted", len(l.answers), len(l.records), len(l.sizes),
		committed, begun, lifted)
}
