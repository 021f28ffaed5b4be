package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/log/monitor"
	"github.com/writ-trust/writ/spec"
)

// followed is the part of the command line that names another's log and how it is followed.
type followed struct {
	URL      string        `arg:"" name:"url" help:"Address of the log, such as https://writ.acme.example/log."`
	Key      string        `placeholder:"VKEY" xor:"whose" required:"" help:"The log's verifier key, NAME+ID+KEY."`
	Policy   string        `placeholder:"FILE" xor:"whose" required:"" help:"Instead of --key: a C2SP tlog-policy, whose quorum the log's checkpoints must meet."`
	Origin   string        `placeholder:"NAME" help:"Which log of the policy, where it has several."`
	MaxDelay time.Duration `placeholder:"TIME" help:"How old the newest checkpoint may be, such as 1h. Default: with --policy as the log's metadata say, which nobody signs; else any age."`
	Once     bool          `help:"Read what is new and end, for cron."`
	Every    time.Duration `default:"10s" placeholder:"TIME" help:"How often the log is asked."`
}

const followHelp = `Alarms are lines of JSON on standard output, one an alarm: its code in "alarm", the entry's index, and for a fork both signed
checkpoints, which are evidence. Codes: fork, rollback, checkpoint, stale, tiles, entries, entry, seq-gap, seq-repeat, heads-root,
heads-not-last, grantor. Messages go to standard error.

How old a checkpoint is (--max-delay) its quorum's cosignatures say. Without a quorum in the policy it is as old as the time since
it was first served here: then only a log that always has something new can be told from one that stands still. Where --max-delay is not
given and the policy has a quorum, the log's own metadata.json says it; nobody signs that, so a log that wants to be late says so there.

What was seen is kept, and each start goes on from there. A log that was found broken once (fork, entry, seq-gap, seq-repeat,
heads-root) stays so: later runs say it and end with 1.

Exit codes: 0 nothing is wrong; 1 an alarm was raised; 2 usage; 4 the log could not be read (with --once; else it is tried again);
5 what was kept is of another log, or damaged.`

type logMonitorCmd struct {
	followed     `embed:""`
	State        string   `default:"writ-monitor" placeholder:"DIR" help:"Folder of what was seen; made if missing."`
	WatchGrantor []string `placeholder:"DID" help:"Raise an alarm for each entry that names this grantor; repeat it."`
	Plain        bool     `help:"Follow the tree alone: a log that is none of Writ's."`
}

// Help is the long text of writ log monitor --help.
func (logMonitorCmd) Help() string {
	return `Follows a log (C2SP tlog-tiles) that somebody else keeps: reads every entry, rebuilds the tree from them and holds it against each
signed checkpoint, and holds the rules of a Writ log: closed form of entries, numbers of each chain without gap or repeat, the root
of the heads, which comes last under each published checkpoint.

    writ log monitor https://writ.acme.example/log --key writ.acme.example/log1+… --watch-grantor did:web:acme.example

` + followHelp
}

func (c logMonitorCmd) Run(sys *system) error {
	o, err := c.options(sys, c.State)
	if err != nil {
		return err
	}
	o.Watched = c.WatchGrantor
	if c.Plain {
		o.Parse = nil
	}
	return c.follow(sys, o, func(o monitor.Options) (steps, error) { return monitor.Open(o) })
}

// logPolicy reads whose checkpoints are accepted.
func (c followed) logPolicy() (*log.Policy, string, error) {
	return policyFrom(c.Key, c.Policy, c.Origin)
}

