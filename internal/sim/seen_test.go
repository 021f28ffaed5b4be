package sim

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// seen is everything that anybody was ever shown of the ledger: what it may never take back.
type seen struct {
	records  map[string]spec.Record // acknowledged, by digest
	roots    map[int64]log.Hash     // of each checkpoint that was signed, by size
	shown    int64                  // size of the largest one that was published
	contents map[string]bool        // of chains
}

func (v *seen) init() {
	v.records, v.roots, v.contents = map[string]spec.Record{}, map[int64]log.Hash{}, map[string]bool{}
}

// signed notes a checkpoint that the key signs.
func (v *seen) signed(s *simulation, text string) {
	c, err := log.ParseCheckpoint(text)
	s.must(err)
	if root, ok := v.roots[c.Size]; ok && root != c.Root {
		s.fatal("two roots signed for size %d: a fork", c.Size)
	}
	v.roots[c.Size] = c.Root
}

// published notes the checkpoint that is served.
func (v *seen) published(s *simulation, signed []byte) {
	c, err := log.OpenCheckpoint(signed, &s.LogSigner().Verifier)
	s.must(err)
	if c.Size < v.shown {
		s.fatal("%d entries are published, %d were before", c.Size, v.shown)
	}
	v.shown = c.Size
}

// acknowledged notes a record that a client was given, after checking its proof; one document has one place.
func (v *seen) acknowledged(s *simulation, r spec.Record) {
	s.checkProof(r)
	if before, ok := v.records[r.Document.Digest]; ok && !same(before, r) {
		s.fatal("%s was acknowledged at %d and is now at %d, or with other bytes", r.Document.Type, before.Index, r.Index)
	}
	v.records[r.Document.Digest] = r
}

func same(a, b spec.Record) bool {
	return a.Index == b.Index && bytes.Equal(a.Document.Bytes(), b.Document.Bytes()) && bytes.Equal(a.Entry.Bytes(), b.Entry.Bytes())
}

func (s *simulation) checkProof(r spec.Record) {
	proof, err := log.ParseProof(r.Proof)
	s.must(err)
	if _, err := log.CheckInclusion(proof, log.RecordHash(r.Entry.Bytes()), writtest.Origin, s.policy); err != nil || proof.Index != r.Index {
		s.fatal("%s: the proof of entry %d at %d: %v", r.Document.Type, proof.Index, r.Index, err)
	}
}

// check holds the whole ledger against all that was ever shown of it, and against itself.
func (s *simulation) check() {
	all := s.everything()
	leaves := s.checkEntries(all)
	byIndex := map[int64]spec.Record{}
	for _, r := range all {
		byIndex[r.Index] = r
	}
	for digest, want := range s.seen.records {
		if got, there := byIndex[want.Index]; !there || !same(got, want) || got.Document.Digest != digest {
			s.fatal("acknowledged at %d and gone: %s", want.Index, want.Document.Type)
		}
	}
	s.checkRoots(leaves)
	s.checkRebuild(all)
	s.checkAccounts(all)
	s.counts["check"]++
}

// checkEntries holds the log's entries against the journal's, and each heads entry, which is no record, against the entries before it.
func (s *simulation) checkEntries(all []spec.Record) (leaves []log.Hash) {
	var replayed heads.Map
	for i := range s.log.Size() {
		entry, err := s.log.Entry(i)
		s.must(err)
		leaves = append(leaves, log.RecordHash(entry))
		e, err := spec.ParseEntry(entry)
		s.must(err)
		if e.Kind == spec.EntryHeads {
			if e.Root != spec.HeadsEntry(replayed.Root()).Root {
				s.fatal("entry %d has other heads than the entries before it", i)
			}
			continue
		}
		if len(all) == 0 || all[0].Index != i || !bytes.Equal(entry, all[0].Entry.Bytes()) {
			s.fatal("entry %d of the log is not the next of the journal", i)
		}
		all = all[1:]
		for _, l := range e.Links {
			chain, err := spec.DigestBytes(l.Chain)
			s.must(err)
			s.must(replayed.Add(chain, heads.Head{Seq: l.Seq, Index: i, Leaf: leaves[i]}))
		}
	}
	if len(all) > 0 {
		s.fatal("the log has %d entries, the journal one at %d", s.log.Size(), all[0].Index)
	}
	return leaves
}

