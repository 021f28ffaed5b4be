package verifier

import (
	"context"
	"slices"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// RetiredLog is a log that its reader knows to have ended: entries from index Size on never count (protocol.md 12.4).
type RetiredLog struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"` // entries that count, ≥ 1
}

// SuccessorAt is the entry with which a log carries another one on (protocol.md 8.7), in the tree that carries it.
type SuccessorAt struct {
	Entry jcs.Value `json:"entry"`
	Proof string    `json:"proof"` // C2SP tlog-proof
}

// Succession is an Archive whose log carries others on.
type Succession interface {
	// Successors are the indices and bytes of the entries that say so, oldest first.
	Successors(ctx context.Context) ([]spec.Carried, error)
}

// checkRetired refuses a list that pins a log twice, or at no size.
func (t *Trust) checkRetired() error {
	for i, r := range t.Retired {
		twice := slices.ContainsFunc(t.Retired[:i], func(o RetiredLog) bool { return o.Origin == r.Origin })
		if r.Origin == "" || r.Size < 1 || r.Size > 1<<53-1 || twice {
			return spec.Refuse("trust-retired", "/retired/"+strconv.Itoa(i), "a retired log is pinned once, at the number of its entries that count")
		}
	}
	return nil
}

// counts is how many entries of a log count, and whether it is retired.
func (t *Trust) counts(origin string) (int64, bool) {
	i := slices.IndexFunc(t.Retired, func(r RetiredLog) bool { return r.Origin == origin })
	if i < 0 {
		return 0, false
	}
	return t.Retired[i].Size, true
}

// carried reads the successor entries: from the log that the mandates name to the one that the checkpoint is of, each where the one
// before ends.
func (c *checking) carried() error {
	c.named = c.origin
	for i, s := range c.bundle.Successors {
		place := "/successors/" + strconv.Itoa(i)
		entry, err := spec.EntryFromValue(s.Entry)
		if err != nil {
			return placed(place+"/entry", err)
		}
		if entry.Kind != spec.EntrySuccessor {
			return spec.Refuse("bundle-successors", place+"/entry/kind", "not a successor entry")
		}
		var e event
		if err := c.included(LoggedAt{Entry: s.Entry, Proof: s.Proof}, &e); err != nil {
			return placed(place, err)
		}
		if e.index != entry.Size || i > 0 && entry.Size <= c.successors[i-1].Size {
			return spec.Refuse("bundle-successors", place+"/entry/size", "a log goes on right behind the entries of the one before, oldest first")
		}
		if entry.Origin == c.origin || slices.ContainsFunc(c.successors, func(o *spec.Entry) bool { return o.Origin == entry.Origin }) {
			return spec.Refuse("bundle-successors", place+"/entry/origin", "a log succeeds another one, once")
		}
		c.successors = append(c.successors, entry)
	}
	if len(c.successors) > 0 {
		c.named = c.successors[0].Origin
	}
	return nil
}

// unretired holds the entries against what the reader knows of logs that have ended.
func (c *checking) unretired() error {
	for i, s := range c.successors {
		if size, known := c.trust.counts(s.Origin); !known || size != s.Size {
			return spec.Refuse("log-successor", "/successors/"+strconv.Itoa(i)+"/entry/origin",
				"the trust file does not say that %s ended at %d entries", s.Origin, s.Size)
		}
	}
	size, ended := c.trust.counts(c.origin)
	for i, e := range c.events {
		if ended && beyond(size, e.index) {
			return spec.Refuse("log-retired", "/logged/"+strconv.Itoa(i), "%s ended at %d entries: entry %d does not count", c.origin, size, e.index)
		}
	}
	return nil
}

// inEpoch holds a decision's epoch against the log: it rises only with a successor entry, and never goes back.
func (c *checking) inEpoch(e event, d *spec.Decision) error {
	most := int64(1)
	for _, s := range c.successors {
		if s.Size < e.index {
			most++
		}
	}
	if d.Epoch > most || d.Epoch < c.epoch {
		return spec.Refuse("log-epoch", "/epoch", "epoch %d where the log has had %d successors and epoch %d", d.Epoch, most-1, c.epoch)
	}
	c.epoch = d.Epoch
	return nil
}

// successors puts into the bundle what shows that its log carries on the one that the mandates name.
func (x *exporter) successors() error {
	archive, ok := x.archive.(Succession)
	if !ok {
		return nil
	}
	all, err := archive.Successors(x.ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		proof, err := x.prove(s.Index)
		if err != nil {
			return err
		}
		entry, err := jcs.ParseDocument(s.Entry.Bytes())
		if err != nil {
			return err
		}
		x.bundle.Successors = append(x.bundle.Successors, SuccessorAt{entry, string(proof)})
	}
	return nil
}
