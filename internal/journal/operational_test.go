package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/spec"
)

func TestOrgs(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	for _, o := range []Org{{"rival", "Rival", ""}, {org, "Acme", spec.ModeTest}, {org, "Acme SA", ""}} {
		if err := b.j.PutOrg(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	want := []Org{{org, "Acme SA", spec.ModeTest}, {"rival", "Rival", ""}}
	if got, err := b.j.Orgs(ctx); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("orgs: %v, %v", got, err)
	}
	if got, err := b.j.Org(ctx, org); err != nil || got != want[0] {
		t.Errorf("org: %v, %v", got, err)
	}
	if _, err := b.j.Org(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAPIKeys(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	k := APIKey{ID: "key-1", Org: org, Name: "erp", Hash: sha256.Sum256([]byte("secret")), Scopes: []string{"verify", "report"},
		Mode: spec.ModeTest, HostedAgent: "agent", Created: b.Now}
	if err := b.j.PutAPIKey(ctx, k); err != nil {
		t.Fatal(err)
	}
	if got, err := b.j.APIKeyByHash(ctx, k.Hash); err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("got %+v, %v", got, err)
	}
	second := k
	second.ID = "key-2" // with the same hash
	if err := b.j.PutAPIKey(ctx, second); reason(err) != "table-rule" {
		t.Errorf("one hash twice: %v", err)
	}
	if err := b.j.RevokeAPIKey(ctx, "rival", k.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a foreign key: %v", err)
	}
	revoked := b.Advance(time.Minute)
	for range 2 {
		if err := b.j.RevokeAPIKey(ctx, org, k.ID); err != nil {
			t.Fatal(err)
		}
		b.Advance(time.Minute)
	}
	if got, err := b.j.APIKeyByHash(ctx, k.Hash); err != nil || !got.Revoked.Equal(revoked) {
		t.Errorf("revoked at %s, %v", got.Revoked, err)
	}
	if _, err := b.j.APIKeyByHash(ctx, [32]byte{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestDrafts(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	var all []spec.Draft
	for i := range 3 {
		m := b.Mandate()
		d := spec.Draft{ID: m.Body.(*spec.Mandate).ID, Org: org, Kind: spec.KindMandate, Content: spec.ContentDigest(m.Value), Body: m.Bytes(),
			Created: b.Advance(time.Second)}
		if i == 2 {
			d.Org = "rival"
		}
		if err := b.j.PutDraft(ctx, d); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	if got, err := b.j.ListDrafts(ctx, org); err != nil || !reflect.DeepEqual(got, []spec.Draft{all[1], all[0]}) {
		t.Errorf("list: %d, %v", len(got), err)
	}
	for _, d := range all {
		got, err := b.j.Draft(ctx, d.Org, d.ID)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("by id: %v", err)
		}
		if got, err = b.j.DraftByContent(ctx, d.Org, d.Content); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("by content: %v", err)
		}
	}
	if _, err := b.j.Draft(ctx, "rival", all[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("foreign: %v", err)
	}
	if _, err := b.j.DraftByContent(ctx, "rival", all[0].Content); !errors.Is(err, ErrNotFound) {
		t.Errorf("foreign content: %v", err)
	}
}

func TestListMandates(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	var want, got []string
	for i := range 5 {
		name := fmt.Sprint("mandate ", i)
		b.grant(roster, func(m *spec.Mandate) { m.Name = name })
		want = append([]string{name}, want...)
	}
	for cursor, pages := "", 0; ; pages++ {
		items, next, err := b.j.ListMandates(ctx, org, cursor, 2)
		if err != nil || pages > 3 {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, i := range items {
			if i.Status != spec.StatusActive || i.Entries != 3 || !strings.HasPrefix(i.ID, "urn:uuid:") {
				t.Errorf("item: %+v", i)
			}
			got = append(got, i.Name)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if _, _, err := b.j.ListMandates(ctx, org, "x", 2); reason(err) != "cursor-syntax" {
		t.Errorf("cursor: %v", err)
	}
}

// TestCheckpoint copies the write-ahead log into the database and reads on.
func TestCheckpoint(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	b.j.checkpoint(context.Background())
	var pages, copied int64
	if _, err := one(context.Background(), b.j.checkpoints, "PRAGMA wal_checkpoint(PASSIVE)", nil, new(int64), &pages, &copied); err != nil || pages != copied {
		t.Errorf("%d of %d pages copied: %v", copied, pages, err)
	}
	b.verify("invoice-1", "1.00", roster, mandate)
	b.checkRebuild()
}
