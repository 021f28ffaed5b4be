// Package writ_test holds the rules of the house that a test can check: who may import whom (imports_test.go), and how files are
// written (this one). CONTRIBUTING.md gives the reasons.
package writ_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longest is the number of lines above which a file is asked whether it is still one concept.
const longest = 600

// clockFiles are the only ones that may read the machine's clock, one for each program: everything else is handed the time.
var clockFiles = []string{"cmd/writ/main.go", "internal/bench/main.go", "conformance/interop/tlog/tessera/main.go"}

// Patterns are written so that they do not match this file.
var (
	leftOver     = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	skip         = regexp.MustCompile(`\b(t|b|f|tb)\.Skip(f|Now)?` + `\(|\b(it|test)\.skip` + `\(|pytest\.mark\.skip`)
	machinePath  = regexp.MustCompile(`(^|[^\w.~-])/(root|work|home/\w+|Users/\w+)/\w`)
	planPage     = regexp.MustCompile(`\b(documents|design|promises)\.md\b`)
	clauses      = regexp.MustCompile(`protocol\.md (\d+(\.\d+)?((,| and| to) \d+(\.\d+)?)*)`)
	link         = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)
	generated    = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	fuzzTarget   = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)
	fuzzSeed     = regexp.MustCompile(`\bf\.Add\(`)
	codeSuffixes = []string{".go", ".sql", ".ts", ".js", ".py", ".html", ".css", ".sh", "Makefile", ".ci/run", ".ci/go-test"}
	textSuffixes = append([]string{".md", ".json", ".yaml", ".yml", ".txt", "go.mod"}, codeSuffixes...)
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// files calls check with each file of the project that has one of the suffixes, its path from the root with forward slashes.
// Folders that .gitignore names and Git's own are left out.
func files(t *testing.T, suffixes []string, check func(path, text string)) {
	t.Helper()
	leftOut := []string{".git", "bin", "writ-data", "writ-dev", "node_modules", "__pycache__"}
	found := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(leftOut, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		path = filepath.ToSlash(path)
		if slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(path, suffix) }) {
			found++
			check(path, read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Fatalf("no file ends in any of %v", suffixes)
	}
}

func testdata(path string) bool { return strings.Contains("/"+path, "/testdata/") }

func TestNoLeftOvers(t *testing.T) {
	files(t, codeSuffixes, func(path, text string) {
		if found := leftOver.FindString(text); found != "" && !testdata(path) {
			t.Errorf("%s has a %s: do it, or say it in an issue", path, found)
		}
		if found := skip.FindString(text); found != "" {
			t.Errorf("%s has %s…): a test that does not run is no test; a fuzz target returns", path, found)
		}
	})
}

func TestNoMachinePaths(t *testing.T) {
	files(t, textSuffixes, func(path, text string) {
		if found := machinePath.FindString(text); found != "" {
			t.Errorf("%s names a path of somebody's machine: %q", path, found)
		}
	})
}

// TestTextStandsAlone keeps the repository from leaning on what is not in it: pages of its plan, clauses that the protocol does
// not have, files that no link reaches.
func TestTextStandsAlone(t *testing.T) {
	protocol := read(t, "spec/protocol.md")
	cited := 0
	files(t, textSuffixes, func(path, text string) {
		if found := planPage.FindString(text); found != "" {
			t.Errorf("%s names %s, which is no part of the repository", path, found)
		}
		for _, all := range clauses.FindAllStringSubmatch(text, -1) {
			cited++
			for _, clause := range regexp.MustCompile(`[\d.]+\d|\d`).FindAllString(all[1], -1) {
				if !hasClause(protocol, clause) {
					t.Errorf("%s cites protocol.md %s, which is not there", path, clause)
				}
			}
		}
		for _, to := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), to[1])); strings.HasSuffix(path, ".md") && err != nil {
				t.Errorf("%s has a link to %s, which is not there", path, to[1])
			}
		}
	})
	if cited < 100 {
		t.Errorf("only %d citations of the protocol were found", cited)
	}
}

// hasClause says whether the protocol has a section, such as 7, or a paragraph or heading, such as 7.3.
func hasClause(protocol, clause string) bool {
	return strings.Contains(protocol, "\n## "+clause+". ") || strings.Contains(protocol, "\n"+clause+" ")
}

func TestFileLength(t *testing.T) {
	files(t, []string{".go", ".sql", ".ts", ".py"}, func(path, text string) {
		if lines := strings.Count(text, "\n"); lines > longest && !testdata(path) && !generated.MatchString(text) {
			t.Errorf("%s has %d lines, more than %d: is it still one concept?", path, lines, longest)
		}
	})
}

