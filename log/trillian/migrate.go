package trillian

import (
	"bytes"
	"context"

	"github.com/writ-trust/writ/log"
)

// Migrate takes over what another engine of the same origin and key has published, and publishes it: the checkpoint comes out the same,
// byte for byte. Begun and not finished, it goes on where it was. progress is told how many entries are in. Entries that from has and did
// not publish come from the journal at the next start. Reasons: log-migration; those of Keep.
func Migrate(ctx context.Context, from *log.Log, to *Log, progress func(entries int64)) error {
	c, err := log.ReadCheckpoint(from.Published())
	if err != nil {
		return err
	}
	if to.Size() > c.Size {
		return fault("log-migration", "the log over Trillian has %d entries, more than the %d of the log to take over", to.Size(), c.Size)
	}
	for first := to.Size(); first < c.Size; first = to.Size() {
		entries, err := publishedEntries(from, first, c.Size)
		if err != nil {
			return err
		}
		staged, err := to.Stage(first, entries)
		if err != nil {
			return err
		}
		if err := to.Keep(ctx, staged); err != nil {
			return err
		}
		progress(to.Size())
	}
	signed := to.CommitCheckpoint()
	if !bytes.Equal(signed, from.Published()) {
		return fault("log-migration", "the entries lead to another checkpoint than %s published", c.Origin)
	}
	_, err = to.Publish(ctx)
	return err
}