// everything is every record, in the order of the log, read chain by chain.
func (s *simulation) everything() []spec.Record {
	byIndex := map[int64]spec.Record{}
	for _, content := range slices.Sorted(maps.Keys(s.seen.contents)) {
		records, err := s.journal.Chain(context.Background(), org, content, 1, 0)
		if reasonOf(err) == "not-found" {
			continue
		}
		s.must(err)
		for _, r := range records {
			byIndex[r.Index] = r
		}
	}
	all := make([]spec.Record, 0, len(byIndex))
	for _, i := range slices.Sorted(maps.Keys(byIndex)) {
		all = append(all, byIndex[i])
	}
	return all
}

// checkRoots holds every checkpoint that was ever signed against the tree that there is: none may be of another one.
func (s *simulation) checkRoots(leaves []log.Hash) {
	tree := newTree(leaves)
	for _, size := range slices.Sorted(maps.Keys(s.seen.roots)) {
		if size > int64(len(leaves)) {
			s.fatal("a checkpoint of size %d was signed, and there are %d entries", size, len(leaves))
		}
		if size > 0 && tree.root(0, size) != s.seen.roots[size] {
			s.fatal("the log does not continue its checkpoint of size %d: a fork", size)
		}
	}
}

// checkRebuild folds Apply over all documents and compares, as of now, with what the journal reads.
func (s *simulation) checkRebuild(all []spec.Record) {
	ctx := context.Background()
	rebuilt, refs, decisions := spec.States{}, []spec.ChainRef(nil), []string(nil)
	for i, r := range all {
		for _, l := range r.Entry.Links {
			if rebuilt[l.Chain] == nil {
				rebuilt[l.Chain] = s.emptyChain(l.Chain)
				refs = append(refs, spec.ChainRef{Content: rebuilt[l.Chain].Content})
			}
		}
		if d, ok := r.Document.Body.(*spec.Decision); ok && d.Result == spec.Authorized {
			decisions = append(decisions, r.Document.Digest)
		}
		next, again, err := rebuilt.Record(r.Document, spec.At(r.At), func([]string) spec.Salts { return spec.Salts{Entry: r.Salt, Links: r.Seeds} })
		if err != nil || !bytes.Equal(again.Entry.Bytes(), r.Entry.Bytes()) {
			s.fatal("entry %d, a %s, comes out otherwise: %v", i, r.Document.Type, err)
		}
		rebuilt = next
	}
	if len(refs) == 0 {
		return
	}
	live, err := s.journal.States(ctx, org, refs, decisions)
	s.must(err)
	for chain, want := range rebuilt.At(s.Now) {
		if got := live[chain]; got == nil {
			s.fatal("the journal does not have a chain of kind %s", want.Kind)
		} else if a, b := describe(got, nil), describe(want, got.Windows); a != b {
			s.fatal("the projections of a %s say\n%s\nthe documents\n%s", want.Kind, a, b)
		}
	}
}

// emptyChain is the chain with this id before its first entry.
func (s *simulation) emptyChain(id string) *spec.State {
	for content := range s.seen.contents {
		ref := s.clients.refs[content]
		chain, err := spec.ChainID(ref.Salt, ref.Log, content)
		s.must(err)
		if chain == id {
			return &spec.State{Chain: id, Kind: ref.Kind, Content: content}
		}
	}
	s.fatal("an entry of a chain that nobody began")
	return nil
}

// describe says all of a state that counts. The journal loads only the windows that still matter: those are compared.
func describe(s *spec.State, loaded []spec.Window) string {
	var out bytes.Buffer
	fmt.Fprintln(&out, s.Kind, s.Status, s.Seq, s.Head, s.At.UnixMilli(), s.Since.UnixMilli())
	for _, p := range s.Pending {
		fmt.Fprintln(&out, "pending", p.Document.Digest, p.At.UnixMilli())
	}
	for _, w := range s.Windows {
		same := func(o spec.Window) bool {
			return o.Constraint == w.Constraint && o.Unit == w.Unit && o.From.Equal(w.From)
		}
		if loaded == nil || slices.ContainsFunc(loaded, same) || w.Held > 0 {
			fmt.Fprintln(&out, "window", w.Constraint, w.Unit, w.From.UnixMilli(), w.To.UnixMilli(), w.Max, w.Lifted, w.Held, w.Committed, w.Excess, w.Lifts)
		}
	}
	for _, h := range s.Holds {
		fmt.Fprintln(&out, "hold", h.Decision, h.Status, h.Begin, h.Amount, h.Captured, h.Executed, h.Final, h.ExecuteBefore.UnixMilli(), len(h.Lines))
	}
	for _, v := range s.Versions {
		fmt.Fprintln(&out, "version", v.Content, v.At.UnixMilli(), v.Vetoed)
	}
	return out.String()
}

