package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/writ-trust/writ/spec"
)

// completionCmd is writ completion.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the long text of writ completion --help.
func (completionCmd) Help() string {
	return `    source <(writ completion bash)
    writ completion fish > ~/.config/fish/completions/writ.fish`
}

func (c completionCmd) Run(sys *system, parser *kong.Kong) error {
	switch c.Shell {
	case "fish":
		fishCompletion(sys, parser.Model.Node, nil)
		return nil
	case "zsh":
		fmt.Fprintln(sys.out, "autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Fprintln(sys.out, "_writ() {\n  local cur=${COMP_WORDS[COMP_CWORD]}\n  case \"${COMP_WORDS[*]:1:COMP_CWORD-1}\" in")
	bashCompletion(sys, parser.Model.Node, nil)
	fmt.Fprintln(sys.out, "  esac\n  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -F _writ writ")
	return nil
}

// bashCompletion prints a case for each command, the deepest first, since a case matches what begins with its words.
func bashCompletion(sys *system, node *kong.Node, path []string) {
	for _, child := range node.Children {
		bashCompletion(sys, child, append(path, child.Name))
	}
	pattern := "*"
	if len(path) > 0 {
		pattern = fmt.Sprintf("%q*", strings.Join(path, " "))
	}
	fmt.Fprintf(sys.out, "  %s) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", pattern, strings.Join(words(node), " "))
}

// words are what may follow a command: its subcommands, the values of its arguments, and its flags.
func words(node *kong.Node) []string {
	all := values(node)
	for _, child := range node.Children {
		all = append(all, child.Name)
	}
	for _, flag := range node.Flags {
		all = append(all, "--"+flag.Name)
	}
	return all
}

// values are what a command's arguments may be, where that can be listed: the shells, and the reason codes.
func values(node *kong.Node) []string {
	var all []string
	for _, argument := range node.Positional {
		if argument.Enum != "" {
			all = append(all, argument.EnumSlice()...)
		}
	}
	if node.Name == "explain" {
		for _, r := range spec.Reasons() {
			all = append(all, r.Code)
		}
	}
	return all
}

func fishCompletion(sys *system, node *kong.Node, path []string) {
	condition := "__fish_use_subcommand"
	if len(path) > 0 {
		condition = "__fish_seen_subcommand_from " + path[len(path)-1]
	}
	for _, child := range node.Children {
		fmt.Fprintf(sys.out, "complete -c writ -n %q -a %s -d %q\n", condition, child.Name, child.Help)
	}
	for _, value := range values(node) {
		fmt.Fprintf(sys.out, "complete -c writ -f -n %q -a %s\n", condition, value)
	}
	for _, flag := range node.Flags {
		fmt.Fprintf(sys.out, "complete -c writ -n %q -l %s -d %q\n", condition, flag.Name, flag.Help)
	}
	for _, child := range node.Children {
		fishCompletion(sys, child, append(path, child.Name))
	}
}
