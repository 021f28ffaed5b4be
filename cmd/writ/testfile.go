package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// This file reads *.writ-test.yaml (spec/testing.md): what an organisation expects of its mandates, written down beside them.

// testFile is one file: a chain of mandates, whose account begins empty, and what happens to it, in order.
type testFile struct {
	Mandates      []string   `json:"mandates"`                // files, root first
	Roster        string     `json:"roster,omitempty"`        // file; without one, the persons named in the mandates
	Policies      []string   `json:"policies,omitempty"`      // files: a version of each that the root names, in its order
	Templates     []string   `json:"templates,omitempty"`     // files: each that the mandates name
	Trust         string     `json:"trust,omitempty"`         // file; without one, every resource is the grantor's
	Executor      string     `json:"executor,omitempty"`      // DID; the roster's first executor
	ExecuteWithin string     `json:"executeWithin,omitempty"` // ISO 8601; PT15M, as a server that sets nothing
	Steps         []testStep `json:"steps"`
}

// testStep is one thing that happens, and what must come of it. Exactly one of Action (with or without Like), Lift, Decline, Expire, Begin, Report, Suspend,
// Resume and Revoke is there.
type testStep struct {
	Name        string      `json:"name,omitempty"` // for later steps, and for people
	At          spec.Time   `json:"at,omitempty"`   // of the ledger's clock; the step before's
	Action      jcs.Value   `json:"action,omitempty"`
	Like        string      `json:"like,omitempty"`        // step whose action this one repeats, but for the members of Action
	Credentials []string    `json:"credentials,omitempty"` // files that are presented with the action
	Hold        bool        `json:"hold,omitempty"`        // what is authorised stays held, until steps say what became of it
	Lift        string      `json:"lift,omitempty"`        // step whose missing lifts people approve; it is decided anew
	Decline     string      `json:"decline,omitempty"`     // step whose lifts a person declines; it is decided anew
	Expire      string      `json:"expire,omitempty"`      // step that is decided anew after nobody answered in time
	Begin       string      `json:"begin,omitempty"`       // step whose action the executor begins
	Report      *testReport `json:"report,omitempty"`
	Suspend     string      `json:"suspend,omitempty"` // one of the mandates, as the file names it
	Resume      string      `json:"resume,omitempty"`
	Revoke      string      `json:"revoke,omitempty"`

	Expect string   `json:"expect,omitempty"` // AUTHORIZED, COLLECT_MISSING, REJECTED, recorded or refused
	Reason string   `json:"reason,omitempty"` // code of the first check that does not pass, or of the refusal
	Lifts  []string `json:"lifts,omitempty"`  // that are proposed or were used: constraint and sum, "daily 700.00 EUR"
}

// testReport is the executor's word on what became of a step's action.
type testReport struct {
	Of      string    `json:"of"`
	Outcome string    `json:"outcome"`
	Amount  jcs.Value `json:"amount,omitempty"`
	Partial bool      `json:"partial,omitempty"` // more will follow; else the report is final
}

// What may be expected of a step beside the results of decisions.
const (
	stepRecorded = "recorded"
	stepRefused  = "refused"
)

var stepEnds = []string{spec.Authorized, spec.CollectMissing, spec.Rejected, stepRecorded, stepRefused}

// Bounds of a test file: bytes and levels.
const (
	maxTestFile  = jcs.MaxSize
	maxTestDepth = 24
)

// lines knows where in the file each value stands, by its JSON Pointer.
type lines map[string]int

