package monitor

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
)

// Entry is what a monitor reads of an entry of a Writ log (spec/protocol.md 8.1). Whoever parses it refuses what is not in the closed
// schema.
type Entry struct {
	Heads   bool     // it is a heads entry
	Root    log.Hash // of a heads entry
	Ends    int64    // of a successor entry: the size that it names, at which a log ends whose last entry it is; else 0
	Grantor string   // whom it names, or ""
	Links   []Link
}

// Link is an entry's place on a chain.
type Link struct {
	Chain heads.Chain
	Seq   int64
}

// replay holds the rules of entries against a log, one entry after the other: seq of each chain, the roots of the map of heads, and
// the grantors that are watched.
type replay struct {
	parse   func([]byte) (Entry, error)
	watched []string
	heads   *heads.Map
	last    bool // the newest entry is a heads entry, or ends the log right behind one
}

// entry takes the entry at index and says what is wrong with it.
func (r *replay) entry(index int64, data []byte) []Alarm {
	e, err := r.parse(data)
	if err != nil {
		r.last = false
		return []Alarm{{Code: Malformed, Index: &index, Reason: reasonOf(err), Detail: "the entry is not in the closed schema: " + detailOf(err)}}
	}
	if e.Ends == index+1 {
		return nil
	}
	if r.last = e.Heads; r.last {
		return r.root(index, e.Root)
	}
	var found []Alarm
	if e.Grantor != "" && slices.Contains(r.watched, e.Grantor) {
		found = append(found, Alarm{Code: Grantor, Index: &index, Grantor: e.Grantor, Detail: "somebody issued in this name"})
	}
	leaf := log.RecordHash(data)
	for _, l := range e.Links {
		found = append(found, r.link(l, heads.Head{Seq: l.Seq, Index: index, Leaf: leaf})...)
	}
	return found
}

func (r *replay) root(index int64, said log.Hash) []Alarm {
	if root := r.heads.Root(); root != said {
		return []Alarm{{Code: HeadsRoot, Index: &index, Detail: fmt.Sprintf("it says the root %s; the entries before it have %s", said, root)}}
	}
	return nil
}

// link moves a chain's head. After a gap it goes on from there, so that each mistake is said once; a repeat moves nothing.
func (r *replay) link(l Link, h heads.Head) []Alarm {
	if r.heads.Add(l.Chain, h) == nil {
		return nil
	}
	r.heads.Root() // so that Head knows all that was added
	last, _ := r.heads.Head(l.Chain)
	a := Alarm{Code: SeqRepeat, Index: &h.Index, Chain: ChainText(l.Chain),
		Detail: fmt.Sprintf("number %d, after number %d at entry %d", l.Seq, last.Seq, last.Index)}
	if l.Seq > last.Seq {
		a.Code = SeqGap
		r.heads.Load(func(yield func(heads.Chain, heads.Head) bool) { yield(l.Chain, h) })
	}
	return []Alarm{a}
}

// ChainText returns a chain's id as documents write it (spec/protocol.md 1.5).
func ChainText(c heads.Chain) string {
	return "u" + base64.RawURLEncoding.EncodeToString(append([]byte{0x12, 0x20}, c[:]...))
}

// reasonOf is the reason code of a parser's error, "" where it has none.
func reasonOf(err error) string {
	var e *log.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func detailOf(err error) string {
	var e *log.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}
