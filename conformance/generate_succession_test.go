package conformance

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

const (
	erasureClause   = "protocol.md 7.12: erasure"
	successorClause = "protocol.md 8.7: successors"
)

// lifeVectors are about logs that ended, and about documents that are gone.
func lifeVectors(b *book) {
	erasureDocuments(b)
	succeededBundle(b)
}

func erasureDocuments(b *book) {
	w := world("erasure")
	e, err := spec.New(&spec.Erasure{Type: "Erasure", Version: spec.Version, Chain: spec.ContentDigest(w.Mandate().Value), Seq: 4, Reason: "asked under article 17",
		Who: "data protection officer", Verifier: writtest.Verifier, At: spec.At(w.Now)})
	b.must(err)
	e = w.Sign(e, "ledger", did.AssertionMethod, w.Now)
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("erasure/"+name, erasureClause, title, e.Type, b.changed(e, edits...), want)
	}
	row("of-the-fourth-entry", "The fourth entry of a chain opens nothing any more.", good(e))
	row("of-entry-zero", "Entries count from 1.", no("member-range", "/seq"), set("/seq", -1))
	row("without-who", "Somebody asked for it.", no("member-missing", "/who"), remove("/who"))
	row("with-a-long-reason", "A reason has at most 200 characters.", no("member-range", "/reason"), set("/reason", strings.Repeat("x", 201)))
	row("with-a-hidden-letter", "What is kept for good shows.", no("text-hidden", "/who"), set("/who", "data\u202eprotection"))
	row("naming-the-document", "An erasure that named the document would undo itself.", no("member-unknown", "/document"), set("/document", spec.ContentDigest(w.Mandate().Value)))
}

// succession is the log that carries the ledger's own on, from the entry before the decision.
type succession struct {
	*base
	signer *log.Signer
	before int // entries of the bundle in the first log
	size   int64
}

func (b *book) nextLog(origin string) *log.Signer {
	seed := sha256.Sum256([]byte(origin))
	private := ed25519.NewKeyFromSeed(seed[:])
	s, err := log.NewSigner(origin, private.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(private, text), nil })
	b.must(err)
	return s
}

// carry logs the bundle's entries anew: the first ones, the two that link the logs, and the rest, in one tree under the next log's key.
func (s *succession) carry(link *spec.Entry) []byte {
	s.b.t.Helper()
	bundle := s.read()
	last, first := spec.Successor(s.signer.Verifier.Name(), s.signer.Verifier.String(), s.size), link
	var leaves []log.Hash
	place := make([]int, len(bundle.Logged))
	for i, e := range bundle.Logged {
		if i == s.before {
			leaves = append(leaves, log.RecordHash(last.Bytes()), log.RecordHash(first.Bytes()))
		}
		place[i] = len(leaves)
		leaves = append(leaves, log.RecordHash(e.Entry.Canonical()))
	}
	prove := func(i int) string {
		root, path := tree(leaves, i)
		signed, err := log.Checkpoint{Origin: s.signer.Verifier.Name(), Size: int64(len(leaves)), Root: root}.Sign(s.signer)
		s.b.must(err)
		return string(log.InclusionProof{Index: int64(i), Hashes: path, Checkpoint: signed}.Marshal())
	}
	for i := range bundle.Logged {
		bundle.Logged[i].Proof = prove(place[i])
	}
	entry, err := jcs.ParseDocument(first.Bytes())
	s.b.must(err)
	bundle.Successors = []verifier.SuccessorAt{{Entry: entry, Proof: prove(s.before + 1)}}
	data, err := jcs.MarshalBundle(bundle)
	s.b.must(err)
	return data
}

func succeededBundle(b *book) {
	l := newLife(b, "bundle succeeded")
	m := l.enrol("mandate", l.Mandate())
	d := l.ask("invoice-1", "4200.00", authorized, m)
	l.Advance(time.Minute)
	l.step("begin", "begin 1", l.Begin(d, l.Now), recorded(1))
	s := &succession{base: &base{life: l, name: "succeeded", data: l.export(nil, d)}, signer: b.nextLog("writ.acme.example/log2")}
	s.before = len(s.read().Logged) - 2
	s.size = int64(s.before + 1)
	link := spec.Successor(writtest.Origin, s.LogSigner().Verifier.String(), s.size)
	s.data = s.carry(link)
	trust, err := applyEdits(l.trace.Trust, []Edit{set("/policy", "log "+s.signer.Verifier.String()+"\nlog "+s.LogSigner().Verifier.String()+"\nquorum none\n"),
		set("/retired", []verifier.RetiredLog{{Origin: writtest.Origin, Size: s.size}})})
	b.must(err)
	b.made["bundles/succeeded.json"] = b.indent(json.RawMessage(s.data))
	b.made["bundles/succeeded.trust.json"] = b.indent(json.RawMessage(trust))
	s.vectors(link)
}

func (s *succession) vectors(link *spec.Entry) {
	put := func(name, title string, want BundleEnd, bundle, trust []Edit) {
		s.b.put("bundle/"+name, Vector{Title: title, Section: successorClause, Kind: KindBundle,
			Bundle: &Bundle{Bundle: "succeeded.json", Trust: "succeeded.trust.json", Expect: spec.Authorized, Edits: bundle, TrustEdits: trust, Want: want}})
	}
	edits := func(all ...Edit) []Edit { return all }
	put("succeeded", "Granted in one log, decided in the log that carries its tree on.", BundleEnd{Holds: true}, nil, nil)
	put("succeeded-unknown-to-the-reader", "Only who knows that a log ended believes its successor.", fails("anchored", "log-successor", "/successors/0/entry/origin"), nil, edits(remove("/retired")))
	put("succeeded-at-another-size", "The reader knows at which size the log ended.", fails("anchored", "log-successor", "/successors/0/entry/origin"), nil, edits(set("/retired/0/size", s.size-1)))
	put("succeeded-without-the-link", "Nothing shows that this log carries the mandate's on.", fails("decision", "ledger-other", "/logged/0/document"), edits(remove("/successors")), nil)
	put("succeeded-and-retired-too", "What is behind the end of a log does not count.", fails("anchored", "log-retired", "/logged/"+strconv.Itoa(s.before)), nil,
		edits(add("/retired/-", verifier.RetiredLog{Origin: s.signer.Verifier.Name(), Size: s.size + 1})))
	put("retired-twice", "A log ends once.", fails("trust", "trust-retired", "/retired/1"), nil, edits(add("/retired/-", verifier.RetiredLog{Origin: writtest.Origin, Size: s.size})))
	put("retired-at-zero", "A log without entries is not there.", fails("trust", "trust-retired", "/retired/0"), nil, edits(set("/retired/0/size", 0)))

	heads := &spec.Entry{V: 1, Kind: spec.EntryHeads, Root: spec.LeafHash(nil)}
	other := spec.Successor(writtest.Origin, link.Key, s.size-1)
	forged := func(name, title string, e *spec.Entry, pointer string) {
		var v verifier.Bundle
		s.b.must(jcs.Unmarshal((&succession{s.base, s.signer, s.before, s.size}).carry(e), &v))
		put(name, title, fails("intact", "bundle-successors", pointer), edits(set("/successors", v.Successors), set("/logged", v.Logged)), nil)
	}
	forged("succeeded-by-a-heads-entry", "Only a successor entry links two logs.", heads, "/successors/0/entry/kind")
	forged("succeeded-at-another-index", "A log is carried on right where it ends.", other, "/successors/0/entry/size")
}
