package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

const (
	mapClause  = "protocol.md 16.2: the map"
	headClause = "protocol.md 16.5: head proofs"
	liesClause = "protocol.md 16.7: contradictions"
)

func headVectors(b *book) {
	mapVectors(b)
	mapProofs(b)
	headProofs(b)
	contradictions(b)
	headedBundle(b)
}

// someChain is a chain's id with these first bytes.
func someChain(first ...byte) string {
	var id [32]byte
	copy(id[:], first)
	return jcs.FormatDigest(id)
}

func someEntry(chain string, seq, index int64) HeadEntry {
	return HeadEntry{chain, seq, index, jcs.Digest("", []byte{byte(index)})}
}

func mapVectors(b *book) {
	one, two, far := someChain(0x00), someChain(0x00, 0x01), someChain(0x80)
	row := func(name, title, asked string, want HeadEnd, entries ...HeadEntry) {
		h := &Head{Entries: entries, Chain: asked, Want: want}
		if want.Reason == "" {
			h.Want = h.end() // the root and the proof are taken, as digests are
		}
		b.put("head/"+name, Vector{Title: title, Section: mapClause, Kind: KindHead, Head: h})
	}
	first := someEntry(one, 1, 0)
	row("map-of-none", "A map without chains has the hash of nothing as its root.", one, HeadEnd{})
	row("map-of-one", "The root of one chain is its leaf.", one, HeadEnd{}, first)
	row("map-of-two", "A branch stands at the first bit in which its chains differ.", two, HeadEnd{}, first, someEntry(two, 1, 1))
	row("map-of-three", "Nothing stands at the bits that the chains below have in common.", two, HeadEnd{}, first, someEntry(two, 1, 1), someEntry(far, 1, 2))
	row("map-in-another-order", "The map is a function of the heads, not of the order in which chains came.", two, HeadEnd{},
		someEntry(far, 1, 0), someEntry(two, 1, 1), someEntry(one, 1, 2))
	row("map-of-newest", "Only the newest entry of a chain counts.", one, HeadEnd{}, first, someEntry(two, 1, 1), someEntry(one, 2, 2), someEntry(one, 3, 7))
	row("map-absent", "That a chain is not there is shown by the leaf to which the search for it leads.", someChain(0x00, 0x02), HeadEnd{}, first, someEntry(two, 1, 1), someEntry(far, 1, 2))
	row("seq-with-gap", "A chain has no gap.", one, HeadEnd{Reason: "heads-seq"}, first, someEntry(one, 3, 1))
	row("seq-repeated", "A chain has no number twice.", one, HeadEnd{Reason: "heads-seq"}, first, someEntry(one, 1, 1))
	row("seq-from-two", "A chain begins with 1.", one, HeadEnd{Reason: "heads-seq"}, someEntry(one, 2, 0))
	row("index-backwards", "A chain's entries are in log order.", one, HeadEnd{Reason: "heads-seq"}, someEntry(one, 1, 5), someEntry(one, 2, 4))
}

func mapProofs(b *book) {
	leaf := log.Hash{1}.String() + " " + log.Hash{2}.String() + "\n"
	step := func(depth string) string { return depth + " " + log.Hash{3}.String() + "\n" }
	row := func(name, title, text, reason string) {
		want := taken
		if reason != "" {
			want = no(reason, "")
		}
		b.doc("head/"+name, mapClause, title, "heads-proof", text, want)
	}
	const header = "writ/heads-proof/v1\n"
	row("proof", "A leaf, and the branches above it.", header+leaf+step("17")+step("3"), "")
	row("proof-of-the-empty-map", "An empty map has no leaf.", header, "")
	row("proof-of-another-version", "The first line names the version.", "writ/heads-proof/v2\n"+leaf, "heads-proof-syntax")
	row("proof-without-last-newline", "Each line ends.", header+leaf+"3 "+log.Hash{3}.String(), "heads-proof-syntax")
	row("proof-from-the-root", "Branches are given from the leaf up.", header+leaf+step("3")+step("17"), "heads-proof-syntax")
	row("proof-with-one-depth-twice", "There is one branch at a depth.", header+leaf+step("3")+step("3"), "heads-proof-syntax")
	row("proof-with-depth-256", "A chain's id has 256 bits.", header+leaf+step("256"), "heads-proof-syntax")
	row("proof-with-leading-zero", "A depth has one spelling.", header+leaf+step("03"), "heads-proof-syntax")
	row("proof-with-zero-value", "No head has the value zero.", header+log.Hash{1}.String()+" "+log.Hash{}.String()+"\n", "heads-proof-syntax")
}

