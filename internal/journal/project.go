package journal

import (
	"context"
	"slices"
	"strings"

	"github.com/writ-trust/writ/spec"
)

// A table gathers the rows of a batch for one statement; a row that is put twice is written once, as it was last.
type table struct {
	statement string // its %s takes the rows
	born      bool   // the last column is the leaf at which the row was born: it stays that of the first time
	rows      [][]any
	at        map[string]int // by primary key
}

// put adds a row under its primary key.
func (t *table) put(key string, row ...any) {
	if t.at == nil {
		t.at = map[string]int{}
	}
	i, ok := t.at[key]
	if !ok {
		t.at[key] = len(t.rows)
		t.rows = append(t.rows, row)
		return
	}
	if t.born {
		row[len(row)-1] = t.rows[i][len(row)-1]
	}
	t.rows[i] = row
}

func key(parts ...string) string { return strings.Join(parts, "\x00") }

// projections are the rows that the documents of a batch change, beside the documents themselves.
type projections struct {
	chains, moves, budgets, holds, lines, proposals, approvals, effected, versions, requests, refs, refusals table
}

func newProjections() *projections {
	p := &projections{}
	const chain = `
		INSERT INTO chain (id, org, kind, content, status, seq, head, at, since, document, urn, name, grantor, refused_from, refused, born) VALUES %s
		ON CONFLICT (id) DO UPDATE SET `
	// SQLite writes an index anew where an update names one of its columns, whatever the value: most entries change no name.
	p.moves.statement = chain + `status = excluded.status, seq = excluded.seq, head = excluded.head, at = excluded.at, since = excluded.since,
			refused_from = excluded.refused_from, refused = excluded.refused`
	p.chains.statement = chain + `status = excluded.status, seq = excluded.seq, head = excluded.head, at = excluded.at, since = excluded.since,
			document = excluded.document, urn = excluded.urn, name = excluded.name, grantor = excluded.grantor,
			refused_from = excluded.refused_from, refused = excluded.refused`
	p.budgets.statement = `
		INSERT INTO budget (chain, constraint_id, unit, from_at, to_at, maximum, lifted, held, committed, excess, lifts) VALUES %s
		ON CONFLICT (chain, constraint_id, unit, from_at) DO UPDATE SET maximum = excluded.maximum, lifted = excluded.lifted,
			held = excluded.held, committed = excluded.committed, excess = excluded.excess, lifts = excluded.lifts`
	p.holds.statement = `
		INSERT INTO hold (` + holdColumns + `) VALUES %s
		ON CONFLICT (decision, chain) DO UPDATE SET status = excluded.status, begin_digest = excluded.begin_digest,
			captured = excluded.captured, executed = excluded.executed, final = excluded.final, reconciled = excluded.reconciled`
	p.lines.statement = `
		INSERT INTO hold_line (decision, chain, line, constraint_id, unit, from_at, amount, open, lift) VALUES %s
		ON CONFLICT (decision, chain, line) DO UPDATE SET open = excluded.open, lift = excluded.lift`
	p.proposals.statement = `
		INSERT INTO proposal (chain, decision, missing, content, until_at, recovery, status, document, born) VALUES %s
		ON CONFLICT (chain, decision, missing) DO UPDATE SET status = excluded.status, document = excluded.document`
	p.approvals.statement = `INSERT INTO approval (chain, document, proposal, at, born) VALUES %s`
	p.effected.statement = `DELETE FROM approval WHERE (chain, document) IN (VALUES %s)`
	p.versions.statement = `
		INSERT INTO roster_version (chain, version, content, document, at, vetoed, vetoed_at, counts_from, superseded, born) VALUES %s
		ON CONFLICT (chain, content) DO UPDATE SET vetoed = excluded.vetoed, vetoed_at = excluded.vetoed_at, superseded = excluded.superseded`
	p.requests.statement = `
		INSERT INTO request (leaf, key, org, body, first, decision, final, last) VALUES %s
		ON CONFLICT (leaf, key) DO UPDATE SET first = excluded.first, last = excluded.last, decision = excluded.decision,
			final = excluded.final WHERE NOT request.final`
	p.refs.statement = `INSERT INTO external_ref (org, executor, name, decision) VALUES %s ON CONFLICT (executor, name, org) DO NOTHING`
	p.refusals.statement = `INSERT INTO refusal (chain, beyond) VALUES %s ON CONFLICT (chain) DO UPDATE SET beyond = excluded.beyond`
	for _, t := range []*table{&p.chains, &p.holds, &p.proposals, &p.approvals, &p.versions} {
		t.born = true
	}
	return p
}

