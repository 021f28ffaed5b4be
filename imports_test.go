package writ_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/writ-trust/writ"

// A room is one line of the house's plan: what a package may import of this module, and what it may not link at all.
type room struct {
	mayImport  string // paths inside the module, space-separated; "*" is any of them
	mayNotLink []string
	parses     bool // it parses bytes of strangers: it needs a fuzz target (house_test.go)
}

// bannedInRules is what strangers who embed the rules must not be made to link.
var bannedInRules = []string{
	"database/sql", "modernc.org/sqlite", "github.com/ncruces/go-sqlite3", "github.com/jackc/pgx", "github.com/pressly/goose",
	"net/http", "google.golang.org/grpc", "github.com/go-chi/chi", "github.com/danielgtaylor/huma",
	"cel.dev", "github.com/google/cel-go", "github.com/piprate/json-gold", "github.com/go-webauthn", "github.com/hyperledger/aries-framework-go",
}

// bannedInClient is the same for the root package, the client, which alone may use net/http.
var bannedInClient = slices.DeleteFunc(slices.Clone(bannedInRules), func(path string) bool { return path == "net/http" })

const surface = "issuer verifier spec log internal/journal"

// house is the import rule: left may import right, the standard library and its own third parties; nothing else of the module.
// A package that exists and is not here fails the test, so a new room is a decision and not an accident.
var house = map[string]room{
	".":            {mayImport: "spec spec/rule vc did verifier", mayNotLink: bannedInClient}, // rule: amounts and locales of its arguments
	"internal/jcs": {parses: true},
	"did":          {mayImport: "internal/jcs", parses: true},
	"did/web":      {mayImport: "did", parses: true},
	"did/webvh":    {mayImport: "did", parses: true},
	"vc":           {mayImport: "did internal/jcs", parses: true},
	"vc/passkey":   {mayImport: "internal/jcs", parses: true},
	"vc/status":    {mayImport: "vc", parses: true},
	// A second proof repeats the first, byte for byte but its suite: rdfc reads and writes it with vc's own codec. The contexts
	// are data; the leaf that embeds them lies beside the documents that name them.
	"vc/rdfc":               {mayImport: "vc did internal/jcs spec/contexts", parses: true},
	"spec/contexts":         {},
	"vc/jose":               {mayImport: "vc", parses: true},
	"vc/sdjwt":              {mayImport: "vc", parses: true},
	"vc/aries":              {mayImport: "vc"},
	"log":                   {parses: true},
	"log/heads":             {mayImport: "log", parses: true},
	"log/witness":           {mayImport: "log", parses: true},
	"log/monitor":           {mayImport: "log log/heads", parses: true},
	"log/trillian":          {mayImport: "log"},
	"anchor":                {mayImport: "log", parses: true},
	"anchor/rfc3161":        {mayImport: "anchor", parses: true},
	"anchor/opentimestamps": {mayImport: "anchor", parses: true},
	"anchor/ethereum":       {mayImport: "anchor", parses: true},
	"spec/rule":             {mayImport: "internal/jcs", parses: true},
	"spec":                  {mayImport: "spec/rule vc vc/passkey did internal/jcs", mayNotLink: bannedInRules, parses: true},
	"issuer":                {mayImport: "spec spec/rule vc vc/status did internal/jcs", mayNotLink: bannedInRules},
	"verifier":              {mayImport: "spec spec/rule vc vc/status did log log/heads anchor internal/jcs", mayNotLink: bannedInRules, parses: true},
	// A Signer's public half is a did.PublicKey, which spec may import too.
	"internal/keys":                 {mayImport: "spec did", parses: true},
	"internal/journal":              {mayImport: "spec log log/heads"},
	"internal/journal/postgres":     {mayImport: "spec log"},
	"internal/trilliantest":         {},                                                              // tests and the benchmark only
	"internal/writtest":             {mayImport: "spec spec/rule vc did log log/heads internal/jcs"}, // tests only
	"internal/powercut":             {},                                                              // tests only
	"internal/sim":                  {mayImport: "internal/powercut log"},                            // tests only
	"internal/history":              {},                                                              // tests only; it says once more what a budget is, so it may see none of ours
	"internal/history/historycheck": {mayImport: "internal/history"},
	"internal/bench":                {mayImport: "*"}, // it measures them all, and is in no other program
	"internal/planted":              {mayImport: "internal/powercut"},
	// It signs presentations with hosted agent keys, and reads the bodies that are no documents as strictly as those that are.
	"internal/api":    {mayImport: surface + " spec/rule vc did internal/jcs"},
	"internal/web":    {mayImport: surface},
	"internal/mcp":    {mayImport: surface},
	"internal/notify": {mayImport: surface},
	"cmd/writ":        {mayImport: "*"},
	"conformance":     {mayImport: "*"},
}

// pureRooms, like the files decide.go and collect.go, decide from their arguments alone: they do not import os, nor call time.Now (house_test.go).
var pureRooms = []string{"spec", "spec/rule"}

// A listedPackage is what this test reads of one object of `go list -json`.
type listedPackage struct {
	ImportPath, Doc           string
	GoFiles, Imports, Deps    []string
	TestImports, XTestImports []string
	Standard                  bool
	Module                    *struct {
		Path string
		Main bool
	}
	Error *struct{ Err string }
}

func (p listedPackage) ours() bool { return p.Module != nil && p.Module.Main }

// path is the package's folder: its import path inside the module, "." for the root.
func (p listedPackage) path() string { return folder(p.ImportPath) }