// checkAccounts is conservation by the plainest model that there is: per window and hold, what is charged, what was executed above
// it, and what stands of its lift, in the order of the log.
func (s *simulation) checkAccounts(all []spec.Record) {
	accounts := map[string][]*charge{}
	holds := map[string][]*charge{}
	for _, r := range all {
		for _, charges := range holds {
			for _, c := range charges {
				c.lapse(r.At)
			}
		}
		switch b := r.Document.Body.(type) {
		case *spec.Decision:
			s.book(r, b, accounts, holds)
		case *spec.Begin:
			for _, c := range holds[b.Decision] {
				c.entered = true
			}
		case *spec.Report:
			for _, c := range holds[b.Decision] {
				c.report(b)
			}
		}
		for key, charges := range accounts {
			if t := sum(charges); t.used > charges[0].max+t.lifted+t.excess {
				s.fatal("after entry %d %s holds %d of %d, lifts %d, excess %d", r.Index, key, t.used, charges[0].max, t.lifted, t.excess)
			}
		}
	}
}

// book checks a decision's rows against the account, and charges them.
func (s *simulation) book(r spec.Record, d *spec.Decision, accounts, holds map[string][]*charge) {
	for _, u := range d.Usage {
		if u.Unit == "count" {
			continue
		}
		key := u.Mandate + " " + u.Constraint + " " + u.From.String()
		before := sum(accounts[key])
		c := &charge{max: minor(u.Max), amount: minor(u.Amount), left: minor(u.Amount), lift: minor(u.Lift), before: d.ExecuteBefore.Time,
			self: d.SelfExecuted, entered: d.Charged}
		if used := minor(u.Before.Held) + minor(u.Before.Committed); used != before.used || minor(u.Before.Lifted) != before.lifted ||
			minor(u.Before.Excess) != before.excess {
			s.fatal("entry %d found %+v in %s, the account says %+v", r.Index, u.Before, key, before)
		}
		if d.Result != spec.Authorized {
			continue
		}
		if before.used+c.amount > c.max+before.lifted+c.lift {
			s.fatal("entry %d takes %d of %s, where %+v of %d is used", r.Index, c.amount, key, before, c.max)
		}
		accounts[key] = append(accounts[key], c)
		holds[r.Document.Digest] = append(holds[r.Document.Digest], c)
	}
}

// charge is what one decision takes from one window, in minor units. Of left nothing is executed yet, and nothing released.
type charge struct {
	max, amount, left, lift int64
	executed, excess        int64
	before                  time.Time // it must be entered by then
	self, entered           bool
}

type sums struct{ used, lifted, excess int64 }

func sum(all []*charge) (t sums) {
	for _, c := range all {
		t.used += c.used()
		t.lifted += c.lift
		t.excess += c.excess
	}
	return t
}

func (c *charge) used() int64 {
	if c.self {
		return c.amount + c.excess
	}
	return c.left + c.executed
}

// lapse releases a hold that nobody entered in time.
func (c *charge) lapse(now time.Time) {
	if !c.self && !c.entered && !now.Before(c.before) {
		c.release()
	}
}

// release gives back what is left, the lift first.
func (c *charge) release() {
	c.lift -= min(c.left, c.lift)
	c.left = 0
}

func (c *charge) report(r *spec.Report) {
	switch r.Outcome {
	case spec.OutcomeExecuted:
		amount, within := c.amount, int64(0)
		if r.Amount != nil {
			amount = r.Amount.Minor
		}
		if c.entered || c.self {
			within = min(amount, c.left)
		}
		c.left -= within
		c.executed += amount
		c.excess += amount - within
		if r.Final && !c.self {
			c.release()
		}
	case spec.OutcomeFailed, spec.OutcomeNotEntered:
		c.release()
	}
}
