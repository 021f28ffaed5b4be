package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/writ-trust/writ/spec/rule"
)

// demoCmd is writ demo: the frame in which the steps of demo_story.go are told.
type demoCmd struct {
	JSON bool   `name:"json" help:"Print one object a step."`
	Out  string `placeholder:"DIR" help:"Keep bundle.json and trust.json in this folder."`
	Keep bool   `help:"Leave the server running, and print how to call it."`
}

// Help is the long text of writ demo --help.
func (demoCmd) Help() string {
	return `Starts a writ serve of its own on loopback, with a folder that it throws away, and lives through the whole story over HTTP: Acme signs
its roster, mandates its treasury agent, and the agent pays, is stopped, is helped and delegates; then the evidence is verified without a
network, and tampered with. Every step is checked; one that comes out differently ends the demo with exit code 1.

Colours are for terminals, and not where NO_COLOR is set. It takes less than 20 seconds. In the last half minute of a day in Lisbon it waits for the next, since the limits are daily.`
}

// A step is one line of the story. Its run does what the title says, checks what comes of it, and returns what was seen.
type step struct {
	title string
	run   func(*story, context.Context) (saw string, err error)
}

// A chapter is one numbered part of the story.
type chapter struct {
	title string
	steps []step
}

// told is one step as --json prints it.
type told struct {
	Step    string `json:"step"` // chapter.step
	Title   string `json:"title"`
	Saw     string `json:"saw,omitempty"`
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
	Elapsed int64  `json:"milliseconds"`
}

// demoPatience bounds the story, the wait for Lisbon's midnight not counted.
const demoPatience = 2 * time.Minute

func (c demoCmd) Run(sys *system) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := awaitDay(ctx, sys); err != nil {
		return err
	}
	began := sys.now()
	s, err := newStory(sys, c.Out)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	teller := &teller{sys: sys, json: c.JSON, colours: isTerminal(sys.out) && os.Getenv("NO_COLOR") == "", width: widthOf(sys.out)}
	if err := teller.tell(limited, s, chapters(c.Keep)); err != nil {
		if ctx.Err() != nil {
			err = errInterrupted
		}
		return errors.Join(err, s.close())
	}
	teller.end(sys.now().Sub(began), c.Out)
	if c.Keep {
		return c.leave(sys, s)
	}
	return s.close()
}

// lastOfDay is how close to Lisbon's midnight the story does not begin any more.
const lastOfDay = 30 * time.Second

// awaitDay waits for the next day in Lisbon where this one is nearly over: budgets of two days would not add up.
func awaitDay(ctx context.Context, sys *system) error {
	day, err := rule.Calendar(rule.Day, "Europe/Lisbon", sys.now())
	if err != nil {
		return err
	}
	left := day.To.Sub(sys.now())
	if left >= lastOfDay {
		return nil
	}
	fmt.Fprintf(sys.err, "The day in Lisbon ends in %s; the story begins with the next one.\n", left.Round(time.Second))
	if pause(ctx, left) != nil {
		return errInterrupted
	}
	return nil
}

// errInterrupted is what Ctrl-C comes to: nothing was shown to hold or to fail.
var errInterrupted = ends(exitUnchecked, "interrupted")

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// teller prints the story.
type teller struct {
	sys     *system
	json    bool
	colours bool
	width   int // of the terminal, in columns; zero wraps nothing
	steps   int
}

func (t *teller) tell(ctx context.Context, s *story, chapters []chapter) error {
	for i, c := range chapters {
		if !t.json {
			fmt.Fprintf(t.sys.out, "\n%s\n", t.paint(bold, fmt.Sprintf("%d. %s", i+1, c.title)))
		}
		for j, step := range c.steps {
			began := t.sys.now()
			saw, err := step.run(s, ctx)
			if errors.Is(ctx.Err(), context.Canceled) {
				return errInterrupted
			}
			line := told{Step: fmt.Sprintf("%d.%d", i+1, j+1), Title: step.title, Saw: saw, OK: err == nil, Elapsed: t.sys.now().Sub(began).Milliseconds()}
			if err != nil {
				line.Error = err.Error()
			}
			if err := t.print(line); err != nil {
				return err
			}
			if err != nil {
				return ends(exitFails, "step %s differs from what it must be: %v", line.Step, err)
			}
			t.steps++
		}
	}
	return nil
}

