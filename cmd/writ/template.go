package main

import (
	"fmt"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
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
