package writ

import (
	"context"
	"net/url"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// AddTemplate hands an action template to the ledger, so that mandates can name it. The answer is what a mandate writes among its
// templates. Nothing is granted by it; the same one again is the same.
func (c *Client) AddTemplate(ctx context.Context, template vc.Value) (spec.TemplateRef, error) {
	d, t, err := spec.TemplateFromValue(template)
	if err != nil {
		return spec.TemplateRef{}, err
	}
	kept, err := post[spec.TemplateRef](ctx, c, "/v1/templates", template.Canonical())
	if err != nil {
		return kept, err
	}
	if kept != t.Ref(d.Digest) {
		return kept, spec.Refuse("template-other", "", "the server answered with another template")
	}
	return kept, nil
}

// Template reads an action template by its digest, which is computed again.
func (c *Client) Template(ctx context.Context, digest string) (spec.Document, error) {
	v, err := get[vc.Value](ctx, c, "/v1/templates/"+url.PathEscape(digest), nil)
	if err != nil {
		return spec.Document{}, err
	}
	d, _, err := spec.TemplateFromValue(v)
	if err == nil && d.Digest != digest {
		err = spec.Refuse("template-other", "", "the server answered with another template")
	}
	return d, err
}
