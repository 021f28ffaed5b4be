// Command writ is all of Writ in one binary: the ledger's server, what people and agents need to use it, and the offline
// check of what it recorded.
//
// This file wires the machine to the commands, and is the only one that reads its clock and its randomness. Each subcommand has
// a file of its own; exit.go holds the exit codes, config.go the settings of the server.
package main

import (
	"crypto/rand"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

// system is what a command may use of the machine that it runs on.
type system struct {
	in     *os.File
	out    io.Writer // data
	err    io.Writer // for people
	now    func() time.Time
	random io.Reader
}

// cli is the grammar of the command line.
type cli struct {
	Serve       serveCmd       `cmd:"" help:"Keep a ledger: decide, log and answer over HTTP."`
	Demo        demoCmd        `cmd:"" help:"Show the whole story, on a server of its own."`
	Roster      rosterCmd      `cmd:"" help:"Write, propose and read rosters: who may approve what."`
	Mandate     mandateCmd     `cmd:"" help:"Write, propose, read and take back mandates: what an agent may do."`
	Policy      policyCmd      `cmd:"" help:"Write, propose and read policies: limits of many mandates."`
	Template    templateCmd    `cmd:"" help:"Write down what actions of a type look like, for mandates to name."`
	Approve     approveCmd     `cmd:"" help:"Sign a person's word on a draft or a recovery."`
	Notice      noticeCmd      `cmd:"" help:"Sign a revoker's notice: suspend or revoke a mandate, veto a roster version."`
	Trust       trustCmd       `cmd:"" help:"Write and read trust files: what you believe before you see any evidence."`
	Verify      verifyCmd      `cmd:"" help:"Verify a bundle offline, or try a file of actions against mandates."`
	Audit       auditGroup     `cmd:"" help:"Verify many bundles offline, or the whole chain of one mandate."`
	Test        testCmd        `cmd:"" help:"Play test files of actions and expected answers against mandates."`
	Receipt     receiptCmd     `cmd:"" help:"Read receipts and export bundles."`
	Log         logCmd         `cmd:"" help:"Read the transparency log."`
	Witness     witnessCmd     `cmd:"" help:"Cosign the checkpoints of other logs that only grow."`
	Backup      backupCmd      `cmd:"" help:"Copy a ledger while it runs."`
	Restore     restoreCmd     `cmd:"" help:"Make a ledger of a backup, under a new epoch and a successor log."`
	Erase       eraseCmd       `cmd:"" help:"Take the documents of one action out of a ledger; what they did stays."`
	Key         keyCmd         `cmd:"" help:"Make and read key files of people, agents and executors."`
	Conformance conformanceCmd `cmd:"" help:"Hold an implementation against the conformance vectors."`
	Explain     explainCmd     `cmd:"" help:"Say what a reason code means and what to do about it."`
	Config      configCmd      `cmd:"" help:"Show or check the settings of writ serve."`
	Version     versionCmd     `cmd:"" help:"Say which Writ this is."`
	Completion  completionCmd  `cmd:"" help:"Print a completion script for a shell."`
}

const description = `Mandates for agents: signed by people, decided by rules, recorded in a log that anyone can check.

Standard output is data, standard error is for people. Exit codes: 0 holds, 1 fails, 2 usage, 3 trust input missing,
4 could not check, 5 refused. No passphrase where one is needed is usage (2), a wrong one is refused (5).
writ help COMMAND and writ --version work, too.`

func main() {
	os.Exit(run(os.Args[1:], &system{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, random: rand.Reader}))
}

// run executes one command line and returns its exit code.
func run(args []string, sys *system) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("writ"), kong.Description(description), kong.Writers(sys.out, sys.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	if err != nil {
		return report(sys, "writ", err)
	}
	ctx, err := parser.Parse(habitual(args))
	if err != nil {
		return report(sys, commandIn(err), usage(err))
	}
	return report(sys, "writ "+commandOf(ctx), ctx.Run(sys, parser))
}

// habitual turns what people type at any program into commands of this one.
func habitual(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	case args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	}
	return args
}
