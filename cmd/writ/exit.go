package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// The exit codes, the same of every subcommand; writ --help lists them.
const (
	exitHolds     = 0
	exitFails     = 1
	exitUsage     = 2
	exitTrust     = 3 // trust input missing
	exitUnchecked = 4 // could not check
	exitRefused   = 5
)

// exit is an error that says how the process ends. Its err is nil where everything has been said already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func ends(code int, format string, args ...any) error {
	return &exit{code, fmt.Errorf(format, args...)}
}

func usage(err error) error { return &exit{exitUsage, err} }

// silent ends with a code after the command has said why.
func silent(code int) error { return &exit{code: code} }

// report says an error to people, with its remedy where it has a reason code, and returns the exit code.
func report(sys *system, command string, err error) int {
	if err == nil {
		return exitHolds
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{exitOf(err), err}
	}
	if e.err == nil {
		return e.code
	}
	fmt.Fprintf(sys.err, "%s: %v\n", command, e.err)
	var said *writ.Error // says its remedy itself
	if reason, ok := spec.Explain(reasonOf(e.err)); ok && !errors.As(e.err, &said) {
		fmt.Fprintf(sys.err, "  %s %s\n", reason.Meaning, reason.Remedy)
	}
	if errors.Is(e.err, syscall.ECONNREFUSED) {
		fmt.Fprintln(sys.err, "  Nobody answers there. --url (WRIT_URL), or SOURCE of writ log, names the server; writ serve starts one.")
	}
	if e.code == exitUsage {
		fmt.Fprintf(sys.err, "See %s --help.\n", command)
	}
	return e.code
}

// exitOf is the code of an error that names none: what has a reason was refused, anything else could not be checked.
func exitOf(err error) int {
	switch reasonOf(err) {
	case "", "indeterminate", "internal", "rate-limited":
		return exitUnchecked
	}
	return exitRefused
}

// reasonOf is the reason code of an error of any package of Writ, "" where it has none.
func reasonOf(err error) string {
	var document *spec.Error
	var entry *log.Error
	var key *keys.Error
	var entitled *verifier.NotEntitledError
	var answered *writ.Error
	switch {
	case errors.As(err, &answered):
		return answered.Code
	case errors.As(err, &document):
		return document.Reason
	case errors.As(err, &entry):
		return entry.Reason
	case errors.As(err, &key):
		return key.Reason
	case errors.As(err, &entitled):
		return "not-entitled"
	}
	return ""
}

// commandIn is the command line that a mistake was made in, as far as it was understood: "writ mandate show".
func commandIn(err error) string {
	var e *kong.ParseError
	if !errors.As(err, &e) || e.Context == nil {
		return "writ"
	}
	return strings.TrimSpace("writ " + commandOf(e.Context))
}

// commandOf is the path of the command that was chosen, without its arguments: "mandate show".
func commandOf(ctx *kong.Context) string {
	var words []string
	for _, step := range ctx.Path {
		if step.Command != nil {
			words = append(words, step.Command.Name)
		}
	}
	return strings.Join(words, " ")
}
