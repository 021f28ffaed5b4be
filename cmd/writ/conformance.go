package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/conformance"
	"github.com/writ-trust/writ/internal/jcs"
)

// conformanceCmd is writ conformance.
type conformanceCmd struct {
	Run    conformanceRunCmd    `cmd:"" help:"Hold an implementation against the vectors."`
	Answer conformanceAnswerCmd `cmd:"" help:"Be such an implementation: answer questions on standard input."`
}

type conformanceRunCmd struct {
	Exec    string        `required:"" placeholder:"COMMAND" help:"Program to ask, with its arguments, split at spaces; no shell."`
	Group   []string      `placeholder:"NAME" help:"Only this group of vectors, such as jcs; repeat it."`
	Timeout time.Duration `default:"10s" help:"How long one answer may take."`
	JSON    bool          `name:"json" help:"Print a JSON object a vector, and one of the summary."`
}

// Help is the long text of writ conformance run --help.
func (conformanceRunCmd) Help() string {
	return `Asks a program every vector of this Writ, one JSON object a line on its standard input, and holds the line that it answers on its
standard output against what the vector wants. conformance/README.md says how to write such a program; conformance/example/answer.py is
one for two kinds of question, and writ conformance answer one for all.

    writ conformance run --exec 'python3 answer.py'
    writ conformance run --exec 'writ conformance answer'

A program that ends, says nothing in time, or says something else fails that vector, and is started anew for the next. What it calls
unsupported is counted and fails nothing. Its standard error is passed on.

Exit codes: 0 every answer is right; 1 one is not, or is missing; 2 usage; 4 the program does not start, or answered nothing that it
supports.`
}

// conformed is the summary of a run, and of one group of it.
type conformed struct {
	Vectors     int `json:"vectors"`
	Right       int `json:"right"`
	Wrong       int `json:"wrong"`
	Missing     int `json:"missing"` // no answer that reads
	Unsupported int `json:"unsupported"`
}

func (s *conformed) add(t conformed) {
	s.Vectors, s.Right, s.Wrong = s.Vectors+t.Vectors, s.Right+t.Right, s.Wrong+t.Wrong
	s.Missing, s.Unsupported = s.Missing+t.Missing, s.Unsupported+t.Unsupported
}

// vectorResult is one vector as --json prints it.
type vectorResult struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Result string `json:"result"` // right, wrong, missing or unsupported
	Detail string `json:"detail,omitempty"`
}

func (c conformanceRunCmd) Run(sys *system) error {
	vectors, err := c.chosen()
	if err != nil {
		return err
	}
	p := &askedProgram{command: strings.Fields(c.Exec), timeout: c.Timeout, errors: sys.err}
	if len(p.command) == 0 {
		return usage(errors.New("--exec names a program"))
	}
	if err := p.start(); err != nil {
		return &exit{exitUnchecked, err}
	}
	defer p.stop()
	var total conformed
	groups := map[string]*conformed{}
	bar := progress(sys, len(vectors), "deciding")
	defer bar.Finish()
	for _, v := range vectors {
		one, r := c.judge(p, v)
		if groups[v.Group()] == nil {
			groups[v.Group()] = &conformed{}
		}
		groups[v.Group()].add(one)
		total.add(one)
		if err := c.show(sys, r); err != nil {
			return err
		}
		bar.Add(1)
	}
	if err := c.summarize(sys, groups, total); err != nil {
		return err
	}
	switch {
	case total.Wrong+total.Missing > 0:
		return silent(exitFails)
	case total.Right == 0:
		return ends(exitUnchecked, "the program supports nothing that it was asked: nothing is shown")
	}
	return nil
}

// chosen are the vectors of the groups named, all where none is.
func (c conformanceRunCmd) chosen() ([]conformance.Vector, error) {
	all, err := conformance.Load()
	if err != nil || len(c.Group) == 0 {
		return all, err
	}
	for _, g := range c.Group {
		if !slices.ContainsFunc(all, func(v conformance.Vector) bool { return v.Group() == g }) {
			return nil, usage(fmt.Errorf("there is no group %q of vectors", g))
		}
	}
	return slices.DeleteFunc(all, func(v conformance.Vector) bool { return !slices.Contains(c.Group, v.Group()) }), nil
}

// judge asks one vector.
func (c conformanceRunCmd) judge(p *askedProgram, v conformance.Vector) (conformed, vectorResult) {
	r := vectorResult{Name: v.Path, Kind: v.Kind}
	answer, err := p.ask(v)
	switch {
	case err != nil:
		r.Result, r.Detail = "missing", err.Error()
		return conformed{Vectors: 1, Missing: 1}, r
	case answer.Unsupported:
		r.Result = "unsupported"
		return conformed{Vectors: 1, Unsupported: 1}, r
	}
	if err := v.Judge(answer.Answer); err != nil {
		r.Result, r.Detail = "wrong", err.Error()
		return conformed{Vectors: 1, Wrong: 1}, r
	}
	r.Result = "right"
	return conformed{Vectors: 1, Right: 1}, r
}

// show prints a vector that was not answered right, in JSON every one.
func (c conformanceRunCmd) show(sys *system, r vectorResult) error {
	switch {
	case c.JSON:
		return printLine(sys.out, r)
	case r.Result == "wrong" || r.Result == "missing":
		fmt.Fprintf(sys.out, "%-8s %s\n         %s\n", r.Result, r.Name, r.Detail)
	}
	return nil
}

