package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/spec"
)

// held is a chain's state with whose it is. Chains that do not exist yet belong to nobody.
type held struct {
	org      string
	document string   // digest of the mandate once it is active, else ""
	sum      [32]byte // of that document's whole bytes
	state    *spec.State
}

// scope says which settled rows of a chain are wanted beside what is open.
type scope struct {
	now       time.Time
	decisions []string // holds and proposals of these decisions, however they stand, and the windows of those holds
	all       bool     // everything that ever was, as Apply over all documents would have it
}

// loading builds states from the projections of some chains.
type loading struct {
	ctx    context.Context
	q      querier
	parsed *parsedCache
	scope
	chains map[string]*held // by chain id
	ids    string           // their ids, a JSON array: lists are one argument, so that each query is prepared once
	wanted []docKey
	fill   []func(docs map[docKey]spec.Document) // puts the documents in their places once they are read

	proposed map[string]int // places in State.Proposals, by chain and content
	holding  map[string]int // places in State.Holds, by chain and decision
}

// loadStates returns the chains with these contents that exist, by content.
func loadStates(ctx context.Context, q querier, parsed *parsedCache, contents []string, s scope) (map[string]*held, error) {
	l := &loading{ctx: ctx, q: q, parsed: parsed, scope: s, chains: map[string]*held{}, proposed: map[string]int{}, holding: map[string]int{}}
	for _, load := range []func() error{func() error { return l.loadChains(contents) }, l.loadVersions, l.loadApprovals,
		l.loadProposals, l.loadDocuments, l.loadHolds, l.loadWindows} {
		if err := load(); err != nil {
			return nil, err
		}
	}
	found := make(map[string]*held, len(l.chains))
	for _, h := range l.chains {
		found[h.state.Content] = h
	}
	return found, nil
}

// fields splits a list that is kept in one column; an empty one is none.
func fields(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Fields(list)
}

func list(items []string) string {
	b, _ := json.Marshal(items)
	return string(b)
}

// millis is how the tables keep an instant; the zero instant is absent.
func millis(t time.Time) int64 { return t.UnixMilli() }

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// want asks for a document, which put receives before loadDocuments returns.
func (l *loading) want(key docKey, put func(spec.Document)) {
	l.wanted = append(l.wanted, key)
	l.fill = append(l.fill, func(docs map[docKey]spec.Document) { put(docs[key]) })
}

func (l *loading) loadChains(contents []string) error {
	err := each(l.ctx, l.q, `
		SELECT c.id, org, kind, content, status, seq, head, at, since, document, refused_from, refused, COALESCE(r.beyond, 0)
		FROM chain AS c LEFT JOIN refusal AS r ON r.chain = c.id
		WHERE content IN (SELECT value FROM json_each(?))`,
		func(rows *sql.Rows) error {
			h, s := &held{}, &spec.State{}
			var at, since, refused int64
			if err := rows.Scan(&s.Chain, &h.org, &s.Kind, &s.Content, &s.Status, &s.Seq, &s.Head, &at, &since, &h.document,
				&refused, &s.Refusals.Logged, &s.Refusals.Beyond); err != nil {
				return err
			}
			s.At, s.Since, s.Refusals.From, h.state = instant(at), instant(since), instant(refused), s
			l.chains[s.Chain] = h
			if h.document != "" {
				l.want(docKey{h.org, h.document}, func(d spec.Document) {
					s.Mandate, h.sum = d.Body.(*spec.Mandate), sha256.Sum256(d.Bytes())
				})
			}
			return nil
		}, list(contents))
	var ids []string
	for id := range l.chains {
		ids = append(ids, id)
	}
	l.ids = list(ids)
	return err
}

func (l *loading) loadVersions() error {
	return each(l.ctx, l.q, `
		SELECT chain, content, document, at, vetoed, vetoed_at, counts_from, superseded FROM roster_version
		WHERE chain IN (SELECT value FROM json_each(?)) ORDER BY chain, born`,
		func(rows *sql.Rows) error {
			var chain, document string
			var at, vetoed, counts int64
			v := spec.RosterVersion{}
			if err := rows.Scan(&chain, &v.Content, &document, &at, &v.Vetoed, &vetoed, &counts, &v.Superseded); err != nil {
				return err
			}
			v.At, v.VetoedAt, v.CountsFrom = instant(at), instant(vetoed), instant(counts)
			v.Waits = l.now.Before(v.CountsFrom)
			l.addVersion(l.chains[chain], document, v)
			return nil
		}, l.ids)
}

// loadApprovals gathers pending approvals in log order; those of proposals find their place once the proposals are there, and those of
// proposals that are not wanted have none.
func (l *loading) loadApprovals() error {
	return each(l.ctx, l.q, `
		SELECT chain, document, proposal, at FROM approval
		WHERE chain IN (SELECT value FROM json_each(?)) ORDER BY chain, born`,
		func(rows *sql.Rows) error {
			var chain, document, proposal string
			var at int64
			if err := rows.Scan(&chain, &document, &proposal, &at); err != nil {
				return err
			}
			h := l.chains[chain]
			l.want(docKey{h.org, document}, func(d spec.Document) {
				pending := &h.state.Pending
				if proposal != "" {
					i, ok := l.proposed[key(chain, proposal)]
					if !ok {
						return
					}
					pending = &h.state.Proposals[i].Pending
				}
				*pending = append(*pending, spec.LoggedApproval{Document: d, At: instant(at)})
			})
			return nil
		}, l.ids)
}