// policyFrom is the policy of a key or of a file, and the log of it that is meant.
func policyFrom(vkey, file, origin string) (*log.Policy, string, error) {
	if file == "" {
		key, err := log.ParseVerifier(vkey)
		if err != nil {
			return nil, "", usage(err)
		}
		return log.NewPolicy(key), key.Name(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", &exit{exitTrust, err}
	}
	policy, err := log.ParsePolicy(text)
	if err != nil {
		return nil, "", &exit{exitTrust, fmt.Errorf("%s: %w", file, err)}
	}
	var names []string
	for _, key := range policy.Logs() {
		if origin == "" || key.Name() == origin {
			names = append(names, key.Name())
		}
	}
	if names = slices.Compact(slices.Sorted(slices.Values(names))); len(names) != 1 {
		return nil, "", usage(fmt.Errorf("%s has %d logs of that name: choose one with --origin", file, len(names)))
	}
	return policy, names[0], nil
}

func (c followed) options(sys *system, dir string) (monitor.Options, error) {
	policy, origin, err := c.logPolicy()
	if err != nil {
		return monitor.Options{}, err
	}
	if c.Every <= 0 || c.MaxDelay < 0 {
		return monitor.Options{}, usage(errors.New("--every and --max-delay are more than nothing"))
	}
	if err := makeFolder(dir); err != nil && !errors.Is(err, os.ErrExist) {
		return monitor.Options{}, err
	}
	return monitor.Options{Source: logAt(c.address()), Policy: policy, Origin: origin, Dir: dir,
		Parse: entryOf, MaxDelay: c.delayOf(sys, policy, origin), Now: sys.now, Progress: advances(sys, "replaying entries")}, nil
}

func (c followed) address() string { return strings.TrimSuffix(c.URL, "/") }

// logAt is the log at an address.
func logAt(url string) monitor.Source {
	return monitor.HTTP{URL: url, Client: &http.Client{Timeout: logPatience}}
}

// entryOf reads an entry for a monitor, which refuses all that protocol.md 8.1 does not have.
func entryOf(data []byte) (e monitor.Entry, err error) {
	read, err := spec.ParseEntry(data)
	if err != nil {
		reason := reasonOf(err)
		return e, &log.Error{Reason: reason, Detail: strings.TrimLeft(strings.TrimPrefix(err.Error(), reason), ": ")}
	}
	if e.Heads, e.Grantor = read.Kind == spec.EntryHeads, read.Grantor; e.Heads {
		e.Root, err = jcs.ParseDigest(read.Root)
		return e, err
	}
	if read.Kind == spec.EntrySuccessor {
		e.Ends = read.Size
	}
	for _, l := range read.Links {
		chain, err := jcs.ParseDigest(l.Chain)
		if err != nil {
			return e, err
		}
		e.Links = append(e.Links, monitor.Link{Chain: heads.Chain(chain), Seq: l.Seq})
	}
	return e, nil
}

// steps is a monitor, or a mirror.
type steps interface {
	Step(ctx context.Context) (alarms int, err error)
	Seen() log.Checkpoint
	Size() int64
	Broken() string
	Close() error
}

// alarms prints alarms. What lasts, such as a rollback, is said when it begins and not at each step.
type alarms struct {
	sys       *system
	raised    int
	last, now map[string]bool
}

func (t *alarms) alarm(a monitor.Alarm) error {
	t.raised++
	key := fmt.Sprint(a.Code, a.Chain, a.Checkpoint)
	if a.Index != nil {
		key = fmt.Sprint(key, *a.Index)
	}
	t.now[key] = true
	if t.last[key] {
		return nil
	}
	return printLine(t.sys.out, a)
}

func (t *alarms) next() { t.last, t.now = t.now, map[string]bool{} }

// follow runs steps until one has to be enough, or until the process is told to stop.
func (c followed) follow(sys *system, o monitor.Options, open func(monitor.Options) (steps, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	t := &alarms{sys: sys, now: map[string]bool{}}
	o.Alarm = t.alarm
	m, err := open(o)
	if err != nil {
		return err
	}
	if m.Broken() != "" {
		fmt.Fprintf(sys.err, "this log was found broken before: %s\n", m.Broken())
	}
	err = c.steps(ctx, sys, m, t)
	if err = errors.Join(err, m.Close()); err != nil && ctx.Err() == nil {
		return &exit{exitUnchecked, err}
	}
	if t.raised > 0 || m.Broken() != "" {
		return silent(exitFails)
	}
	return nil
}

// untilNext is how long it is to the next multiple of every. All mirrors of a log ask at the same instants, or each would cosign another
// checkpoint of a log that never rests, and their quorum would never meet on one.
func untilNext(now time.Time, every time.Duration) time.Duration {
	return now.Truncate(every).Add(every).Sub(now)
}

func (c followed) steps(ctx context.Context, sys *system, m steps, t *alarms) error {
	for said := int64(-1); ; {
		_, err := m.Step(ctx)
		t.next()
		if c.Once && err != nil {
			return err
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(sys.err, "%v; tried again in %s\n", err, c.Every)
		}
		if size := m.Size(); err == nil && size != said {
			fmt.Fprintf(sys.err, "%s: %d entries replayed of %d\n", m.Seen().Origin, size, m.Seen().Size)
			said = size
		}
		if c.Once {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(untilNext(sys.now(), c.Every)):
		}
	}
}
