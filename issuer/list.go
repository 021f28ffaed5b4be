package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc/status"
)

// Statuses keeps which position of which status list belongs to which mandate. A position is never given twice.
type Statuses interface {
	NewestStatusList(ctx context.Context) (list, taken int, err error)
	TakeStatus(ctx context.Context, org, content string, list, position int) error
	StatusPositions(ctx context.Context, list int, status spec.Status) ([]int, error)
}

const (
	// listEntries is the size of every status list: the least that hides a mandate among others (Bitstring Status List §4.2).
	// It is a power of two, so that a drawn position is even.
	listEntries = status.MinEntries
	// listFull is how many positions of a list are given before the next one begins: a free one is found in two draws.
	listFull = listEntries / 2
	maxDraws = 64
	// listLife is how long a list answers, listTTL how long a reader may keep it; neither says more than "at validFrom".
	listLife = 10 * time.Minute
	listTTL  = 5 * time.Minute
)

// purposes are the lists that a position is on, by the status of the chain that sets its bit.
var purposes = map[string]spec.Status{"revocation": spec.StatusRevoked, "suspension": spec.StatusSuspended}

// placeStatus fills in where the status entries that a content asks for are: entries of type BitstringStatusListEntry with a
// purpose and neither list nor index. All get the same drawn position. A content that asks for nothing stays as it is.
func (i *Issuer) placeStatus(ctx context.Context, org string, content jcs.Value) (jcs.Value, error) {
	asked, err := i.askedStatus(content)
	if err != nil || len(asked) == 0 {
		return content, err
	}
	list, taken, err := i.Statuses.NewestStatusList(ctx)
	if err != nil {
		return content, err
	}
	if list == 0 || taken >= listFull {
		list++
	}
	for range maxDraws {
		position, err := i.drawPosition()
		if err != nil {
			return content, err
		}
		placed, err := i.withEntries(content, asked, list, position)
		if err != nil {
			return content, err
		}
		err = i.Statuses.TakeStatus(ctx, org, spec.ContentDigest(placed), list, position)
		var e *spec.Error
		if !errors.As(err, &e) || e.Reason != "table-rule" {
			return placed, err
		}
	}
	return content, spec.Refuse("indeterminate", "", "no free position in the status list; try again")
}

// askedStatus is the purposes that a content asks entries for.
func (i *Issuer) askedStatus(content jcs.Value) ([]string, error) {
	given, _ := content.Member("credentialStatus")
	var asked []string
	for n, entry := range given.Elements() {
		place := "/credentialStatus/" + strconv.Itoa(n)
		var e struct {
			Type    string `json:"type"`
			Purpose string `json:"statusPurpose"`
		}
		if list, _ := entry.Lookup("/statusListCredential"); !list.IsZero() {
			url, _ := list.Text()
			if i.StatusURL != "" && strings.HasPrefix(url, i.StatusURL) {
				return nil, spec.Refuse("status-unsupported", place, "positions in this server's lists are drawn by the server")
			}
			continue // another issuer's list
		}
		if err := entry.Decode(&e); err != nil || e.Type != status.TypeEntry || purposes[e.Purpose] == "" {
			return nil, spec.Refuse("status-unsupported", place, "a status entry asks for revocation or suspension")
		}
		asked = append(asked, e.Purpose)
	}
	switch {
	case len(asked) == 0:
		return nil, nil
	case len(asked) != len(given.Elements()) || len(asked) > len(purposes) || len(asked) == 2 && asked[0] == asked[1]:
		return nil, spec.Refuse("status-unsupported", "/credentialStatus", "each purpose once, in the lists of this server")
	case i.Statuses == nil || i.StatusURL == "":
		return nil, spec.Refuse("status-unsupported", "/credentialStatus", "this server keeps no status lists: it has no public address")
	}
	return asked, nil
}

func (i *Issuer) drawPosition() (int, error) {
	var b [3]byte
	if _, err := io.ReadFull(i.Random, b[:]); err != nil {
		return 0, err
	}
	return (int(b[0])<<16 | int(b[1])<<8 | int(b[2])) % listEntries, nil
}

func (i *Issuer) withEntries(content jcs.Value, purposes []string, list, position int) (jcs.Value, error) {
	var entries []jcs.Value
	for _, p := range purposes {
		v, err := status.Entry{Purpose: p, List: i.listURL(list, p), Index: position}.Value()
		if err != nil {
			return content, err
		}
		entries = append(entries, v)
	}
	v, err := jcs.ValueOf(entries)
	return content.With("credentialStatus", v), err
}

// listURL is the address and id of a list: its number and purpose below StatusURL.
func (i *Issuer) listURL(list int, purpose string) string {
	return fmt.Sprintf("%s%d-%s", i.StatusURL, list, purpose)
}

// StatusList makes the status list credential called name, such as "1-revocation", unsigned: a view of the chains as they are
// committed, at an instant that is returned too. Past its validUntil nothing is known from it. Reason: not-found.
func (i *Issuer) StatusList(ctx context.Context, name string) (jcs.Value, time.Time, error) {
	number, purpose, _ := strings.Cut(name, "-")
	list, err := strconv.Atoi(number)
	if err != nil || purposes[purpose] == "" || i.Statuses == nil || i.StatusURL == "" || i.listURL(list, purpose) != i.StatusURL+name {
		return jcs.Value{}, time.Time{}, spec.Refuse("not-found", "", "no such status list")
	}
	newest, _, err := i.Statuses.NewestStatusList(ctx)
	if err == nil && (list < 1 || list > newest) {
		err = spec.Refuse("not-found", "", "no such status list")
	}
	if err != nil {
		return jcs.Value{}, time.Time{}, err
	}
	at := i.Now().UTC().Truncate(time.Second) // before the bits are read: they are at least as new as it says
	positions, err := i.Statuses.StatusPositions(ctx, list, purposes[purpose])
	if err != nil {
		return jcs.Value{}, at, err
	}
	bits := status.NewBits(listEntries)
	for _, p := range positions {
		if err := bits.Set(p, true); err != nil {
			return jcs.Value{}, at, err
		}
	}
	v, err := status.List{ID: i.listURL(list, purpose), Issuer: i.Ledger.Verifier, Purpose: purpose, ValidFrom: at,
		ValidUntil: at.Add(listLife), TTL: listTTL, Bits: bits, Test: i.Mode == spec.ModeTest}.Value()
	return v, at, err
}