// open limits a query of one table to what an index has, unless everything is wanted. The index is named, since the planner takes
// the primary key of the chain for as good, and would read all that has ended.
func (l *loading) open(index, condition string) string {
	if l.all {
		return "WHERE"
	}
	return "INDEXED BY " + index + " WHERE " + condition + " AND"
}

const proposalColumns = `chain, decision, missing, content, until_at, recovery, status, document, born`

func (l *loading) loadProposals() error {
	return each(l.ctx, l.q, `
		SELECT `+proposalColumns+` FROM proposal `+l.open("proposal_open", "status IN ('open', 'issued')")+`
			chain IN (SELECT value FROM json_each(?1))
		UNION
		SELECT `+proposalColumns+` FROM proposal
		WHERE chain IN (SELECT value FROM json_each(?1)) AND decision IN (SELECT value FROM json_each(?2))
		ORDER BY chain, born, missing`,
		func(rows *sql.Rows) error {
			var chain string
			var until, born int64
			p := spec.Proposal{}
			if err := rows.Scan(&chain, &p.Decision, &p.Index, &p.Content, &until, &p.Recovery, &p.Status, &p.Document, &born); err != nil {
				return err
			}
			p.Until = instant(until)
			h := l.chains[chain]
			i := len(h.state.Proposals)
			h.state.Proposals = append(h.state.Proposals, p)
			l.proposed[key(chain, p.Content)] = i
			l.want(docKey{h.org, p.Decision}, func(d spec.Document) {
				interim := d.Body.(*spec.Decision)
				h.state.Proposals[i].Lifts, h.state.Proposals[i].Action = interim.Missing[p.Index].Lifts, interim.Action
			})
			return nil
		}, l.ids, list(l.decisions))
}

func (l *loading) loadDocuments() error {
	docs, err := l.parsed.documents(l.ctx, l.q, l.wanted)
	if err != nil {
		return err
	}
	for _, fill := range l.fill {
		fill(docs)
	}
	return nil
}

const holdColumns = `chain, decision, mandates, action, payload, executor, self_executed, charged, execute_before, status,
	begin_digest, currency, amount, captured, executed, final, reconciled, policies, born`

// loadHolds reads open holds and those asked for, in the order in which they were given.
func (l *loading) loadHolds() error {
	err := each(l.ctx, l.q, `
		SELECT `+holdColumns+` FROM hold `+l.open("hold_open", "status IN ('held', 'entered')")+`
			chain IN (SELECT value FROM json_each(?1))
		UNION
		SELECT `+holdColumns+` FROM hold
		WHERE decision IN (SELECT value FROM json_each(?2)) AND chain IN (SELECT value FROM json_each(?1))
		ORDER BY chain, born`,
		func(rows *sql.Rows) error {
			var chain, mandates, policies string
			var before, born int64
			h := spec.Hold{}
			if err := rows.Scan(&chain, &h.Decision, &mandates, &h.Action, &h.Payload, &h.Executor, &h.SelfExecuted, &h.Charged,
				&before, &h.Status, &h.Begin, &h.Currency, &h.Amount, &h.Captured, &h.Executed, &h.Final, &h.Reconciled, &policies, &born); err != nil {
				return err
			}
			h.Mandates, h.Policies, h.ExecuteBefore = strings.Fields(mandates), fields(policies), instant(before)
			s := l.chains[chain].state
			l.holding[key(chain, h.Decision)] = len(s.Holds)
			s.Holds = append(s.Holds, h)
			return nil
		}, l.ids, list(l.decisions))
	if err != nil {
		return err
	}
	return l.loadLines()
}

func (l *loading) loadLines() error {
	decisions := l.held()
	if len(decisions) == 0 {
		return nil
	}
	return each(l.ctx, l.q, `
		SELECT chain, decision, constraint_id, unit, from_at, amount, open, lift FROM hold_line
		WHERE decision IN (SELECT value FROM json_each(?)) AND chain IN (SELECT value FROM json_each(?))
		ORDER BY chain, decision, line`,
		func(rows *sql.Rows) error {
			var chain, decision string
			var from int64
			n := spec.HoldLine{}
			if err := rows.Scan(&chain, &decision, &n.Constraint, &n.Unit, &from, &n.Amount, &n.Open, &n.Lift); err != nil {
				return err
			}
			n.From = instant(from)
			if i, ok := l.holding[key(chain, decision)]; ok {
				h := &l.chains[chain].state.Holds[i]
				h.Lines = append(h.Lines, n)
			}
			return nil
		}, list(decisions), l.ids)
}

// held are the decisions of the loaded holds.
func (l *loading) held() []string {
	var decisions []string
	for _, h := range l.chains {
		for _, hold := range h.state.Holds {
			decisions = append(decisions, hold.Decision)
		}
	}
	return decisions
}

