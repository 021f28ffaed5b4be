package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// A twin is one file of a pair: the promise kept, or the mistake.
type twin struct{ path, folder, text string }

var (
	kept    = regexp.MustCompile(`\A//go:build !plant_(\w+)\n`)
	planted = regexp.MustCompile(`\A//go:build plant_(\w+)\n`)
)

// twins finds all pairs of the repository, by tag.
func twins(t *testing.T) (promises, mistakes map[string]twin) {
	t.Helper()
	promises, mistakes = map[string]twin{}, map[string]twin{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		f := twin{path, filepath.Dir(path), string(data)}
		for pattern, found := range map[*regexp.Regexp]map[string]twin{kept: promises, planted: mistakes} {
			if m := pattern.FindStringSubmatch(f.text); m != nil {
				if other, twice := found[m[1]]; twice {
					t.Errorf("%s and %s have the tag plant_%s: a bug is one function", other.path, path, m[1])
				}
				found[m[1]] = f
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return promises, mistakes
}

// TestTwins holds the pairs against each other and against the table.
func TestTwins(t *testing.T) {
	promises, mistakes := twins(t)
	if len(bugs) < 15 || len(promises) != len(bugs) || len(mistakes) != len(bugs) {
		t.Errorf("%d rows, %d promises, %d mistakes", len(bugs), len(promises), len(mistakes))
	}
	for _, b := range bugs {
		good, bad := promises[b.tag], mistakes[b.tag]
		if good.path == "" || bad.path == "" {
			t.Errorf("plant_%s has no pair of files", b.tag)
			continue
		}
		if want := strings.TrimSuffix(good.path, ".go") + "_plant_" + b.tag + ".go"; bad.path != want {
			t.Errorf("%s should be %s", bad.path, want)
		}
		if !strings.Contains(good.text, "\n// Promise: ") || !strings.Contains(bad.text, "\n// Planted: ") {
			t.Errorf("plant_%s: one line says what is promised, and one what is planted", b.tag)
		}
		for _, name := range declared(t, good) {
			if !slices.Contains(declared(t, bad), name) {
				t.Errorf("%s has no %s", bad.path, name)
			}
		}
	}
}

// declared are the functions of a file, with the types of what they take and give, and its constants.
func declared(t *testing.T, f twin) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = append(names, typesOf(d.Recv)+d.Name.Name+typesOf(d.Type.Params)+typesOf(d.Type.Results))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					names = append(names, v.Names[0].Name)
				}
			}
		}
	}
	return names
}

// typesOf are the types of a list of parameters, whatever they are called.
func typesOf(list *ast.FieldList) string {
	var all []string
	if list != nil {
		for _, field := range list.List {
			for range max(1, len(field.Names)) {
				all = append(all, types.ExprString(field.Type))
			}
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// TestTable: every test that is named is there, and every invariant has a mistake that its own test, or a real server, notices.
func TestTable(t *testing.T) {
	witnessed := map[string]bool{}
	for _, b := range bugs {
		number, _, _ := strings.Cut(b.promise, " ")
		for _, s := range b.suites {
			if !declaredTest(t, s) {
				t.Errorf("plant_%s: %s has no %s", b.tag, s.folder, s.test)
			}
			if strings.HasPrefix(s.test, "TestInvariant"+number) || s.needs != quick {
				witnessed[number] = true
			}
		}
	}
	for i := 1; i <= 12; i++ {
		if !witnessed[strconv.Itoa(i)] {
			t.Errorf("no mistake is planted that TestInvariant%d… finds", i)
		}
	}
}

func declaredTest(t *testing.T, s suite) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, s.folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(path string) bool {
		data, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(data), "\nfunc "+s.test+"(")
	})
}

// TestPage: the table that is in the repository has all of them, whatever they took.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "spec/planted.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bugs {
		for _, s := range b.suites {
			if want := entry(row{planting: planting{b, s}}); !strings.Contains(string(page), want) {
				t.Errorf("spec/planted.md lacks %s: make test-planted PLANTED=spec/planted.md", want)
			}
		}
	}
}

// TestRead: only a test that fails has found something.
func TestRead(t *testing.T) {
	line := func(action, test, output string) string {
		at := "2026-12-01T08:00:00Z"
		if action == "fail" {
			at = "2026-12-01T08:00:03Z"
		}
		return `{"Time":"` + at + `","Action":"` + action + `","Test":"` + test + `","Output":"` + output + `"}` + "\n"
	}
	for name, c := range map[string]struct {
		events                string
		found                 time.Duration
		unbuilt, hung, passed bool
	}{
		"found":        {events: line("start", "", "") + line("fail", "TestA/row", "") + line("fail", "TestA", "") + line("fail", "", ""), found: 3 * time.Second},
		"green":        {events: line("start", "", "") + line("pass", "TestA", "") + line("pass", "", ""), passed: true},
		"another test": {events: line("start", "", "") + line("fail", "TestB", "") + line("fail", "", "")},
		"no build":     {events: line("build-output", "", "undefined: x") + line("build-fail", "", "") + line("fail", "", ""), unbuilt: true},
		"hangs": {events: line("start", "", "") + line("output", "TestA", "panic: test timed out after 9m0s") + line("fail", "TestA", ""),
			found: 3 * time.Second, hung: true},
	} {
		s, err := read(strings.NewReader(c.events))
		if err != nil || s.failed["TestA"] != c.found || s.unbuilt != c.unbuilt || s.hung != c.hung || s.passed["TestA"] != c.passed {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if _, err := read(strings.NewReader("not JSON\n")); err == nil {
		t.Error("what is not of go test is taken")
	}
}