// lying is a ledger whose heads are changed: what it then shows is proven by its own log, and not by the entries.
type lying struct {
	*life
	change func(*heads.Map)
	entry  int64
}

// lie logs a heads entry over the present entries with a change that no entry bears out.
func (l *life) lie(change func(*heads.Map)) *lying {
	l.machine.ledger.LogHeads(change)
	return &lying{l, change, int64(len(l.machine.ledger.Records()) - 1)}
}

// Heads is the lie.
func (l *lying) Heads(chains []heads.Chain) (heads.Shown, error) {
	var m heads.Map
	for _, r := range l.machine.ledger.Records()[:l.entry] {
		for _, link := range r.Entry.Links {
			chain, err := jcs.ParseDigest(link.Chain)
			l.b.must(err)
			l.b.must(m.Add(chain, heads.Head{Seq: link.Seq, Index: r.Index, Leaf: log.RecordHash(r.Entry.Bytes())}))
		}
	}
	m.Root()
	l.change(&m)
	m.Root()
	return m.Show(l.entry, chains), nil
}

// RecordAt is the ledger's.
func (l *lying) RecordAt(ctx context.Context, org string, index int64) (spec.Record, error) {
	return l.machine.ledger.RecordAt(ctx, org, index)
}

// show is the head proof of a chain.
func (l *life) show(source verifier.Heads, chain string) json.RawMessage {
	l.b.t.Helper()
	data, err := verifier.ShowHead(context.Background(), source, org, chain, nil, l.machine.ledger.Proof)
	l.b.must(err)
	return data
}

func (l *life) chain(d spec.Document) string {
	l.b.t.Helper()
	return l.machine.ledger.All().ByContent(spec.ContentDigest(d.Value)).Chain
}

// headAt is the head that a chain has by its entry of a number.
func (l *life) headAt(chain string, seq int64) heads.Head {
	l.b.t.Helper()
	for _, r := range l.machine.ledger.Records() {
		if link, ok := r.Entry.Link(chain); ok && link.Seq == seq {
			return heads.Head{Seq: seq, Index: r.Index, Leaf: log.RecordHash(r.Entry.Bytes())}
		}
	}
	l.b.t.Fatalf("no entry %d of %s", seq, chain)
	return heads.Head{}
}

// instead is the change that says another head of a chain.
func (l *life) instead(chain string, h heads.Head) func(*heads.Map) {
	id, err := jcs.ParseDigest(chain)
	l.b.must(err)
	return func(m *heads.Map) {
		m.Load(func(yield func(heads.Chain, heads.Head) bool) { yield(id, h) })
	}
}

