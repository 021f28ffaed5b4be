package main

import (
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/writ-trust/writ/spec"
)

// versionCmd is writ version.
type versionCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is the long text of writ version --help.
func (versionCmd) Help() string {
	return `Beside the build it names the tables by which this Writ decides: a decision carries the same names, and only a Writ with
the same tables runs it again.`
}

type build struct {
	Version  string   `json:"version"`
	Revision string   `json:"revision,omitempty"`
	Go       string   `json:"go"`
	Env      spec.Env `json:"env"`
}

func (c versionCmd) Run(sys *system) error {
	b := build{Version: "devel", Go: runtime.Version(), Env: spec.CurrentEnv()}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = s.Value
			}
		}
	}
	if c.JSON {
		return printJSON(sys.out, b)
	}
	rows := [][]string{{"writ", b.Version}, {"revision", b.Revision}, {"go", b.Go}, {"documents", b.Env.Spec},
		{"time zones", b.Env.TZ}, {"currencies", b.Env.Currency}, {"rules", b.Env.Rule}}
	table(sys.out, slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" }))
	return nil
}
