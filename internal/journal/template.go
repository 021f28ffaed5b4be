package journal

import (
	"context"

	"github.com/writ-trust/writ/spec"
)

// PutTemplate keeps an action template beside the documents that name it: it is no event and has no entry. One that is there
// already is the same, since its digest is of all its bytes.
func (j *Journal) PutTemplate(ctx context.Context, org string, template spec.Document) error {
	return j.put(ctx, `INSERT INTO document (org, digest, type, urn, content, refers, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (digest, org) DO UPDATE SET type = excluded.type`, documentRow(org, template, template.Bytes())...)
}
