package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// eraseCmd is writ erase.
type eraseCmd struct {
	ID      []string `arg:"" help:"dec_…, rcp_… or digest of a decision; several are erased in one go."`
	Reason  string   `required:"" placeholder:"TEXT" help:"Why, for good in the ledger: name no person."`
	Who     string   `required:"" placeholder:"TEXT" help:"Who asked for it, by office and not by name."`
	JSON    bool     `name:"json" help:"Print JSON."`
	dataArg `embed:""`
}

// Help is the long text of writ erase --help.
func (eraseCmd) Help() string {
	return `Takes out of a stopped ledger what it has of an action: the decision, what the agent presented, the executor's begin and reports, and
the salts that open their log entries. An Erasure for each entry, signed by the decision key, says where something was, why it went and
who asked. Amounts, totals, every other document and every proof stay; the entries of the log stay too, as hashes that nobody can link
to anything, not even by guessing the document. The database file is then written anew, so that no page keeps what went.

Not erased: an action whose hold is open, one that people were asked about or reconciled, mandates, rosters, approvals and notices.
The idempotency key stays taken. Copies in backups, file system snapshots and other people's bundles are not this command's to reach:
erase again in whatever is restored.`
}

// erasedAt is an erasure as it is printed.
type erasedAt struct {
	Index   int64        `json:"index"`
	Erasure spec.Erasure `json:"erasure"`
}

func (c *eraseCmd) Run(sys *system) error {
	ctx := context.Background()
	l, err := openData(ctx, sys, c.Data, false)
	if err != nil {
		return err
	}
	var done []erasedAt
	for _, id := range c.ID {
		var more []erasedAt
		if more, err = c.erase(ctx, l, id); err != nil {
			err = fmt.Errorf("%s: %w", id, err)
			break
		}
		done = append(done, more...)
	}
	if len(done) > 0 {
		err = errors.Join(err, l.publishOnce(ctx), l.journal.Scrub(ctx))
	}
	return errors.Join(err, l.close(), c.print(sys, done))
}

func (c *eraseCmd) erase(ctx context.Context, l *ledger, id string) (all []erasedAt, err error) {
	if urn := api.DecisionURN(id); urn != "" {
		rec, err := l.journal.ByID(ctx, "", urn)
		if err != nil {
			return nil, err
		}
		id = rec.Document.Digest
	}
	logged, err := verifier.Erase(ctx, l.journal, l.journal, verifier.Erasing{Decision: id, Reason: c.Reason, Who: c.Who, Verifier: l.DID})
	for _, r := range logged.Records {
		all = append(all, erasedAt{r.Index, *r.Document.Body.(*spec.Erasure)})
	}
	return all, err
}

func (c *eraseCmd) print(sys *system, done []erasedAt) error {
	if c.JSON {
		return printJSON(sys.out, done)
	}
	for _, d := range done {
		fmt.Fprintf(sys.out, "erased entry %d of chain %s, logged at index %d\n", d.Erasure.Seq, d.Erasure.Chain, d.Index)
	}
	return nil
}