// of is the line of a pointer, or of the nearest value around it.
func (l lines) of(pointer string) int {
	for {
		if line, ok := l[pointer]; ok || pointer == "" {
			return max(line, 1)
		}
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
}

// A testFileError is a test file that does not read.
type testFileError struct {
	line int
	err  error
}

func (e *testFileError) Error() string { return fmt.Sprintf("%d: %v", e.line, e.err) }
func (e *testFileError) Unwrap() error { return e.err }

// parseTestFile reads a test file strictly: UTF-8, one YAML document of mappings, sequences, strings, booleans and integers, without
// anchors, aliases, tags and merge keys, and with exactly the members above. Its errors are *testFileError.
func parseTestFile(data []byte) (*testFile, lines, error) {
	tree, at, err := treeOf(data)
	if err != nil {
		return nil, nil, err
	}
	f := &testFile{}
	if err := jcs.Unmarshal(tree, f); err != nil {
		return nil, nil, &testFileError{at.of(pointerOf(err)), err}
	}
	return f, at, f.check(at)
}

// treeOf is a YAML file as JSON, with the line of each value.
func treeOf(data []byte) ([]byte, lines, error) {
	if len(data) > maxTestFile {
		return nil, nil, &testFileError{1, fmt.Errorf("larger than %d bytes", maxTestFile)}
	}
	// YAML allows UTF-16 too, whose lines no editor of UTF-8 counts.
	if !utf8.Valid(data) {
		return nil, nil, &testFileError{1, errors.New("not UTF-8")}
	}
	var document yaml.Node
	if err := yaml.Load(data, &document, yaml.WithV4Defaults()); err != nil {
		return nil, nil, &testFileError{lineOfYAML(err), err}
	}
	r := yamlReader{lines: lines{}}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, nil, &testFileError{1, errors.New("the file says nothing")}
	}
	if err := r.value(document.Content[0], "", 1); err != nil {
		return nil, nil, err
	}
	return r.json, r.lines, nil
}

// lineOfYAML is the line that the YAML parser complains of.
func lineOfYAML(err error) int {
	var e *yaml.LoadError
	if errors.As(err, &e) {
		return max(e.Mark.Line, 1)
	}
	return 1
}

func pointerOf(err error) string {
	var e *spec.Error
	if errors.As(err, &e) {
		return e.Pointer
	}
	return ""
}

// yamlReader writes a YAML tree as JSON, for the strict parser, and notes the line of each value.
type yamlReader struct {
	json  []byte
	lines lines
}

