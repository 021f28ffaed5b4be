// Command bench measures Writ on one machine, beside floors that it measures in the same run: what the disk, the signatures and
// the loopback network allow by themselves. It asserts nothing: a figure is printed with its target and whether it was met, and the
// exit code is 0 whatever the time was. spec/performance.md says what the figures mean; `make bench` runs all of them.
//
//	go run ./internal/bench                  every figure; writes bench-results.json
//	go run ./internal/bench verify           one group of figures
//	go run ./internal/bench -short           every figure with few iterations: does the harness work?
//	go run ./internal/bench profile          the server under load, as pprof's text
//
// The load comes from this process, the ledgers and peers are processes of their own, and all share the machine's cores.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// machine is what the benchmark takes of the machine: its clock, and where it may write.
type machine struct {
	now    func() time.Time
	disk   string // a folder on the disk whose syncs are measured
	memory string // a folder in memory, where a sync is nothing
	out    io.Writer
}

// plan says how much of everything is done.
type plan struct {
	short bool
	long  bool // the cases of a million
	// Programs of others: the folder of opa and openfga, without which no peer is measured, and that of PostgreSQL.
	peers, postgresBin string
}

// groups are the figures by the name of the argument that asks for them, in the order of a full run.
var groups = []struct {
	name string
	run  func(*run) error
}{
	{"floors", (*run).floors},
	{"pure", (*run).pure},
	{"verify", (*run).oneCall},
	{"threecalls", (*run).threeCalls},
	{"hot", (*run).hot},
	{"growth", (*run).growth},
	{"log", (*run).logs},
	{"trillian", (*run).trillian},
	{"peers", (*run).peersBeside},
}

// run is one run of the benchmark.
type run struct {
	machine
	plan
	ctx     context.Context
	floor   floors
	figures []figure
}

func main() {
	m := machine{now: time.Now, out: os.Stdout}
	run := bench
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		run = serveChild
	}
	if err := run(m, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench reads the arguments and runs what they ask for.
func bench(m machine, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var p plan
	results := flags.String("out", "", "write the figures to this file")
	flags.BoolVar(&p.short, "short", false, "few iterations: does the harness work?")
	flags.BoolVar(&p.long, "long", false, "also the cases of a million calls and of a million mandates")
	flags.StringVar(&p.peers, "peers", "", "folder of the programs of others (make bench builds them); without it no peer is measured")
	flags.StringVar(&p.postgresBin, "postgres", "", "folder of PostgreSQL's programs; Debian's newest if empty")
	flags.StringVar(&m.disk, "disk", os.TempDir(), "folder on the disk to measure")
	flags.StringVar(&m.memory, "memory", "/dev/shm", "folder in memory, for the same server without storage")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r := &run{machine: m, plan: p, ctx: ctx}
	fmt.Fprintf(m.out, "%d cores, %s, %s/%s\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	err := r.all(flags.Args())
	if *results != "" { // what was measured before a failure stays measured
		err = errors.Join(err, writeResults(*results, r.figures))
	}
	return err
}

// all runs the groups that are named, or every one. Floors are always measured: the others are compared with them.
func (r *run) all(names []string) error {
	if len(names) == 1 && names[0] == "profile" {
		return errors.Join(r.profiles(1), r.profiles(64))
	}
	if unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(groupNames(), name) }); len(unknown) > 0 {
		return fmt.Errorf("no group of figures is called %s; there are %s", unknown[0], strings.Join(groupNames(), ", "))
	}
	var failed error
	for _, g := range groups {
		if len(names) > 0 && g.name != "floors" && !slices.Contains(names, g.name) {
			continue
		}
		first := len(r.figures)
		if err := g.run(r); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", g.name, err))
		}
		printTable(r.out, g.name, r.figures[first:])
		if r.ctx.Err() != nil {
			break
		}
	}
	return failed
}

func groupNames() []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// several is n, or few where the run is short.
func (r *run) several(n, few int) int {
	if r.short {
		return few
	}
	return n
}