func (c conformanceRunCmd) summarize(sys *system, groups map[string]*conformed, total conformed) error {
	if c.JSON {
		return printLine(sys.out, map[string]conformed{"summary": total})
	}
	rows := [][]string{{"group", "vectors", "right", "wrong", "missing", "unsupported"}}
	row := func(name string, s conformed) {
		cells := []string{name}
		for _, n := range []int{s.Vectors, s.Right, s.Wrong, s.Missing, s.Unsupported} {
			cells = append(cells, fmt.Sprint(n))
		}
		rows = append(rows, cells)
	}
	for _, name := range sortedKeys(groups) {
		row(name, *groups[name])
	}
	row("all", total)
	table(sys.out, rows)
	return nil
}

// askedProgram is the implementation that is asked. One that misbehaves is ended, and started again when it is asked next.
type askedProgram struct {
	command []string
	timeout time.Duration
	errors  io.Writer

	running *exec.Cmd
	in      io.WriteCloser
	lines   chan []byte // of its standard output; closed at its end
	tooLong *bool       // whether a line was; to be read after lines is closed
}

// maxAnswer bounds one line of an answer, in bytes.
const maxAnswer = 4 << 20

func (p *askedProgram) start() error {
	c := exec.Command(p.command[0], p.command[1:]...)
	c.Stderr = p.errors
	c.WaitDelay = p.timeout // for what it leaves behind with its pipes open
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	p.running, p.in, p.lines, p.tooLong = c, in, make(chan []byte), new(bool)
	go readAnswers(out, p.lines, p.tooLong)
	return nil
}

// readAnswers sends each line, until the output ends or a line is too long.
func readAnswers(out io.Reader, lines chan<- []byte, tooLong *bool) {
	defer close(lines)
	scanner := bufio.NewScanner(out)
	scanner.Buffer(make([]byte, 64<<10), maxAnswer)
	for scanner.Scan() {
		lines <- bytes.Clone(scanner.Bytes())
	}
	*tooLong = errors.Is(scanner.Err(), bufio.ErrTooLong)
}

// stop ends the program.
func (p *askedProgram) stop() {
	if p.running == nil {
		return
	}
	p.running.Process.Kill()
	go func(lines <-chan []byte) {
		for range lines { // what it still says is no answer any more
		}
	}(p.lines)
	p.running.Wait() // closes the pipes
	p.running = nil
}

// ask sends one question and waits for one line. An error is why there is no answer.
func (p *askedProgram) ask(v conformance.Vector) (conformance.Answer, error) {
	question, err := v.Question()
	if err != nil {
		return conformance.Answer{}, err
	}
	if p.running == nil {
		if err := p.start(); err != nil {
			return conformance.Answer{}, err
		}
	}
	sent := make(chan struct{})
	go func() { // a program that reads nothing must not keep us waiting
		defer close(sent)
		p.in.Write(append(question, '\n'))
	}()
	answer, err := p.next(v.Path)
	if err != nil {
		p.stop()
	}
	<-sent
	return answer, err
}

// next reads the line that answers the question of this name.
func (p *askedProgram) next(name string) (a conformance.Answer, err error) {
	late := time.NewTimer(p.timeout)
	defer late.Stop()
	select {
	case line, ok := <-p.lines:
		switch {
		case !ok:
			return a, p.ended()
		case decodeAnswer(line, &a) != nil:
			return a, fmt.Errorf("the line is no answer: %s", shortened(line))
		case a.Name != name:
			return a, fmt.Errorf("the line answers %q: %s", a.Name, shortened(line))
		}
		return a, nil
	case <-late.C:
		return a, fmt.Errorf("no answer in %s", p.timeout)
	}
}

// ended says how a program ended that should have answered.
func (p *askedProgram) ended() error {
	if *p.tooLong {
		return fmt.Errorf("the line is longer than %d bytes", maxAnswer)
	}
	err := p.running.Wait()
	p.running = nil
	if err == nil {
		return errors.New("the program ended without an answer")
	}
	return fmt.Errorf("the program ended without an answer: %w", err)
}

// decodeAnswer reads an answer's line strictly; what the answer itself says is for the vector to judge.
func decodeAnswer(line []byte, into *conformance.Answer) error {
	v, err := jcs.Parse(line)
	if err != nil {
		return err
	}
	var read struct {
		Name        string    `json:"name"`
		Unsupported bool      `json:"unsupported,omitempty"`
		Answer      jcs.Value `json:"answer,omitempty"`
	}
	if err := v.Decode(&read); err != nil {
		return err
	}
	if read.Unsupported != read.Answer.IsZero() {
		return errors.New("an answer, or unsupported")
	}
	*into = conformance.Answer{Name: read.Name, Unsupported: read.Unsupported, Answer: read.Answer.Canonical()}
	return nil
}

// shortened is the beginning of a line, for people.
func shortened(line []byte) string {
	const room = 200
	text := fmt.Sprintf("%q", line[:min(len(line), room)])
	if len(line) > room {
		text += "…"
	}
	return text
}

type conformanceAnswerCmd struct{}

// Help is the long text of writ conformance answer --help.
func (conformanceAnswerCmd) Help() string {
	return `Reads questions as writ conformance run asks them, one a line, and answers each by the rules of this Writ.

    writ conformance run --exec 'writ conformance answer'`
}

func (c conformanceAnswerCmd) Run(sys *system) error {
	scanner := bufio.NewScanner(sys.in)
	scanner.Buffer(make([]byte, 64<<10), maxAnswer)
	for scanner.Scan() {
		answer, err := conformance.Respond(scanner.Bytes())
		if err != nil {
			return &exit{exitRefused, err}
		}
		if _, err := fmt.Fprintf(sys.out, "%s\n", answer); err != nil {
			return err
		}
	}
	return scanner.Err()
}
