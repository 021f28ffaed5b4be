package issuer_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/status"
)

const statusURL = "https://writ.acme.example/v1/status/"

// statuses keeps positions in memory.
type statuses struct {
	ledger *writtest.Ledger
	taken  map[[2]int]string // list and position to content
}

func (s *statuses) NewestStatusList(context.Context) (list, taken int, err error) {
	for at := range s.taken {
		if at[0] > list {
			list, taken = at[0], 0
		}
		if at[0] == list {
			taken++
		}
	}
	return list, taken, nil
}

func (s *statuses) TakeStatus(_ context.Context, _, content string, list, position int) error {
	at := [2]int{list, position}
	if s.taken[at] != "" {
		return spec.Refuse("table-rule", "", "taken")
	}
	s.taken[at] = content
	return nil
}

func (s *statuses) StatusPositions(_ context.Context, list int, want spec.Status) (all []int, err error) {
	for at, content := range s.taken {
		if state := s.ledger.All().ByContent(content); at[0] == list && state != nil && state.Status == want {
			all = append(all, at[1])
		}
	}
	return all, nil
}

func newListed(t *testing.T) (*acme, *statuses) {
	a := newAcme(t)
	kept := &statuses{a.ledger, map[[2]int]string{}}
	a.issuer.Statuses, a.issuer.StatusURL = kept, statusURL
	return a, kept
}

func asking(a *acme, entries string) jcs.Value {
	return a.Mandate().Value.With("credentialStatus", writtest.JSON(entries))
}

const both = `[{"type":"BitstringStatusListEntry","statusPurpose":"suspension"},{"type":"BitstringStatusListEntry","statusPurpose":"revocation"}]`

// TestPlaceStatus: the server draws a position, writes it into both entries before anything is signed, and never gives it again.
func TestPlaceStatus(t *testing.T) {
	a, kept := newListed(t)
	d, err := a.propose(asking(a, both))
	a.must(err)
	entries := d.Body.(*spec.Mandate).CredentialStatus
	first, err := status.ReadEntry(entries[0])
	a.must(err)
	second, err := status.ReadEntry(entries[1])
	a.must(err)
	if first.List != statusURL+"1-suspension" || second.List != statusURL+"1-revocation" || first.Index != second.Index {
		t.Errorf("entries %+v, %+v", first, second)
	}
	if kept.taken[[2]int{1, first.Index}] != spec.ContentDigest(d.Value) {
		t.Errorf("kept %v", kept.taken)
	}
	plain := a.Mandate()
	if d, err := a.propose(plain.Value); err != nil || !d.Value.Equal(plain.Value) || len(kept.taken) != 1 {
		t.Errorf("a draft that asks for nothing: %v, %v", err, kept.taken)
	}
}

// TestPlaceStatusDrawsAnew: a drawn position that is taken is left alone; a list that is half full is followed by another.
func TestPlaceStatusDrawsAnew(t *testing.T) {
	a, kept := newListed(t)
	a.issuer.Random = bytes.NewReader(append(append(append(make([]byte, 42), 0, 0, 7), 0, 0, 7), 0, 0, 9)) // after id and salt
	kept.taken[[2]int{1, 7}] = "another"
	_, err := a.propose(asking(a, both))
	a.must(err)
	if kept.taken[[2]int{1, 7}] != "another" || kept.taken[[2]int{1, 9}] == "" {
		t.Errorf("taken: %v", kept.taken)
	}
	a.issuer.Random = bytes.NewReader(append(make([]byte, 42), bytes.Repeat([]byte{0, 0, 7}, 64)...))
	_, err = a.propose(asking(a, both))
	a.refused("no luck", err, "indeterminate")
	for n := range status.MinEntries / 2 {
		kept.taken[[2]int{1, n}] = "another"
	}
	a.issuer.Random = a.World
	_, err = a.propose(asking(a, both))
	a.must(err)
	if list, taken, _ := kept.NewestStatusList(t.Context()); list != 2 || taken != 1 {
		t.Errorf("the newest list: %d with %d", list, taken)
	}
}

func TestPlaceStatusRefuses(t *testing.T) {
	a, kept := newListed(t)
	for name, entries := range map[string]string{
		"another purpose":     `[{"type":"BitstringStatusListEntry","statusPurpose":"message"}]`,
		"another type":        `[{"type":"StatusList2021Entry","statusPurpose":"revocation"}]`,
		"one purpose twice":   `[{"type":"BitstringStatusListEntry","statusPurpose":"revocation"},{"type":"BitstringStatusListEntry","statusPurpose":"revocation"}]`,
		"an index of its own": `[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"7"}]`,
		"our list": `[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"7",
			"statusListCredential":"https://writ.acme.example/v1/status/1-revocation"}]`,
		"a foreign list beside ours": `[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"7",
			"statusListCredential":"https://other.example/1"},{"type":"BitstringStatusListEntry","statusPurpose":"suspension"}]`,
	} {
		_, err := a.propose(asking(a, entries))
		a.refused(name, err, "status-unsupported")
	}
	_, err := a.propose(asking(a, `[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"7",
		"statusListCredential":"https://other.example/1"}]`))
	a.must(err)
	a.issuer.StatusURL = ""
	_, err = a.propose(asking(a, both))
	a.refused("no address", err, "status-unsupported")
	if len(kept.taken) != 0 {
		t.Errorf("positions were given: %v", kept.taken)
	}
}

func TestStatusList(t *testing.T) {
	a, kept := newListed(t)
	content, err := a.propose(asking(a, both))
	a.must(err)
	a.must(a.approve(a.ApproveMandate("treasurer", content)))
	a.must(a.approve(a.ApproveMandate("cfo", content)))
	_, err = a.issuer.Notice(t.Context(), org, a.Notice("cfo", spec.ActRevoke, spec.ContentDigest(content.Value)).Bytes())
	a.must(err)
	for name, want := range map[string]bool{"1-revocation": true, "1-suspension": false} {
		v, at, err := a.issuer.StatusList(t.Context(), name)
		a.must(err)
		l, err := status.Read(v)
		a.must(err)
		if !at.Equal(a.Now) || !l.ValidFrom.Equal(at) || l.Bits.Len() != status.MinEntries || l.Issuer != writtest.Verifier {
			t.Errorf("%s: %v, %+v", name, at, l)
		}
		for position := range l.Bits.Len() {
			set, err := l.Bits.Get(position)
			a.must(err)
			if set != (want && kept.taken[[2]int{1, position}] != "") {
				t.Errorf("%s: position %d is %v", name, position, set)
			}
		}
	}
	a.Advance(1500 * time.Millisecond)
	v, at, err := a.issuer.StatusList(t.Context(), "1-revocation")
	a.must(err)
	if from, _ := v.Member("validFrom"); string(from.Canonical()) != `"2026-12-01T09:00:01Z"` || at.Nanosecond() != 0 {
		t.Errorf("from %s, %v", from.Canonical(), at)
	}
	a.issuer.Mode = spec.ModeTest
	v, _, err = a.issuer.StatusList(t.Context(), "1-revocation")
	a.must(err)
	if c, err := vc.ReadCredential(v); err != nil || len(c.Context) != 2 {
		t.Errorf("a test list: %v, %v", c.Context, err)
	}
}
