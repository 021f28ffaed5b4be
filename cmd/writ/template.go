package main

import (
	"fmt"
	"slices"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// templateCmd is writ template.
type templateCmd struct {
	Check templateCheckCmd `cmd:"" help:"Read an action template and print its digest."`
	Add   templateAddCmd   `cmd:"" help:"Hand an action template to the server, for mandates to name."`
	Show  templateShowCmd  `cmd:"" help:"Print an action template by its digest."`
}

type templateCheckCmd struct {
	File string `arg:"" help:"Template as JSON; - is standard input."`
	JSON bool   `name:"json" help:"Print what a mandate writes among its templates."`
}

// Help is the long text of writ template check --help.
func (templateCheckCmd) Help() string {
	return `A template says what actions of one type look like: which parameters they have, of which kind, and whether amount, counterparty and
payload are there. A mandate names it by its digest among its templates, or with writ mandate draft --template. Nobody signs it.

    {"type": "ActionTemplate", "version": "1", "action": "payments.transfer", "title": {"en": "Pay an invoice"},
     "amount": "required", "counterparty": "required",
     "members": [{"pointer": "/parameters/memo", "kind": "string", "required": true, "maxLength": 140}]}`
}

func (c templateCheckCmd) Run(sys *system) error {
	d, t, err := readTemplate(sys, c.File)
	if err != nil {
		return err
	}
	return printRef(sys, c.JSON, t.Ref(d.Digest))
}

type templateAddCmd struct {
	File string `arg:"" help:"Template as JSON; - is standard input."`
	JSON bool   `name:"json" help:"Print what a mandate writes among its templates."`
	remote
}

// Help is the long text of writ template add --help.
func (templateAddCmd) Help() string {
	return `Nothing is granted by it. A mandate that names the template can be proposed from then on; adding the same one again changes nothing.

` + remoteHelp
}

func (c templateAddCmd) Run(sys *system) error {
	d, _, err := readTemplate(sys, c.File)
	if err != nil {
		return err
	}
	to, err := c.connect(sys)
	if err != nil {
		return err
	}
	ref, err := to.AddTemplate(to.ctx, d.Value)
	if err != nil {
		return err
	}
	return printRef(sys, c.JSON, ref)
}

type templateShowCmd struct {
	Digest string `arg:"" help:"Digest of the template, uEi…."`
	remote
}

// Help is the long text of writ template show --help.
func (templateShowCmd) Help() string { return remoteHelp }

func (c templateShowCmd) Run(sys *system) error {
	from, err := c.connect(sys)
	if err != nil {
		return err
	}
	d, err := from.Template(from.ctx, c.Digest)
	if err != nil {
		return err
	}
	return printJSON(sys.out, d.Value)
}

func readTemplate(sys *system, path string) (spec.Document, *spec.ActionTemplate, error) {
	data, err := readInput(sys, path, maxTrustBytes)
	if err != nil {
		return spec.Document{}, nil, &exit{exitUnchecked, err}
	}
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return spec.Document{}, nil, foreign(path, "a template", data, err)
	}
	d, t, err := spec.TemplateFromValue(v)
	if err != nil {
		return d, t, fmt.Errorf("%s: %w", path, err)
	}
	return d, t, nil
}

func printRef(sys *system, asJSON bool, ref spec.TemplateRef) error {
	if asJSON {
		return printJSON(sys.out, ref)
	}
	table(sys.out, [][]string{{"digest", ref.Digest}, {"action", ref.Action}, {"title", ref.Title.En}})
	return nil
}

// addTemplates takes the templates that the mandates name: all of them, and no other.
func (l *trialLedger) addTemplates(sys *system, paths []string) error {
	for _, path := range paths {
		if err := l.addTemplate(sys, path); err != nil {
			return err
		}
	}
	if r, missing := l.withoutTemplate(); missing {
		return usage(fmt.Errorf("a mandate names the template %q, %s: give its file with --template", r.Title.En, r.Digest))
	}
	return nil
}

func (l *trialLedger) addTemplate(sys *system, path string) error {
	d, t, err := readTemplate(sys, path)
	if err != nil {
		return err
	}
	for _, r := range l.templateRefs() {
		if r.Digest == d.Digest && r != t.Ref(d.Digest) {
			return fmt.Errorf("%s: %w", path, spec.Refuse("template-other", "", "a mandate says another type or title of it"))
		}
	}
	if !slices.Contains(l.templateRefs(), t.Ref(d.Digest)) {
		return ends(exitUsage, "%s is a template that no mandate names; its digest is %s", path, d.Digest)
	}
	if l.templates == nil {
		l.templates = verifier.Templates{}
	}
	l.templates[d.Digest] = t
	return nil
}

// templateRefs are the templates that the mandates name.
func (l *trialLedger) templateRefs() (all []spec.TemplateRef) {
	for _, m := range l.chain {
		all = append(all, m.Body.Terms().Templates...)
	}
	return all
}

// withoutTemplate is the first that a mandate names and no file was.
func (l *trialLedger) withoutTemplate() (r spec.TemplateRef, missing bool) {
	refs := l.templateRefs()
	i := slices.IndexFunc(refs, func(r spec.TemplateRef) bool { return l.templates[r.Digest] == nil })
	if i < 0 {
		return r, false
	}
	return refs[i], true
}

// mapping is how the payload of an action of this type is said to be read where a file leaves that out: as its templates want it.
func (l *trialLedger) mapping(action string) string {
	for _, r := range l.templateRefs() {
		if t := l.templates[r.Digest]; r.Action == action && t.Payload != nil {
			return t.Payload.Mapping
		}
	}
	return "writ-trial/1"
}
