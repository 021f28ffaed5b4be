package verifier

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// Templates are action templates by their digests. Nobody signed them: a mandate names each by its digest.
type Templates map[string]*spec.ActionTemplate

// complete refuses to decide without a template that a mandate names.
func (ts Templates) complete(mandates []Mandate) error {
	for _, r := range named(mandates) {
		if ts[r.Digest] == nil {
			return spec.Refuse("indeterminate", "", "the template %s is not at hand", r.Digest)
		}
	}
	return nil
}

// named are the templates of a chain of mandates, each once, in their order.
func named(mandates []Mandate) []spec.TemplateRef {
	var all []spec.TemplateRef
	for _, m := range mandates {
		for _, r := range m.Body.Terms().Templates {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}

// form holds the action against a template of a mandate, where it is for this type of action.
func (d *deciding) form(r spec.TemplateRef) {
	if r.Action != d.Action.Type {
		return
	}
	var e *spec.Error
	if err := d.Templates[r.Digest].Check(d.Action); errors.As(err, &e) {
		d.fail(e.Reason, e.Pointer+" by template "+r.Digest)
	}
}

// readTemplates finds what a chain of mandates names, and refuses a template that is another than a mandate says.
func readTemplates(mandates []Mandate, find func(digest string) (*spec.ActionTemplate, error)) (Templates, error) {
	var ts Templates
	for _, r := range named(mandates) {
		t, err := find(r.Digest)
		if err != nil {
			return nil, err
		}
		if t.Ref(r.Digest) != r {
			return nil, spec.Refuse("template-other", "", "a mandate says another type or title of the template %s", r.Digest)
		}
		if ts == nil {
			ts = Templates{}
		}
		ts[r.Digest] = t
	}
	return ts, nil
}

// template finds one that an organisation handed over.
func (v *Verifier) template(ctx context.Context, org string) func(string) (*spec.ActionTemplate, error) {
	return func(digest string) (*spec.ActionTemplate, error) {
		key := templateKey{org, digest}
		if t := v.templates.get(key); t != nil {
			return t, nil
		}
		r, err := v.Journal.Record(ctx, org, digest)
		if isNotFound(err) {
			return nil, spec.Refuse("indeterminate", "", "the template %s is not at hand", digest)
		}
		if err != nil {
			return nil, err
		}
		_, t, err := spec.TemplateFromValue(r.Document.Value)
		if err != nil {
			return nil, err
		}
		v.templates.put(key, t)
		return t, nil
	}
}

// templateCache remembers what cannot change: bytes by their digest. It forgets everything when it is full.
type templateCache struct {
	mu   sync.Mutex
	read map[templateKey]*spec.ActionTemplate
}

type templateKey struct{ org, digest string }

const maxTemplateCache = 256

func (c *templateCache) get(k templateKey) *spec.ActionTemplate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read[k]
}

func (c *templateCache) put(k templateKey, t *spec.ActionTemplate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil || len(c.read) >= maxTemplateCache {
		c.read = map[templateKey]*spec.ActionTemplate{}
	}
	c.read[k] = t
}

// templates puts those that the mandates name into the bundle.
func (x *exporter) templates(mandates []Mandate) error {
	for _, r := range named(mandates) {
		rec, err := x.archive.Record(x.ctx, x.org, r.Digest)
		if err != nil {
			return err
		}
		x.bundle.Templates = append(x.bundle.Templates, rec.Document.Value)
	}
	return nil
}

// readTemplates takes the bundle's templates: exactly those that its mandates name, in their order.
func (c *checking) readTemplates() error {
	refs := named(c.mandates)
	if len(refs) != len(c.bundle.Templates) {
		return spec.Refuse("bundle-templates", "/templates", "%d templates are here, the mandates name %d", len(c.bundle.Templates), len(refs))
	}
	var err error
	c.templates, err = readTemplates(c.mandates, func(digest string) (*spec.ActionTemplate, error) {
		i := slices.IndexFunc(refs, func(r spec.TemplateRef) bool { return r.Digest == digest })
		return templateAt(c.bundle.Templates[i], digest, "/templates/"+strconv.Itoa(i))
	})
	return err
}

func templateAt(v jcs.Value, digest, place string) (*spec.ActionTemplate, error) {
	d, t, err := spec.TemplateFromValue(v)
	switch {
	case err != nil:
		return nil, placed(place, err)
	case d.Digest != digest:
		return nil, spec.Refuse("bundle-templates", place, "another template than the one that the mandate names")
	}
	return t, nil
}
