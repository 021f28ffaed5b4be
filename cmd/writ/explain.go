package main

import (
	"fmt"

	"github.com/writ-trust/writ/spec"
)

// explainCmd is writ explain: the table of reason codes, for people.
type explainCmd struct {
	Code string `arg:"" optional:"" help:"Reason code, such as not-entitled."`
	All  bool   `help:"List every code."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of writ explain --help.
func (explainCmd) Help() string {
	return `Every refusal of Writ carries a reason code that never changes its meaning: in problem documents, in the checks of a
decision, in the verdicts of writ verify and on standard error.

    writ explain not-entitled
    writ explain --all`
}

type explained struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy"`
}

func (c explainCmd) Run(sys *system) error {
	if c.All {
		return c.list(sys)
	}
	if c.Code == "" {
		return usage(fmt.Errorf("name a reason code, or --all"))
	}
	r, ok := spec.Explain(c.Code)
	if !ok {
		return ends(exitFails, "%s is no reason code of this Writ; writ explain --all lists them", c.Code)
	}
	if c.JSON {
		return printJSON(sys.out, explained(r))
	}
	fmt.Fprintf(sys.out, "%s\n\n%s\n%s\n", r.Code, r.Meaning, r.Remedy)
	return nil
}

func (c explainCmd) list(sys *system) error {
	var all []explained
	var rows [][]string
	for _, r := range spec.Reasons() {
		all = append(all, explained(r))
		rows = append(rows, []string{r.Code, r.Meaning})
	}
	if c.JSON {
		return printJSON(sys.out, all)
	}
	table(sys.out, rows)
	return nil
}
