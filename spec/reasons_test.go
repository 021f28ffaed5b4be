package spec_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/writ-trust/writ/spec"
)

// codeForm is what a reason code looks like.
var codeForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestReasons(t *testing.T) {
	all := spec.Reasons()
	for i, r := range all {
		if !codeForm.MatchString(r.Code) || !strings.HasSuffix(r.Meaning, ".") || !strings.HasSuffix(r.Remedy, ".") {
			t.Errorf("%+v: a code in kebab-case and two sentences", r)
		}
		if i > 0 && all[i-1].Code >= r.Code {
			t.Errorf("%s stands twice or is not sorted", r.Code)
		}
		if got, ok := spec.Explain(r.Code); !ok || got != r {
			t.Errorf("Explain(%q) = %+v, %v", r.Code, got, ok)
		}
	}
	for _, none := range []string{"", "no-such-code", "Mandate-Revoked"} {
		if _, ok := spec.Explain(none); ok {
			t.Errorf("%q is explained", none)
		}
	}
}

// TestReasonsAreComplete reads the source of the whole module: each code that it refuses with is in the table.
func TestReasonsAreComplete(t *testing.T) {
	used := map[string]string{} // code to the place of its first use
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || name == "node_modules" || name != ".." && strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			collectCodes(t, path, used)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 150 {
		t.Fatalf("only %d codes were found: the test no longer sees how they are written", len(used))
	}
	for code, place := range used {
		if _, ok := spec.Explain(code); !ok {
			t.Errorf("%s: %q is not in reasons.go", place, code)
		}
	}
	var unused []string
	for _, r := range spec.Reasons() {
		if used[r.Code] == "" {
			unused = append(unused, r.Code)
		}
	}
	t.Logf("in the table and not used yet: %s", strings.Join(unused, " "))
}

// refusers are the functions whose arguments name a reason code.
var refusers = []string{"refuse", "Refuse", "fault", "fail", "broken", "parseTime", "optionalURL", "urlOrID", "objects",
	"typed", "notEntitled", "notFoundAs"}

func collectCodes(t *testing.T, path string, used map[string]string) {
	t.Helper()
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	note := func(e ast.Expr) {
		if code := literal(e); codeForm.MatchString(code) && used[code] == "" {
			used[code] = positions.Position(e.Pos()).String()
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			if i := codeArgument(n); i < len(n.Args) {
				note(n.Args[i])
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Reason" {
				note(n.Value)
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if strings.HasPrefix(strings.ToLower(name.Name), "reason") && i < len(n.Values) {
					note(n.Values[i])
				}
			}
		}
		return true
	})
}

// codeArgument is the index of the argument that is a reason code: the last one with a dash in it where a member's name may
// come first; one beyond the end where the call is not a refusal.
func codeArgument(call *ast.CallExpr) int {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if !slices.Contains(refusers, name) {
		return len(call.Args)
	}
	for i, arg := range call.Args[:min(2, len(call.Args))] {
		if strings.Contains(literal(arg), "-") || i == 0 && slices.Contains([]string{"refuse", "Refuse", "fault", "notEntitled"}, name) {
			return i
		}
	}
	return len(call.Args)
}

func literal(e ast.Expr) string {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(basic.Value)
	if err != nil {
		return ""
	}
	return s
}