func headProofs(b *book) {
	l := newLife(b, "head proofs")
	m := l.enrol("mandate", l.Mandate())
	l.machine.ledger.LogHeads()
	chain, roster := l.chain(m), l.chain(l.roster)
	good := l.show(l.machine.ledger, chain)
	newest := l.headAt(chain, 3)
	row := func(name, title string, proof json.RawMessage, want HeadEnd, edits ...Edit) {
		data, err := applyEdits(proof, edits)
		b.must(err)
		b.put("head/"+name, Vector{Title: title, Section: headClause, Kind: KindHead, Head: &Head{Proofs: []json.RawMessage{data}, Trust: l.trace.Trust, Want: want}})
	}
	refuse := func(reason, pointer string) HeadEnd { return HeadEnd{Reason: reason, Pointer: pointer} }
	row("newest", "The newest entry of a mandate's chain.", good, HeadEnd{Seq: 3, Index: newest.Index, Relied: verifier.Asserted})
	none := l.show(l.machine.ledger, someChain(0x77))
	row("absent", "A chain without an entry is shown to have none.", none, HeadEnd{Index: -1, Relied: verifier.Asserted})
	var shown verifier.HeadProof
	b.must(jcs.Unmarshal(good, &shown))
	row("absent-though-there", "A chain that has an entry is not shown to have none.", good, refuse("heads-proof", "/chains/0/map"), remove("/chains/0/newest"), remove("/chains/0/opened"))
	row("absent-by-the-proof-of-another", "The proof that one chain has none says nothing of a chain that is there.", none, refuse("heads-proof", "/chains/0/map"),
		set("/chains/0/chain", roster))
	row("root-edited", "The root is the one that was logged.", good, refuse("proof-inclusion", "/heads/proof"), set("/heads/entry/root", jcs.Digest("", []byte("another"))))
	other := l.machine.ledger.Records()[0]
	proof, err := l.machine.ledger.Proof(0)
	b.must(err)
	row("no-heads-entry", "Only a heads entry says heads.", good, refuse("heads-entry", "/heads/entry/kind"), set("/heads/entry", json.RawMessage(other.Entry.Bytes())), set("/heads/proof", string(proof)))
	older := l.machine.ledger.Records()[l.headAt(chain, 2).Index]
	proof, err = l.machine.ledger.Proof(older.Index)
	b.must(err)
	row("hidden-newest", "An older entry is not shown for the newest.", good, refuse("heads-proof", "/chains/0/map"),
		set("/chains/0/newest/entry", json.RawMessage(older.Entry.Bytes())), set("/chains/0/newest/proof", string(proof)))
	row("state-changed", "The opened state is what the entry commits to.", good, refuse("entry-opened", "/chains/0/opened"), set("/chains/0/opened/status", "revoked"))
	row("of-another-chain", "A chain's newest entry is an entry of it.", good, refuse("heads-entry", "/chains/0/newest"), set("/chains/0/chain", roster))
	id, err := spec.ChainID(jcs.EncodeBase64(make([]byte, 32)), writtest.Origin, spec.ContentDigest(m.Value))
	b.must(err)
	row("of-the-mandate-under-another-salt", "A mandate has one chain: that of its own salt.", good, refuse("heads-entry", "/chains/0/newest"), set("/chains/0/chain", id))
	id, err = spec.ChainID(m.Body.(*spec.Mandate).Terms().Salt, "writ.other.example/log1", spec.ContentDigest(m.Value))
	b.must(err)
	row("of-the-mandate-in-another-log", "A mandate has one chain: that in the log that it names.", good, refuse("heads-entry", "/chains/0/newest"), set("/chains/0/chain", id))
	stranger := log.Checkpoint{Origin: writtest.Origin, Size: 1, Root: log.RecordHash([]byte("x"))}
	signed, err := stranger.Sign(world("a stranger").LogSigner())
	b.must(err)
	text, err := log.ParseProof([]byte(shown.Heads.Proof))
	b.must(err)
	text.Checkpoint = signed
	row("of-two-checkpoints", "All proofs end in one checkpoint.", good, refuse("proof-inclusion", "/heads/proof"), set("/heads/proof", string(text.Marshal())))
	lie := l.lie(l.instead(chain, l.headAt(chain, 2)))
	row("asserted-lie", "A log that tells one lie throughout is believed as asserted: only a replay finds out.", l.show(lie, chain),
		HeadEnd{Seq: 2, Index: older.Index, Relied: verifier.Asserted})
}

func contradictions(b *book) {
	l := newLife(b, "contradictions")
	m := l.enrol("mandate", l.Mandate())
	l.machine.ledger.LogHeads()
	chain := l.chain(m)
	first := l.show(l.machine.ledger, chain)
	roster := l.show(l.machine.ledger, l.chain(l.roster))
	d := l.ask("invoice-1", "4200.00", authorized, m)
	l.machine.ledger.LogHeads()
	honest := l.show(l.machine.ledger, chain)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	back := l.show(l.lie(l.instead(chain, l.headAt(chain, 3))), chain)
	row := func(name, title string, want HeadEnd, proofs ...json.RawMessage) {
		b.put("head/"+name, Vector{Title: title, Section: liesClause, Kind: KindHead, Head: &Head{Proofs: proofs, Trust: l.trace.Trust, Want: want}})
	}
	lied := HeadEnd{Contradicts: true}
	row("chain-went-back", "A chain's head never goes back.", lied, honest, back)
	row("chain-went-back-in-the-other-order", "Which proof comes first says nothing.", lied, back, honest)
	stale := l.show(l.lie(l.instead(chain, l.headAt(chain, 4))), chain)
	l.machine.ledger.LogHeads()
	row("stale-head", "What was logged before a heads entry is in it.", lied, stale, l.show(l.machine.ledger, chain))
	row("grown", "A chain grows: both proofs are of one history.", HeadEnd{Reason: "contradiction-none", Pointer: "/proofs"}, first, honest)
	row("same-proof-twice", "A proof does not contradict itself.", HeadEnd{Reason: "contradiction-none", Pointer: "/proofs"}, first, first)
	row("of-two-chains", "Two chains have nothing to contradict each other in.", HeadEnd{Reason: "contradiction-other", Pointer: "/proofs"}, first, roster)
	changed, err := applyEdits(honest, []Edit{set("/chains/0/newest/entry/links/0/seq", 5)})
	b.must(err)
	row("forged", "Evidence that the log did not sign accuses nobody.", HeadEnd{Reason: "proof-inclusion", Pointer: "/proofs/1/chains/0/newest/proof"}, first, changed)

	// The same key keeps two logs: in one the treasurer's word is the first entry of the mandate's chain, in the other the cfo's.
	var trust json.RawMessage
	fork := func(person string) json.RawMessage {
		f := newLife(b, "fork")
		trust = f.trace.Trust
		m := f.Mandate()
		f.step("propose", "mandate", m, drafted)
		f.step("approve", "word", f.word(person, m), recorded(1))
		f.machine.ledger.LogHeads()
		return f.show(f.machine.ledger, f.chain(m))
	}
	b.put("head/edited-head", Vector{Title: "No chain has two entries of one number.", Section: liesClause, Kind: KindHead,
		Head: &Head{Proofs: []json.RawMessage{fork("treasurer"), fork("cfo")}, Trust: trust, Want: lied}})
}

