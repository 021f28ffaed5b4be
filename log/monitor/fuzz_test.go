package monitor

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// FuzzPosition: what is read as a position is written again as it was.
func FuzzPosition(f *testing.F) {
	t, _ := newTree(0, nil)
	p := position{tree: t, heads: new(heads.Map), broken: Fork}
	f.Add(p.marshal())
	for i := range byte(5) {
		leaf := log.RecordHash([]byte{i})
		_ = p.tree.add(leaf)
		_ = p.heads.Add(heads.Chain(leaf), heads.Head{Seq: 1, Index: int64(i), Leaf: leaf})
	}
	f.Add(p.marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePosition(data)
		if err == nil && !bytes.Equal(p.marshal(), data) {
			t.Errorf("%x came back otherwise", data)
		}
	})
}

func FuzzSeen(f *testing.F) {
	f.Add([]byte("2026-11-24T12:00:00Z\nlog.example/one\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— log.example/one Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"))
	f.Add(seen{since: time.Unix(0, 0)}.marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSeen(data)
		if err == nil && !bytes.Equal(s.marshal(), data) {
			t.Errorf("%q came back otherwise", data)
		}
	})
}

// FuzzReplay hands a bundle to the rules: whatever it has, each entry is judged, and an entry that raises nothing is written again as it was.
func FuzzReplay(f *testing.F) {
	digest := ChainText(heads.Chain{1})
	entry := spec.Entry{V: 1, Kind: spec.EntryEvent, Commitment: digest, Links: []spec.Link{{Chain: digest, Seq: 1, State: digest}}}
	root := spec.Entry{V: 1, Kind: spec.EntryHeads, Root: digest}
	f.Add(log.AppendEntry(log.AppendEntry(nil, entry.Bytes()), root.Bytes()))
	f.Add([]byte{0, 1, '{'})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := cut(data, log.Tile{Level: log.Entries, Width: 2})
		if err != nil {
			return
		}
		var again []byte
		r := &replay{heads: new(heads.Map), parse: func(data []byte) (e Entry, err error) {
			read, err := spec.ParseEntry(data)
			if err != nil {
				return e, err
			}
			if !bytes.Equal(read.Bytes(), data) {
				return e, errors.New("not as it was")
			}
			for _, l := range read.Links {
				e.Links = append(e.Links, Link{heads.Chain{byte(len(l.Chain))}, l.Seq})
			}
			return e, nil
		}}
		for i, e := range entries {
			for _, a := range r.entry(int64(i), e) {
				if a.Code == Malformed && a.Detail == "the entry is not in the closed schema: not as it was" {
					t.Errorf("%q came back otherwise", e)
				}
			}
			again = log.AppendEntry(again, e)
		}
		if !bytes.HasPrefix(data, again) {
			t.Error("the bundle came back otherwise")
		}
	})
}