func (t *teller) print(line told) error {
	if t.json {
		return printLine(t.sys.out, line)
	}
	mark := t.paint(green, "✓")
	if !line.OK {
		mark = t.paint(red, "✗")
	}
	for i, row := range wrap(line.Title, t.width, 4, 4) {
		fmt.Fprintf(t.sys.out, "  %s %s\n", mark, row)
		if i == 0 {
			mark = " "
		}
	}
	for _, text := range []string{line.Saw, line.Error} {
		for said := range strings.Lines(text) {
			for _, row := range wrap(strings.TrimSuffix(said, "\n"), t.width, 6, 8) {
				fmt.Fprintf(t.sys.out, "      %s\n", t.paint(dim, row))
			}
		}
	}
	return nil
}

func (t *teller) end(took time.Duration, out string) {
	if t.json {
		return
	}
	fmt.Fprintf(t.sys.out, "\n%d steps came out as they must, in %.1f seconds.\n", t.steps, took.Seconds())
	if out != "" {
		fmt.Fprintf(t.sys.out, "Take %s and %s to a machine without network, and there:\n  writ verify bundle.json --trust trust.json --expect executed\n",
			filepath.Join(out, "bundle.json"), filepath.Join(out, "trust.json"))
	}
}

// Colours of terminals (ECMA-48 SGR).
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
)

func (t *teller) paint(colour, text string) string {
	if !t.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// leave prints how to call the server, how to be rid of it, and ends without it.
func (c demoCmd) leave(sys *system, s *story) error {
	pid := s.server.command.Process.Pid
	if c.JSON {
		fmt.Fprintf(sys.err, "The server runs on: kill %d stops it; its folder %s stays.\n", pid, s.dir)
		return printLine(sys.out, map[string]string{"url": s.server.url, "api_key": s.hosted.Key, "log_url": s.server.url + "/log",
			"log_key": s.ledger.Log.Key})
	}
	if err := s.printCalls(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(sys.out, "\nThe server runs on, with --execute-within %s: what it authorises and nobody begins lapses after that.\n"+
		"Stop it, and throw its folder away, which stays otherwise:\n\nkill %d; sleep 1; rm -r %s\n", executeWithin, pid, s.dir)
	return err
}

// executeWithin is short, so that the story can wait for a hold to lapse.
const executeWithin = "2s"

// A server is a writ serve that the demo started: this very program.
type server struct {
	command *exec.Cmd
	url     string
}

const startPatience = 90 * time.Second

// startServer runs writ serve on a free port and waits for its address. Its messages go to a file in the folder, since it may outlive
// the demo.
func startServer(dir string) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	messages, err := os.Create(filepath.Join(dir, "messages"))
	if err != nil {
		return nil, err
	}
	defer messages.Close()
	s := &server{command: exec.Command(program, "serve", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0",
		"--execute-within", executeWithin, "--did", "did:web:writ.acme.example")}
	s.command.Stderr = messages
	s.command.Env = append(withoutWrit(os.Environ()), "WRIT_PASSPHRASE=only for this demo")
	inOwnSession(s.command)
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	address := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		address <- strings.TrimSpace(line)
	}()
	select {
	case s.url = <-address:
	case <-time.After(startPatience):
	}
	if s.url == "" {
		said, _ := os.ReadFile(messages.Name())
		return nil, fmt.Errorf("writ serve did not start (%v):\n%s", s.stop(), said)
	}
	return s, nil
}

// withoutWrit keeps settings of the person who runs the demo away from its server.
func withoutWrit(environment []string) []string {
	return slices.DeleteFunc(environment, func(e string) bool { return strings.HasPrefix(e, "WRIT_") })
}

// stop asks the server to end, as an operator would, and says whether it ended well.
func (s *server) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.command.Wait()
}
