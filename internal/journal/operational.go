package journal

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/writ-trust/writ/spec"
)

// The rows of this file are operational: small transactions of their own, never part of what is proven.

// Org is an organisation that this server serves. Mode is spec.ModeTest or empty.
type Org struct {
	ID, Name, Mode string
}

// APIKey lets a caller act for an organisation. Only its hash is kept. HostedAgent names the agent key with which the server
// signs presentations for the caller, "" for none. Revoked is zero while the key counts.
type APIKey struct {
	ID, Org, Name    string
	Hash             [32]byte
	Scopes           []string
	Mode             string
	HostedAgent      string
	Created, Revoked time.Time
}

// put runs one writing statement by itself.
func (j *Journal) put(ctx context.Context, statement string, args ...any) error {
	if err := j.usable(); err != nil {
		return err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	select {
	case <-j.closing:
		return ErrClosed
	default:
	}
	ctx = context.WithoutCancel(ctx)
	changed, err := j.writer.exec(ctx, statement, args...)
	switch {
	case sqliteCode(err) == sqliteConstraint:
		return spec.Refuse("table-rule", "", "another row has this id")
	case diskFailed(err):
		return j.fail(err)
	case err != nil:
		return errors.Join(&IndeterminateError{Err: err}, j.writer.reset(ctx))
	case changed == 0:
		return ErrNotFound
	}
	return nil
}

// get scans one row.
func (j *Journal) get(ctx context.Context, query string, args []any, into ...any) error {
	return j.snapshot(ctx, func(q querier) error {
		ok, err := one(ctx, q, query, args, into...)
		return errors.Join(err, notFoundUnless(ok))
	})
}

// PutDraft keeps a draft, or replaces the one of the same organisation and id.
func (j *Journal) PutDraft(ctx context.Context, d spec.Draft) error {
	return j.put(ctx, `INSERT INTO draft (id, org, kind, content, body, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (org, id) DO UPDATE SET kind = excluded.kind, content = excluded.content, body = excluded.body`,
		d.ID, d.Org, d.Kind, d.Content, d.Body, millis(d.Created))
}

const draftColumns = `SELECT id, org, kind, content, body, created FROM draft `

func (j *Journal) draft(ctx context.Context, where string, args ...any) (d spec.Draft, err error) {
	var created int64
	err = j.get(ctx, draftColumns+where, args, &d.ID, &d.Org, &d.Kind, &d.Content, &d.Body, &created)
	d.Created = instant(created)
	if err != nil {
		return spec.Draft{}, err
	}
	return d, nil
}

// Draft returns a draft by the id of its credential.
func (j *Journal) Draft(ctx context.Context, org, id string) (spec.Draft, error) {
	return j.draft(ctx, `WHERE id = ?1 AND (org = ?2 OR ?2 = '')`, id, org)
}

// DraftByContent returns a draft by its content digest.
func (j *Journal) DraftByContent(ctx context.Context, org, content string) (spec.Draft, error) {
	return j.draft(ctx, `WHERE content = ?1 AND (org = ?2 OR ?2 = '')`, content, org)
}

// ListDrafts returns the drafts of an organisation, newest first.
func (j *Journal) ListDrafts(ctx context.Context, org string) ([]spec.Draft, error) {
	var all []spec.Draft
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, draftColumns+`WHERE org = ?1 OR ?1 = '' ORDER BY created DESC, id`, func(rows *sql.Rows) error {
			var d spec.Draft
			var created int64
			err := rows.Scan(&d.ID, &d.Org, &d.Kind, &d.Content, &d.Body, &created)
			d.Created = instant(created)
			all = append(all, d)
			return err
		}, org)
	})
	return all, err
}

// PutOrg adds an organisation or changes its name. Its mode stays.
func (j *Journal) PutOrg(ctx context.Context, o Org) error {
	return j.put(ctx, `INSERT INTO org (id, name, mode) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name`, o.ID, o.Name, o.Mode)
}

// Org returns an organisation.
func (j *Journal) Org(ctx context.Context, id string) (o Org, err error) {
	err = j.get(ctx, `SELECT id, name, mode FROM org WHERE id = ?`, []any{id}, &o.ID, &o.Name, &o.Mode)
	return o, err
}

// Orgs returns all organisations, by id.
func (j *Journal) Orgs(ctx context.Context) ([]Org, error) {
	var all []Org
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT id, name, mode FROM org ORDER BY id`, func(rows *sql.Rows) error {
			var o Org
			err := rows.Scan(&o.ID, &o.Name, &o.Mode)
			all = append(all, o)
			return err
		})
	})
	return all, err
}

// PutAPIKey adds a key. One with this id or hash already is refused: table-rule.
func (j *Journal) PutAPIKey(ctx context.Context, k APIKey) error {
	defer j.keys.changed()
	return j.put(ctx, `INSERT INTO api_key (id, org, hash, scopes, mode, hosted_agent, name, created, revoked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.Org, k.Hash[:], strings.Join(k.Scopes, " "), k.Mode, k.HostedAgent, k.Name, millis(k.Created), millis(k.Revoked))
}

// APIKeyByHash returns the key with this hash, revoked or not.
func (j *Journal) APIKeyByHash(ctx context.Context, hash [32]byte) (APIKey, error) {
	k, ok, changes := j.keys.get(hash)
	if ok {
		return k, nil
	}
	var scopes string
	var created, revoked int64
	err := j.get(ctx, `SELECT id, org, scopes, mode, hosted_agent, name, created, revoked FROM api_key WHERE hash = ?`,
		[]any{hash[:]}, &k.ID, &k.Org, &scopes, &k.Mode, &k.HostedAgent, &k.Name, &created, &revoked)
	if err != nil {
		return APIKey{}, err
	}
	k.Hash, k.Scopes, k.Created, k.Revoked = hash, strings.Fields(scopes), instant(created), instant(revoked)
	j.keys.put(k, changes)
	return k, nil
}

// APIKeys are the keys of an organisation, newest first, revoked ones included.
func (j *Journal) APIKeys(ctx context.Context, org string) (all []APIKey, err error) {
	err = j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT id, org, hash, scopes, mode, hosted_agent, name, created, revoked FROM api_key WHERE org = ?
			ORDER BY created DESC, id`, func(rows *sql.Rows) error {
			var k APIKey
			var hash []byte
			var scopes string
			var created, revoked int64
			if err := rows.Scan(&k.ID, &k.Org, &hash, &scopes, &k.Mode, &k.HostedAgent, &k.Name, &created, &revoked); err != nil {
				return err
			}
			copy(k.Hash[:], hash)
			k.Scopes, k.Created, k.Revoked = strings.Fields(scopes), instant(created), instant(revoked)
			all = append(all, k)
			return nil
		}, org)
	})
	return all, err
}

// RevokeAPIKey ends a key of an organisation, now. Revoking it again keeps the first time.
func (j *Journal) RevokeAPIKey(ctx context.Context, org, id string) error {
	defer j.keys.changed()
	return j.put(ctx, `UPDATE api_key SET revoked = CASE WHEN revoked = ?1 THEN ?2 ELSE revoked END WHERE id = ?3 AND (org = ?4 OR ?4 = '')`,
		millis(time.Time{}), millis(j.Now()), id, org)
}