func (r *yamlReader) value(n *yaml.Node, pointer string, depth int) error {
	r.lines[pointer] = n.Line
	refuse := func(what string) error { return &testFileError{n.Line, errors.New(what)} }
	switch {
	case depth > maxTestDepth:
		return refuse(fmt.Sprintf("nested deeper than %d", maxTestDepth))
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return refuse("anchors and aliases are not read: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		return refuse("tags are not read")
	case n.Kind == yaml.MappingNode:
		return r.mapping(n, pointer, depth)
	case n.Kind == yaml.SequenceNode:
		return r.sequence(n, pointer, depth)
	case n.Kind == yaml.ScalarNode:
		return r.scalar(n, refuse)
	}
	return refuse("no value")
}

func (r *yamlReader) mapping(n *yaml.Node, pointer string, depth int) error {
	r.json = append(r.json, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode || name.Value == "<<" {
			return &testFileError{name.Line, errors.New("a name is a string; merge keys are not read")}
		}
		if i > 0 {
			r.json = append(r.json, ',')
		}
		if err := r.text(name.Value, name.Line); err != nil {
			return err
		}
		r.json = append(r.json, ':')
		if err := r.value(n.Content[i+1], pointer+"/"+pointerToken.Replace(name.Value), depth+1); err != nil {
			return err
		}
	}
	r.json = append(r.json, '}')
	return nil
}

var pointerToken = strings.NewReplacer("~", "~0", "/", "~1")

func (r *yamlReader) sequence(n *yaml.Node, pointer string, depth int) error {
	r.json = append(r.json, '[')
	for i, e := range n.Content {
		if i > 0 {
			r.json = append(r.json, ',')
		}
		if err := r.value(e, pointer+"/"+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	r.json = append(r.json, ']')
	return nil
}

// scalar: what is quoted is a string; a plain scalar is true, false, an integer, or a string such as an instant. A sum without quotes
// would read as a number with a fraction, and is refused.
func (r *yamlReader) scalar(n *yaml.Node, refuse func(string) error) error {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return r.text(n.Value, n.Line)
	}
	switch n.ShortTag() {
	case "!!null":
		return refuse("a value is missing")
	case "!!float":
		return refuse(fmt.Sprintf("%s is a number with a fraction; sums are strings: write %q", n.Value, n.Value))
	case "!!int":
		if _, err := strconv.ParseInt(n.Value, 10, 64); err != nil {
			return refuse(fmt.Sprintf("%s is no plain integer; as a string, write %q", n.Value, n.Value))
		}
		r.json = append(r.json, n.Value...)
		return nil
	case "!!bool":
		if n.Value != "true" && n.Value != "false" {
			return refuse(fmt.Sprintf("%s is neither true nor false; as a string, write %q", n.Value, n.Value))
		}
		r.json = append(r.json, n.Value...)
		return nil
	}
	return r.text(n.Value, n.Line)
}

func (r *yamlReader) text(s string, line int) error {
	v, err := jcs.ValueOf(s)
	if err != nil {
		return &testFileError{line, err}
	}
	r.json = append(r.json, v.Canonical()...)
	return nil
}

// check holds the steps against one another.
func (f *testFile) check(at lines) error {
	actions := map[string]jcs.Value{} // by the name of the step
	var last spec.Time
	for i := range f.Steps {
		s, place := &f.Steps[i], "/steps/"+strconv.Itoa(i)
		refuse := func(member, what string, args ...any) error {
			return &testFileError{at.of(place + member), fmt.Errorf(what, args...)}
		}
		if s.Like != "" {
			s.Action = override(actions[s.Like], s.Action)
		}
		_, known := actions[s.of()]
		_, taken := actions[s.Name]
		switch {
		case s.Like != "" && s.Action.IsZero():
			return refuse("/like", "no step before is named %q", s.Like)
		case len(s.acts()) != 1:
			return refuse("", "a step has one of %s", strings.Join(stepActs, ", "))
		case i == 0 && s.At.IsZero():
			return refuse("", "the first step has a time: at")
		case !s.At.IsZero() && s.At.Before(last.Time):
			return refuse("/at", "the steps are played in order, and the one before is later: %s", last)
		case len(s.Credentials) > 0 && s.Action.IsZero():
			return refuse("/credentials", "credentials are presented with an action")
		case s.Expect == "" && s.decides():
			return refuse("", "the step says what is expected: %s", strings.Join(stepEnds, ", "))
		case s.Expect != "" && !slices.Contains(stepEnds, s.Expect):
			return refuse("/expect", "%q is not one of %s", s.Expect, strings.Join(stepEnds, ", "))
		case s.Reason != "" && !isReason(s.Reason):
			return refuse("/reason", "%q is unknown: writ explain lists the reason codes", s.Reason)
		case s.of() != "" && !known:
			return refuse("/"+s.acts()[0], "no step before is named %q", s.of())
		case s.mandate() != "" && !slices.Contains(f.Mandates, s.mandate()):
			return refuse("/"+s.acts()[0], "%q is not one of the mandates", s.mandate())
		case s.Name != "" && taken:
			return refuse("/name", "two steps are named %q", s.Name)
		}
		if !s.At.IsZero() {
			last = s.At
		}
		if s.Name != "" && !s.Action.IsZero() {
			actions[s.Name] = s.Action
		}
	}
	return nil
}

func isReason(code string) bool {
	_, ok := spec.Explain(code)
	return ok
}

// override is the object with the members of another in place of its own; absent where there is no object to begin with.
func override(object, with jcs.Value) jcs.Value {
	if object.IsZero() {
		return object
	}
	for _, m := range with.Members() {
		object = object.With(m.Name, m.Value)
	}
	return object
}

var stepActs = []string{"action", "lift", "decline", "expire", "begin", "report", "suspend", "resume", "revoke"}

// acts are the members that say what happens.
func (s *testStep) acts() (there []string) {
	for i, is := range []bool{!s.Action.IsZero(), s.Lift != "", s.Decline != "", s.Expire != "", s.Begin != "", s.Report != nil,
		s.Suspend != "", s.Resume != "", s.Revoke != ""} {
		if is {
			there = append(there, stepActs[i])
		}
	}
	return there
}

// decides says whether a decision is made in the step.
func (s *testStep) decides() bool {
	return !s.Action.IsZero() || s.Lift+s.Decline+s.Expire != ""
}

// of is the earlier step that this one is about, "" for none.
func (s *testStep) of() string {
	if s.Report != nil {
		return s.Report.Of
	}
	return s.Lift + s.Decline + s.Expire + s.Begin
}

// mandate is the one whose status the step changes, "" for none.
func (s *testStep) mandate() string { return s.Suspend + s.Resume + s.Revoke }