// headedBundle is a bundle with the heads of its chains.
func headedBundle(b *book) {
	l := newLife(b, "bundle headed")
	m := l.enrol("mandate", l.Mandate())
	d := l.ask("invoice-1", "4200.00", authorized, m)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	l.machine.ledger.LogHeads()
	stale := l.machine.ledger.Records()
	l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4200.00", true), recorded(1))
	l.machine.ledger.LogHeads()
	s := l.shareWith("headed", l.machine.ledger, d)
	s.put("headed", "The heads cover every chain of the bundle.", spec.OutcomeExecuted, BundleEnd{Holds: true})
	refuse := func(name, title, reason, pointer string, edits ...Edit) {
		s.put("headed-"+name, title, spec.OutcomeExecuted, fails("intact", reason, pointer), edits...)
	}
	head := s.read().Head
	refuse("root-edited", "The root is the one that was logged.", "proof-inclusion", "/head/heads/proof", set("/head/heads/entry/root", jcs.Digest("", []byte("x"))))
	refuse("hidden-chain", "No chain of the bundle is left out.", "heads-chains", "/head/chains", remove("/head/chains/0"))
	refuse("chain-twice", "Each chain once.", "heads-chains", "/head/chains/1", add("/head/chains/0", head.Chains[0]))
	refuse("not-opened", "The newest state of each chain is opened.", "entry-opened", "/head/chains/0", remove("/head/chains/0/opened"))
	last := stale[len(stale)-1]
	earlier := verifier.Head{Windows: head.Windows}
	for _, c := range head.Chains {
		var shown verifier.HeadProof
		b.must(jcs.Unmarshal(l.show(&lying{l, func(*heads.Map) {}, last.Index}, c.Chain), &shown))
		earlier.Heads, earlier.Chains = shown.Heads, append(earlier.Chains, shown.Chains[0])
	}
	v, err := jcs.ValueOf(earlier)
	b.must(err)
	refuse("stale", "The heads are newer than all that the bundle has.", "heads-stale", "/head/heads", set("/head", v))
	old := stale[len(stale)-2]
	proof, err := l.machine.ledger.Proof(old.Index)
	b.must(err)
	refuse("hidden-entry", "An entry of the bundle is not behind the head of its chain.", "heads-proof", "/head/chains/"+s.chainOf(m)+"/map",
		set("/head/chains/"+s.chainOf(m)+"/newest/entry", json.RawMessage(old.Entry.Bytes())), set("/head/chains/"+s.chainOf(m)+"/newest/proof", string(proof)))
	usage := func(name, title, reason, pointer string, edits ...Edit) {
		s.put("headed-"+name, title, spec.OutcomeExecuted, fails("usage proven", reason, pointer), edits...)
	}
	usage("window-salt", "The totals are those that the decision's entry commits to.", "heads-windows", "/head/windows/0",
		set("/head/windows/0", jcs.EncodeBase64(make([]byte, 32))))
	usage("without-windows", "Each window of the usage is opened.", "heads-windows", "/head/windows", remove("/head/windows"))
	mirror := "log " + l.LogSigner().Verifier.String() + "\nwitness mirror mirror.example+8e761061+BAf4XVvI4efHvGlokfwTLqzVtprSGT1nu5/xf5fEv0Yz\nquorum mirror\n"
	s.trusting("headed-mirrors-without-quorum", "A policy of mirrors asks for a quorum.", fails("trust", "trust-policy", "/mirrors"),
		set("/mirrors", "log "+l.LogSigner().Verifier.String()+"\nquorum none\n"))
	s.trusting("headed-mirrors-of-other-key-id", "A mirror's key has its own id.", fails("trust", "trust-policy", "/mirrors"), set("/mirrors", mirror))
}

// chainOf is the place of a document's chain in the bundle's head.
func (s *base) chainOf(d spec.Document) string {
	s.b.t.Helper()
	id := s.chain(d)
	return strconv.Itoa(slices.IndexFunc(s.read().Head.Chains, func(c verifier.ChainHead) bool { return c.Chain == id }))
}