const windowColumns = `b.chain, b.constraint_id, b.unit, b.from_at, b.to_at, b.maximum, b.lifted, b.held, b.committed, b.excess, b.lifts`

// loadWindows reads those not over, those over that still count in a rolling sum, those with something held, and those that
// the lines of a loaded hold are booked in.
func (l *loading) loadWindows() error {
	since := l.now
	for _, h := range l.chains {
		if back := l.now.Add(-lookBack(h.state)); back.Before(since) {
			since = back
		}
	}
	return each(l.ctx, l.q, `
		SELECT `+windowColumns+` FROM budget AS b `+l.open("budget_to", "to_at > ?2")+`
			chain IN (SELECT value FROM json_each(?1))
		UNION
		SELECT `+windowColumns+` FROM budget AS b `+l.open("budget_to", "to_at = ?3")+`
			chain IN (SELECT value FROM json_each(?1))
		UNION
		SELECT `+windowColumns+` FROM hold_line AS n CROSS JOIN budget AS b
			ON b.chain = n.chain AND b.constraint_id = n.constraint_id AND b.unit = n.unit AND b.from_at = n.from_at
		WHERE n.decision IN (SELECT value FROM json_each(?4)) AND n.chain IN (SELECT value FROM json_each(?1))
			AND (b.held > 0 OR n.decision IN (SELECT value FROM json_each(?5)))
		ORDER BY 1, 2, 3, 4`,
		func(rows *sql.Rows) error {
			var chain string
			var from, to int64
			w := spec.Window{}
			if err := rows.Scan(&chain, &w.Constraint, &w.Unit, &from, &to, &w.Max, &w.Lifted, &w.Held, &w.Committed, &w.Excess,
				&w.Lifts); err != nil {
				return err
			}
			w.From, w.To = instant(from), instant(to)
			s := l.chains[chain].state
			s.Windows = append(s.Windows, w)
			return nil
		}, l.ids, millis(since), millis(time.Time{}), list(l.held()), list(l.decisions))
}

const (
	day  = 24 * time.Hour
	year = 367 * day // the longest rolling period, and one bucket more
)

// lookBack is how long after its end a window of the chain may still count in a rolling sum: for the mandate's own limits the period
// of the longest and one bucket more. What policies count is on chains that do not say the period, so there it is the longest there is.
func lookBack(s *spec.State) (longest time.Duration) {
	if s.Kind == spec.KindAccount || s.Mandate != nil && len(s.Mandate.Terms().Policies) > 0 {
		return year
	}
	if s.Mandate != nil {
		for _, c := range s.Mandate.Terms().Constraints {
			longest = max(longest, periodOf(c))
		}
	}
	return longest
}

// windowBack is the lookBack of one window. The length of a bucket tells the longest period that it may be part of (rule.Rolling).
func windowBack(s *spec.State, w spec.Window) time.Duration {
	back := lookBack(s)
	if back < year {
		return back
	}
	switch w.To.Sub(w.From) {
	case time.Hour:
		return 2 * day
	case 6 * time.Hour:
		return 8 * day
	case day:
		return year
	}
	return 0
}

// periodOf is the lookBack of one constraint object: none where it is not rolling.
func periodOf[V interface {
	Member(name string) (V, bool)
	Text() (string, bool)
}](constraint V) time.Duration {
	if _, rolling := constraint.Member("rolling"); !rolling {
		return 0
	}
	per, _ := constraint.Member("per")
	switch text, _ := per.Text(); text {
	case "P1D":
		return 2 * day
	case "P1W":
		return 8 * day
	case "P1M":
		return 32 * day
	}
	return year
}

// unsettled is the state without the settled holds and closed proposals, but for those of the decisions.
func unsettled(s *spec.State, decisions []string) *spec.State {
	n := *s
	n.Holds = keep(s.Holds, func(h spec.Hold) bool { return h.IsOpen() || slices.Contains(decisions, h.Decision) })
	n.Proposals = keep(s.Proposals, func(p spec.Proposal) bool { return openProposal(p) || slices.Contains(decisions, p.Decision) })
	return &n
}

// widened puts back, in their order, what narrowed left out.
func widened(after, full *spec.State) *spec.State {
	w := *after
	w.Holds = merged(full.Holds, after.Holds, holdID)
	w.Proposals = merged(full.Proposals, after.Proposals, proposalID)
	return &w
}

func openProposal(p spec.Proposal) bool {
	return p.Status == spec.ProposalOpen || p.Status == spec.ProposalIssued
}

func keep[T any](all []T, want func(T) bool) []T {
	if !slices.ContainsFunc(all, func(x T) bool { return !want(x) }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !want(x) })
}

// merged is full with the elements of newer in place of theirs, and then those that are new. Both have one order.
func merged[T any](full, newer []T, id func(*T) string) []T {
	var all []T
	next := 0
	for i := range full {
		if next < len(newer) && id(&newer[next]) == id(&full[i]) {
			all = append(all, newer[next])
			next++
		} else {
			all = append(all, full[i])
		}
	}
	return append(all, newer[next:]...)
}