// write puts the rows into the tables. Approvals that had their effect in the batch that they came in are inserted and deleted.
func (p *projections) write(ctx context.Context, w *writer) error {
	for _, t := range []*table{&p.moves, &p.chains, &p.budgets, &p.holds, &p.lines, &p.proposals, &p.approvals, &p.effected, &p.versions,
		&p.requests, &p.refs, &p.refusals} {
		if err := w.insert(ctx, t.statement, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// change projects what the entry at leaf changed on one chain, now h; before is the chain's state without it.
func (p *projections) change(before *spec.State, h *held, leaf int64) {
	after := h.state
	p.chain(before, h, leaf)
	if before.Refusals.Beyond != after.Refusals.Beyond {
		p.beyond(after)
	}
	windows := make(map[spec.Window]bool, len(before.Windows))
	for _, w := range before.Windows {
		windows[w] = true
	}
	for _, w := range after.Windows {
		if !windows[w] {
			p.budget(after.Chain, w, leaf)
		}
	}
	for i := range after.Holds {
		h := &after.Holds[i]
		if old := at(before.Holds, i, h, holdID); old == nil || !sameHold(old, h) {
			p.hold(after.Chain, h, leaf)
		}
	}
	for i := range after.Proposals {
		q := &after.Proposals[i]
		old := at(before.Proposals, i, q, proposalID)
		if old == nil {
			old = &spec.Proposal{}
		}
		if old.Status != q.Status {
			p.proposal(after.Chain, q, leaf)
		}
		p.pending(after.Chain, q.Content, old.Pending, q.Pending, leaf)
	}
	p.pending(after.Chain, "", before.Pending, after.Pending, leaf)
	for i, v := range after.Versions {
		if i >= len(before.Versions) || before.Versions[i].Vetoed != v.Vetoed {
			p.version(after.Chain, v, leaf)
		}
	}
	for _, v := range after.Policies[len(before.Policies):] {
		p.policyVersion(after.Chain, v, leaf)
	}
}

// at is the element of before that x, at i afterwards, was; nil where x is new. Apply keeps the order and appends, so that most stand
// where they stood: a chain may have thousands, and each of its entries asks for all of them.
func at[T any](before []T, i int, x *T, id func(*T) string) *T {
	want := id(x)
	if i < len(before) && id(&before[i]) == want {
		return &before[i]
	}
	for i := range before {
		if id(&before[i]) == want {
			return &before[i]
		}
	}
	return nil
}

func holdID(h *spec.Hold) string { return h.Decision }

func proposalID(q *spec.Proposal) string { return q.Content }

// chain projects the chain's own row: a move, until it comes to what it is called by in this batch. Moves are written first.
func (p *projections) chain(before *spec.State, h *held, leaf int64) {
	rows := &p.chains
	_, named := rows.at[h.state.Chain]
	if !named && before.Seq > 0 && before.Mandate == h.state.Mandate && len(before.Versions) == len(h.state.Versions) {
		rows = &p.moves
	}
	var urn, name, grantor string
	s := h.state
	if s.Mandate != nil {
		urn, name = s.Mandate.ID, s.Mandate.Name
	}
	if len(s.Versions) > 0 {
		grantor = s.Versions[0].Document.Body.(*spec.Roster).Terms().Grantor
	}
	rows.put(s.Chain, s.Chain, h.org, s.Kind, s.Content, s.Status, s.Seq, s.Head, millis(s.At), millis(s.Since), h.document, urn, name, grantor,
		millis(s.Refusals.From), s.Refusals.Logged, leaf)
}

func (p *projections) budget(chain string, w spec.Window, leaf int64) {
	p.budgets.put(key(chain, w.Constraint, w.Unit, w.From.String()), chain, w.Constraint, w.Unit, millis(w.From), millis(w.To),
		w.Max, w.Lifted, w.Held, w.Committed, w.Excess, w.Lifts)
}

func (p *projections) hold(chain string, h *spec.Hold, leaf int64) {
	p.holds.put(key(h.Decision, chain), chain, h.Decision, strings.Join(h.Mandates, " "), h.Action, h.Payload, h.Executor,
		h.SelfExecuted, h.Charged, millis(h.ExecuteBefore), h.Status, h.Begin, h.Currency, h.Amount, h.Captured, h.Executed, h.Final, h.Reconciled, strings.Join(h.Policies, " "), leaf)
	for i, n := range h.Lines {
		p.lines.put(key(h.Decision, chain, string(rune(i))), h.Decision, chain, i, n.Constraint, n.Unit, millis(n.From), n.Amount,
			n.Open, n.Lift)
	}
}

func (p *projections) proposal(chain string, q *spec.Proposal, leaf int64) {
	p.proposals.put(key(chain, q.Content), chain, q.Decision, q.Index, q.Content, millis(q.Until), q.Recovery, q.Status, q.Document, leaf)
}

// pending projects approvals that came, and those that became part of an effect.
func (p *projections) pending(chain, proposal string, before, after []spec.LoggedApproval, leaf int64) {
	for _, l := range after {
		if !pends(before, l.Document.Digest) {
			p.approvals.put(key(chain, l.Document.Digest), chain, l.Document.Digest, proposal, millis(l.At), leaf)
		}
	}
	for _, l := range before {
		if !pends(after, l.Document.Digest) {
			p.effected.rows = append(p.effected.rows, []any{chain, l.Document.Digest})
		}
	}
}

func pends(approvals []spec.LoggedApproval, digest string) bool {
	return slices.ContainsFunc(approvals, func(l spec.LoggedApproval) bool { return l.Document.Digest == digest })
}

func (p *projections) version(chain string, v spec.RosterVersion, leaf int64) {
	p.versions.put(key(chain, v.Content), chain, v.Document.Body.(*spec.Roster).Terms().Version, v.Content, v.Document.Digest,
		millis(v.At), v.Vetoed, millis(v.VetoedAt), millis(v.CountsFrom), v.Superseded, leaf)
}

func sameHold(a, b *spec.Hold) bool {
	return a.Status == b.Status && a.Begin == b.Begin && a.Captured == b.Captured && a.Executed == b.Executed &&
		a.Final == b.Final && a.Reconciled == b.Reconciled && slices.Equal(a.Lines, b.Lines)
}
