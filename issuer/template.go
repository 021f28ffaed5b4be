package issuer

import (
	"context"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// AddTemplate keeps an action template for an organisation, under its digest. Nothing is granted by it: mandates name it.
func (i *Issuer) AddTemplate(ctx context.Context, org string, data []byte) (spec.Document, error) {
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return spec.Document{}, err
	}
	d, _, err := spec.TemplateFromValue(v)
	if err != nil {
		return d, err
	}
	return d, i.Drafts.PutTemplate(ctx, org, d)
}

// templatesKnown refuses a mandate that names a template which is not here, or is another than the mandate says.
func (i *Issuer) templatesKnown(ctx context.Context, org string, m *spec.Mandate) error {
	for n, ref := range m.Terms().Templates {
		place := "/credentialSubject/mandate/templates/" + strconv.Itoa(n)
		r, err := i.Journal.Record(ctx, org, ref.Digest)
		if err != nil {
			return notFoundAt(err, "template-unknown", place+"/digest", "hand the template over before the mandate")
		}
		_, t, err := spec.TemplateFromValue(r.Document.Value)
		if err != nil {
			return err
		}
		if t.Ref(ref.Digest) != ref {
			return spec.Refuse("template-other", place, "action and title are the template's own")
		}
	}
	return nil
}
