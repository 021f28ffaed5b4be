package writ

import (
	"context"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// ContentOfReconciliation is the taking back of a charge that was not executed, by its decision's id (dec_…, rcp_…, urn:uuid:…) or
// digest. What is shown is made from the decision itself and from the mandate that people granted.
func (c *Client) ContentOfReconciliation(ctx context.Context, decision string) (Content, error) {
	a, err := c.Decision(ctx, decision)
	if err != nil {
		return Content{}, err
	}
	doc, err := a.Document()
	if err != nil {
		return Content{}, err
	}
	d := doc.Body.(*spec.Decision)
	root, err := c.mandateOf(ctx, d.Mandates[0])
	if err != nil {
		return Content{}, err
	}
	if _, err := spec.ReconcileLines(rule.English, root, doc); err != nil {
		return Content{}, err
	}
	return Content{Kind: spec.KindReconciliation, Digest: spec.ReconciliationContent(doc.Digest), Mode: d.Mode, about: doc.Digest,
		Lines: func(l rule.Locale) []string {
			lines, _ := spec.ReconcileLines(l, root, doc) // it could, above
			return lines
		}}, nil
}