func folder(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// listPackages returns every package of the module and all that they depend on, by import path.
func listPackages(t *testing.T) map[string]listedPackage {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-json=ImportPath,Doc,GoFiles,Imports,Deps,TestImports,XTestImports,Standard,Module,Error", "./...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]listedPackage{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
}

func TestImports(t *testing.T) {
	packages := listPackages(t)
	checked := 0
	for _, importPath := range slices.Sorted(maps.Keys(packages)) {
		p := packages[importPath]
		if !p.ours() {
			continue
		}
		checked++
		r, ok := house[p.path()]
		if !ok {
			t.Errorf("%s: no room in the house: give it a line in imports_test.go", p.path())
			continue
		}
		for _, problem := range problems(p, r) {
			t.Errorf("%s: %s", p.path(), problem)
		}
	}
	if checked == 0 {
		t.Fatal("go list found no package of this module")
	}
}

// problems lists how p breaks its line of the house.
func problems(p listedPackage, r room) []string {
	var found []string
	may := strings.Fields(r.mayImport)
	for _, imported := range p.Imports {
		inside := imported == module || strings.HasPrefix(imported, module+"/")
		if inside && r.mayImport != "*" && !slices.Contains(may, folder(imported)) {
			found = append(found, "may not import "+folder(imported))
		}
	}
	for _, dependency := range p.Deps {
		if banned := bannedBy(r.mayNotLink, dependency); banned != "" {
			found = append(found, "links "+dependency+", but may not link "+banned)
		}
	}
	if slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), "log") {
		found = append(found, "imports the standard library's log; use log/slog")
	}
	if slices.Contains(pureRooms, p.path()) && slices.Contains(p.Imports, "os") {
		found = append(found, "imports os; it decides from its arguments alone")
	}
	if len(p.GoFiles) > 0 && p.Doc == "" {
		found = append(found, "has no package comment")
	}
	return found
}

// bannedBy returns the entry of banned that covers the import path, as itself or as a folder above it.
func bannedBy(banned []string, importPath string) string {
	for _, b := range banned {
		if importPath == b || strings.HasPrefix(importPath, b+"/") {
			return b
		}
	}
	return ""
}

// TestImportRule plants each mistake that TestImports is there to find.
func TestImportRule(t *testing.T) {
	good := listedPackage{ImportPath: module + "/vc", Doc: "Package vc.", GoFiles: []string{"vc.go"}, Imports: []string{"os", module + "/did"}}
	plant := func(change func(*listedPackage)) listedPackage { p := good; change(&p); return p }
	rows := []struct {
		name, want string
		p          listedPackage
		r          room
	}{
		{"nothing", "", good, house["vc"]},
		{"foreign room", "may not import spec", plant(func(p *listedPackage) { p.Imports = []string{module + "/spec"} }), house["vc"]},
		{"the root", "may not import .", plant(func(p *listedPackage) { p.Imports = []string{module} }), house["vc"]},
		{"any room", "", plant(func(p *listedPackage) { p.Imports = []string{module + "/spec"} }), house["cmd/writ"]},
		{"linked ban", "links net/http", plant(func(p *listedPackage) { p.Deps = []string{"net/http"} }), room{mayImport: "did", mayNotLink: bannedInRules}},
		{"linked below a ban", "links modernc.org/sqlite/lib", plant(func(p *listedPackage) { p.Deps = []string{"modernc.org/sqlite/lib"} }), room{mayImport: "did", mayNotLink: bannedInRules}},
		{"look-alike of a ban", "", plant(func(p *listedPackage) { p.Deps = []string{"net/httptrace"} }), room{mayImport: "did", mayNotLink: bannedInRules}},
		{"standard log", "log/slog", plant(func(p *listedPackage) { p.XTestImports = []string{"log"} }), house["vc"]},
		{"os in a pure room", "imports os", plant(func(p *listedPackage) { p.ImportPath = module + "/spec/rule"; p.Imports = []string{"os"} }), house["spec/rule"]},
		{"no comment", "package comment", plant(func(p *listedPackage) { p.Doc = "" }), house["vc"]},
	}
	for _, row := range rows {
		got := strings.Join(problems(row.p, row.r), "; ")
		if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// TestHouse checks that the table names only rooms of the house: a misspelt one would allow nothing and forbid nothing.
func TestHouse(t *testing.T) {
	for path, r := range house {
		for _, may := range strings.Fields(r.mayImport) {
			if _, ok := house[may]; !ok && may != "*" {
				t.Errorf("%s may import %s, which is no room", path, may)
			}
		}
	}
}

// TestDependenciesAreNamed asks for a line in the ADR for each module that a file of ours imports, tests included.
func TestDependenciesAreNamed(t *testing.T) {
	adr := read(t, "spec/adr/001-dependencies.md")
	required := requiredModules(t)
	used := map[string]string{} // module to one package of ours that imports it
	for _, p := range listPackages(t) {
		if !p.ours() {
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if m := moduleOf(required, imported); m != "" {
				used[m] = p.path()
			}
		}
	}
	for m, by := range used {
		if !strings.Contains(adr, "`"+m+"`") {
			t.Errorf("%s imports %s, which has no line in spec/adr/001-dependencies.md", by, m)
		}
	}
}

var requireLine = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v\S+`)

// requiredModules returns the paths of the modules that go.mod requires.
func requiredModules(t *testing.T) []string {
	var paths []string
	for _, line := range requireLine.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		paths = append(paths, line[1])
	}
	if len(paths) == 0 {
		t.Fatal("go.mod requires nothing")
	}
	return paths
}

// moduleOf returns the longest of the module paths that the import path lies in, "" for the standard library and ourselves.
func moduleOf(required []string, importPath string) string {
	longest := ""
	for _, m := range required {
		if (importPath == m || strings.HasPrefix(importPath, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}
