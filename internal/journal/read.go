package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// All reads see committed state only. Each takes the organisation that asks: what is another's, or unknown, is ErrNotFound. The
// empty organisation is the server itself, which sees all.

// snapshot runs read on one committed state.
func (j *Journal) snapshot(ctx context.Context, read func(q querier) error) error {
	tx, err := j.readers.BeginTx(ctx, nil)
	if err != nil {
		return unreadable(ctx, err)
	}
	defer tx.Rollback()
	return unreadable(ctx, read(tx))
}

// unreadable says that a failure of the database is no answer.
func unreadable(ctx context.Context, err error) error {
	var refusal *spec.Error
	var already *IndeterminateError
	if err == nil || ctx.Err() != nil || errors.As(err, &refusal) || errors.As(err, &already) {
		return err
	}
	return &IndeterminateError{Err: err}
}

// States returns the chains that refs name, as they are committed and at this instant, with the holds and proposals of the decisions however they
// stand. All of them must exist.
func (j *Journal) States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error) {
	found, err := j.committed(ctx, refs, decisions)
	if err != nil {
		return nil, err
	}
	ss, now := spec.States{}, j.Now()
	for _, ref := range refs {
		h := found[ref.Content]
		if h == nil || !visible(org, h.org) || ref.Kind != "" && h.state.Kind != ref.Kind {
			return nil, ErrNotFound
		}
		ss[h.state.Chain] = h.state.AsOf(now)
	}
	return ss, nil
}

// committed finds the chains in the cache, or reads all of them, so that they are of one moment.
func (j *Journal) committed(ctx context.Context, refs []spec.ChainRef, decisions []string) (found map[string]*held, err error) {
	if found, ok := j.states.all(refs, decisions); ok {
		return found, nil
	}
	var contents []string
	for _, ref := range refs {
		contents = append(contents, ref.Content)
	}
	err = j.snapshot(ctx, func(q querier) error {
		found, err = j.load(ctx, q, contents, decisions)
		return err
	})
	return found, err
}

// load reads chains in a snapshot, and leaves them to the cache where that is of the same size.
func (j *Journal) load(ctx context.Context, q querier, contents, decisions []string) (map[string]*held, error) {
	now := j.Now()
	loaded, err := loadStates(ctx, q, &j.parsed, contents, scope{now: now, decisions: decisions})
	if err != nil {
		return nil, err
	}
	at, _, err := tip(ctx, q)
	if err == nil {
		j.states.read(loaded, now, at.Size)
	}
	return loaded, err
}

// RosterState returns the roster chain of a grantor at this instant: what recovery keys approved may count since it was cached.
func (j *Journal) RosterState(ctx context.Context, org, grantor string) (*spec.State, error) {
	if h, ok := j.states.roster(org, grantor); ok {
		return h.state.AsOf(j.Now()), nil
	}
	var state *spec.State
	err := j.snapshot(ctx, func(q querier) error {
		var content string
		ok, err := one(ctx, q, `SELECT content FROM chain WHERE grantor = ?1 AND grantor <> '' AND `+of(org)+` ORDER BY born`,
			[]any{grantor, org}, &content)
		if err != nil || !ok {
			return errors.Join(err, notFoundUnless(ok))
		}
		found, err := j.load(ctx, q, []string{content}, nil)
		if err == nil {
			state = found[content].state
		}
		return err
	})
	return state, err
}

// of limits a query to the rows of the organisation ?2, in words that let it use an index by organisation.
func of(org string) string {
	if org == "" {
		return "?2 = ''"
	}
	return "org = ?2"
}

func notFoundUnless(ok bool) error {
	if ok {
		return nil
	}
	return ErrNotFound
}

const recordColumns = `SELECT d.org, d.digest, d.body, e.leaf, e.bytes, e.at, e.salt
	FROM entry AS e JOIN document AS d ON d.leaf = e.leaf AND d.digest = e.document AND d.org = e.org `