// TestClock lets one file of each program read the machine's clock. Tests may: they wait for real processes.
func TestClock(t *testing.T) {
	files(t, []string{".go"}, func(path, text string) {
		if slices.Contains(clockFiles, path) || strings.HasSuffix(path, "_test.go") || testdata(path) {
			return
		}
		for _, use := range clockUses(t, path, text) {
			t.Errorf("%s: the time is handed in; only %v read the clock", use, clockFiles)
		}
	})
}

// clockUses returns the places where Go source reads the machine's clock, as a call or as a value.
func clockUses(t *testing.T, path, text string) []string {
	t.Helper()
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("parse: %v", err)
		return nil
	}
	name := importedAs(file, "time")
	var uses []string
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := selector.X.(*ast.Ident)
		if ok && of.Name == name && slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
			uses = append(uses, positions.Position(node.Pos()).String()+": time."+selector.Sel.Name)
		}
		return true
	})
	return uses
}

// importedAs returns the name under which the file imports a package of the standard library, "" if it does not.
func importedAs(file *ast.File, path string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+path+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path
	}
	return ""
}

// TestPureFiles keeps what decides away from the machine: these files share their package with some that may reach further.
func TestPureFiles(t *testing.T) {
	for _, path := range []string{"verifier/decide.go", "verifier/collect.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, banned := range []string{"os", "net/http", "crypto/rand", "math/rand", "math/rand/v2"} {
			if importedAs(file, banned) != "" {
				t.Errorf("%s imports %s; it decides from its arguments alone", path, banned)
			}
		}
	}
}

// TestParsersAreFuzzed asks each room that parses strangers' bytes, once it exists, for a fuzz target with seeds.
func TestParsersAreFuzzed(t *testing.T) {
	for path, r := range house {
		if sources, _ := filepath.Glob(path + "/*.go"); !r.parses || len(sources) == 0 {
			continue
		}
		targets, seeded := 0, false
		tests, err := filepath.Glob(path + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			text := read(t, test)
			targets += len(fuzzTarget.FindAllString(text, -1))
			seeded = seeded || fuzzSeed.MatchString(text)
		}
		corpus, _ := filepath.Glob(path + "/testdata/fuzz/*/*")
		if targets == 0 {
			t.Errorf("%s parses bytes of strangers and has no fuzz target", path)
		} else if !seeded && len(corpus) == 0 {
			t.Errorf("%s has a fuzz target without a seed", path)
		}
	}
}

// TestHouseRules plants each mistake that the patterns above are there to find.
func TestHouseRules(t *testing.T) {
	rows := []struct {
		name    string
		pattern *regexp.Regexp
		text    string
		want    bool
	}{
		{"left-over", leftOver, "// TO" + "DO: later", true},
		{"a word that contains it", leftOver, "MASTO" + "DON", false},
		{"skip", skip, "\tt.Skip" + "f(\"no database\")", true},
		{"another Skip", skip, "decoder.Skip" + "Value()", false},
		{"path of a machine", machinePath, `open("/ho` + `me/ana/writ")`, true},
		{"URL", machinePath, "https://example.org/wo" + "rk/x", false},
		{"page of the plan", planPage, "as desi" + "gn.md says", true},
		{"another page", planPage, "docs/redesi" + "gn.md", false},
		{"clause", clauses, "see protocol" + ".md 7.3", true},
		{"link", link, "[x](spec/x.md" + ")", true},
		{"link to elsewhere", link, "[x](https://example.org" + ")", false},
		{"relative path", machinePath, "./ro" + "ot/x", false},
	}
	for _, row := range rows {
		if got := row.pattern.MatchString(row.text); got != row.want {
			t.Errorf("%s: found %v in %q, want %v", row.name, got, row.text, row.want)
		}
	}
	for _, source := range []string{
		"package p; import \"time\"; var now = time.Now",
		"package p; import clock \"time\"; func f() { _ = clock.Since(clock.Time{}) }",
	} {
		if uses := clockUses(t, "planted.go", source); len(uses) != 1 {
			t.Errorf("%s: found %v", source, uses)
		}
	}
	if uses := clockUses(t, "planted.go", "package p; import \"time\"; var t time.Time; var _ = t.Unix // time.Now"); len(uses) != 0 {
		t.Errorf("a comment is no use: %v", uses)
	}
}