// records reads logged documents with their secrets and proofs. where selects them and orders them, among entry e, document d.
func (j *Journal) records(ctx context.Context, where string, args ...any) ([]spec.Record, error) {
	var records []spec.Record
	err := j.snapshot(ctx, func(q querier) error {
		if err := each(ctx, q, recordColumns+where, func(rows *sql.Rows) error {
			r, err := j.scanRecord(rows)
			records = append(records, r)
			return err
		}, args...); err != nil {
			return err
		}
		return j.addSecrets(ctx, q, records)
	})
	if err != nil {
		return nil, err
	}
	for i := range records {
		if records[i].Proof, err = j.proof(records[i].Index); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func (j *Journal) scanRecord(rows *sql.Rows) (spec.Record, error) {
	var k docKey
	var body, bytes, salt []byte
	var at int64
	r := spec.Record{Seeds: map[string]spec.Seed{}}
	if err := rows.Scan(&k.org, &k.digest, &body, &r.Index, &bytes, &at, &salt); err != nil {
		return r, err
	}
	r.At = instant(at)
	copy(r.Salt[:], salt)
	var err error
	if r.Document, err = j.parsed.parse(k, body); err != nil {
		return r, unparsed(err)
	}
	if r.Entry, err = spec.ParseEntry(bytes); err != nil {
		return r, unparsed(fmt.Errorf("entry %d: %w", r.Index, err))
	}
	return r, nil
}

// unparsed keeps what is wrong in the database from looking like a caller's mistake.
func unparsed(err error) error { return &IndeterminateError{Err: err} }

// addSecrets reads what opens each link, in the order of the entry's links: sorted by chain.
func (j *Journal) addSecrets(ctx context.Context, q querier, records []spec.Record) error {
	byLeaf := map[int64]*spec.Record{}
	var places [][2]any
	for i, r := range records {
		byLeaf[r.Index] = &records[i]
		for _, l := range r.Entry.Links {
			places = append(places, [2]any{l.Chain, l.Seq})
		}
	}
	if len(places) == 0 {
		return nil
	}
	wanted, err := json.Marshal(places)
	if err != nil {
		return err
	}
	return each(ctx, q, `SELECT l.leaf, l.chain, l.seed, l.opened FROM json_each(?) AS w CROSS JOIN link AS l
		ON l.chain = w.value ->> 0 AND l.seq = w.value ->> 1 ORDER BY l.leaf, l.chain`,
		func(rows *sql.Rows) error {
			var leaf int64
			var chain string
			var seed, opened []byte
			if err := rows.Scan(&leaf, &chain, &seed, &opened); err != nil {
				return err
			}
			o, err := spec.ParseOpening(opened)
			if err != nil {
				return unparsed(fmt.Errorf("the link of entry %d: %w", leaf, err))
			}
			if len(seed) != len(spec.Seed{}) {
				return unparsed(fmt.Errorf("the link of entry %d has a seed of %d bytes", leaf, len(seed)))
			}
			r := byLeaf[leaf]
			if r == nil {
				return unparsed(fmt.Errorf("the chain %s names entry %d in another's place", chain, leaf))
			}
			r.Seeds[chain], r.Openings = spec.Seed(seed), append(r.Openings, o)
			return nil
		}, string(wanted))
}

// proof waits, where the entry was committed a moment ago, until the log has kept it.
func (j *Journal) proof(index int64) ([]byte, error) {
	proof, err := j.Log.Proof(index)
	if errors.Is(err, log.ErrNotFound) {
		j.keeping.RLock()
		proof, err = j.Log.Proof(index)
		j.keeping.RUnlock()
	}
	if err != nil {
		return nil, &IndeterminateError{Err: err}
	}
	return proof, nil
}

// first is the only record that is asked for.
func first(records []spec.Record, err error) (spec.Record, error) {
	if err == nil && len(records) == 0 {
		err = ErrNotFound
	}
	if err == nil && records[0].Document.Type == typeErased {
		err = ErrErased
	}
	if err != nil {
		return spec.Record{}, err
	}
	return records[0], nil
}

func (j *Journal) leaves(ctx context.Context, from, to int64) ([]spec.Record, error) {
	records, err := j.records(ctx, `WHERE e.leaf BETWEEN ? AND ? ORDER BY e.leaf`, from, to)
	if slices.ContainsFunc(records, func(r spec.Record) bool { return r.Document.Type == typeErased }) {
		return nil, ErrErased
	}
	return records, err
}

// mine limits a query to the organisation ?2; the server itself sees all.
const mine = ` AND (d.org = ?2 OR ?2 = '') ORDER BY e.leaf LIMIT 1`

// Record returns a document by its digest. An action template has no entry: its Entry is nil, its Index -1.
func (j *Journal) Record(ctx context.Context, org, digest string) (spec.Record, error) {
	if r, ok := j.recent.get(docKey{org, digest}); ok {
		var err error
		r.Proof, err = j.proof(r.Index)
		return r, err
	}
	r, err := first(j.records(ctx, `WHERE d.digest = ?1`+mine, digest, org))
	if !errors.Is(err, ErrNotFound) {
		return r, err
	}
	err = j.snapshot(ctx, func(q querier) error {
		r, err = j.alone(ctx, q, org, digest)
		return err
	})
	return r, err
}

const bodyOf = `SELECT org, body FROM document WHERE digest = ?1 AND (org = ?2 OR ?2 = '')`

// Beside returns a document without an entry that is kept beside a decision: its presentation, or its commit.
func (j *Journal) Beside(ctx context.Context, org, decision, digest string) (d spec.Document, err error) {
	err = j.snapshot(ctx, func(q querier) error {
		var owner string
		var body []byte
		ok, err := one(ctx, q, bodyOf, []any{decision, org}, &owner, &body)
		if err != nil || !ok {
			return errors.Join(err, notFoundUnless(ok))
		}
		texts, err := unpackBeside(body, func(mandate string) (found []byte, err error) {
			ok, err := one(ctx, q, bodyOf, []any{mandate, owner}, new(string), &found)
			if err == nil && !ok {
				err = errPacked
			}
			return found, err
		})
		if err != nil {
			return unparsed(fmt.Errorf("beside decision %s: %w", decision, err))
		}
		d, err = among(texts, digest)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		r, err := j.alone(ctx, q, owner, digest)
		d = r.Document
		return err
	})
	return d, err
}

// among is the document with this digest.
func among(texts [][]byte, digest string) (spec.Document, error) {
	for _, text := range texts {
		d, err := spec.Parse(text)
		if err != nil {
			return d, unparsed(err)
		}
		if d.Digest == digest {
			return d, nil
		}
	}
	return spec.Document{}, ErrNotFound
}

// alone reads a document without an entry that has a row of its own: an action template, or what was kept beside a decision before
// bodies were packed.
func (j *Journal) alone(ctx context.Context, q querier, org, digest string) (spec.Record, error) {
	k, r := docKey{digest: digest}, spec.Record{Index: -1}
	var body []byte
	ok, err := one(ctx, q, bodyOf+` AND leaf IS NULL`, []any{digest, org}, &k.org, &body)
	if err != nil || !ok {
		return r, errors.Join(err, notFoundUnless(ok))
	}
	if r.Document, err = j.parsed.parse(k, body); err != nil {
		return r, unparsed(err)
	}
	return r, nil
}

// ByContent returns the credential (mandate, roster version or supplement) that has this content digest.
func (j *Journal) ByContent(ctx context.Context, org, content string) (spec.Record, error) {
	return first(j.records(ctx, `WHERE d.content = ?1 AND d.content <> ''`+mine, content, org))
}

// ByID returns the logged document that has this id, urn:uuid:….
func (j *Journal) ByID(ctx context.Context, org, id string) (spec.Record, error) {
	return first(j.records(ctx, `WHERE d.urn = ?1 AND d.urn <> ''`+mine, id, org))
}

// Chain returns the entries of the chain of a content from one seq to another, both included, in their order; to 0 is its end.
func (j *Journal) Chain(ctx context.Context, org, content string, from, to int64) ([]spec.Record, error) {
	records, err := j.records(ctx, `JOIN link AS l ON l.leaf = e.leaf JOIN chain AS c ON c.id = l.chain
		WHERE c.content = ?1 AND (c.org = ?2 OR ?2 = '') AND l.seq >= ?3 AND (l.seq <= ?4 OR ?4 = 0) ORDER BY l.seq`, content, org, from, to)
	if err == nil && len(records) == 0 {
		err = ErrNotFound
	}
	return records, err
}

// Following returns the begin and the reports of a decision, and what people said to reconcile its charge, in log order; there may be
// none.
func (j *Journal) Following(ctx context.Context, org, decision string) ([]spec.Record, error) {
	return j.records(ctx, `WHERE d.refers IN (?1, ?3) AND d.refers <> '' AND d.type IN ('begin', 'report', 'mandateapproval')
		AND (d.org = ?2 OR ?2 = '') ORDER BY e.leaf`, decision, org, spec.ReconciliationContent(decision))
}

// Answer returns the present answer under a request key, whatever the body. An answer that is not final may be replaced.
func (j *Journal) Answer(ctx context.Context, org string, key spec.RequestKey) (answer spec.Logged, final bool, err error) {
	var from, to int64
	err = j.snapshot(ctx, func(q querier) error {
		ok, err := one(ctx, q, `SELECT first, last, final FROM request WHERE leaf = ?1 AND key = ?2 AND (org = ?3 OR ?3 = '')`,
			[]any{key.Leaf, key.Key, org}, &from, &to, &final)
		return errors.Join(err, notFoundUnless(ok))
	})
	if err != nil {
		return spec.Logged{}, false, err
	}
	records, err := j.leaves(ctx, from, to)
	return spec.Logged{Records: records, Known: true}, final, err
}

// Interim is a request whose answer may be replaced: it waits for people.
type Interim struct {
	Org      string
	Key      spec.RequestKey
	Decision string // digest of the interim decision
}

// Interim returns all requests that wait, oldest first: what a server takes up again when it starts.
func (j *Journal) Interim(ctx context.Context) ([]Interim, error) {
	var all []Interim
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT org, leaf, key, body, decision FROM request WHERE NOT final ORDER BY first`, func(rows *sql.Rows) error {
			var i Interim
			err := rows.Scan(&i.Org, &i.Key.Leaf, &i.Key.Key, &i.Key.Body, &i.Decision)
			all = append(all, i)
			return err
		})
	})
	return all, err
}

// MandateItem is one line of a list of mandates. Status is that of the chain; expiry is time, not status.
type MandateItem struct {
	ID      string // urn:uuid
	Content string
	Name    string
	Status  spec.Status
	Entries int64 // on its chain
}

// ListMandates returns at most limit mandates, newest first, from a cursor on ("" for the first page), and the cursor of the
// next page, "" where there is none. Reason: cursor-syntax.
func (j *Journal) ListMandates(ctx context.Context, org, cursor string, limit int) (items []MandateItem, next string, err error) {
	before := int64(1<<63 - 1)
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before < 0 {
			return nil, "", spec.Refuse("cursor-syntax", "", "not a cursor of this list")
		}
	}
	var last int64
	err = j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT urn, content, name, status, seq, born FROM chain
			WHERE urn <> '' AND `+of(org)+` AND born < ?1 ORDER BY born DESC LIMIT ?3`, func(rows *sql.Rows) error {
			var i MandateItem
			err := rows.Scan(&i.ID, &i.Content, &i.Name, &i.Status, &i.Entries, &last)
			items = append(items, i)
			return err
		}, before, org, limit)
	})
	if err == nil && len(items) == limit && limit > 0 {
		next = strconv.FormatInt(last, 10)
	}
	return items, next, err
}
