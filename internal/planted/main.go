// Command planted shows that the tests can fail: it builds Writ with one mistake after the other (build tags plant_*), runs the test
// that must notice it, and prints which test did, and how long it took. make test-planted calls it from the root.
//
// A mistake is found when its test fails, not when something else does: a build that fails, a test that hangs or is not there, and a
// test that is red without the mistake are failures of this command. See bugs.go for the table, CONTRIBUTING.md for how to add to it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/writ-trust/writ/internal/powercut"
)

func main() {
	short := flag.Bool("short", false, "leave out what needs a real server")
	only := flag.String("only", "", "regular expression of the tags to plant")
	page := flag.String("o", "", "file to write the table to, as Markdown")
	verbose := flag.Bool("v", false, "print what the tests said")
	flag.Parse()
	ok, err := run(*short, *only, *page, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

func run(short bool, only, page string, verbose bool) (ok bool, err error) {
	chosen, err := choose(short, only)
	if err != nil {
		return false, err
	}
	var left string // why the power cuts are left out, if they are
	if err := mountable(); err != nil {
		left = "NOT CHECKED: " + err.Error()
	}
	green, err := baseline(chosen, left == "")
	if err != nil {
		return false, err
	}
	t := table{out: os.Stdout, verbose: verbose}
	for _, p := range chosen {
		switch {
		case p.suite.needs == power && left != "":
			t.add(row{planting: p, verdict: left})
		case !green[p.suite]:
			t.add(row{planting: p, verdict: "RED WITHOUT IT", failed: true})
		default:
			t.add(plant(p))
		}
	}
	if page != "" {
		err = os.WriteFile(page, t.markdown(), 0o644)
	}
	return t.summary(), err
}

// A planting is a bug before one of its suites.
type planting struct {
	bug
	suite suite
}

func choose(short bool, only string) ([]planting, error) {
	tags, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	var chosen []planting
	for _, b := range bugs {
		for _, s := range b.suites {
			if tags.MatchString(b.tag) && (!short || s.needs == quick) {
				chosen = append(chosen, planting{b, s})
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no planted bug is called %q", only)
	}
	return chosen, nil
}

// mountable says why no power can be cut here.
func mountable() error {
	dir, err := os.MkdirTemp("", "planted")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	unmount, err := powercut.NewDisk().Mount(dir)
	if err != nil {
		return err
	}
	return unmount()
}

// baseline runs each suite without a mistake, those of one package together, and says which are green.
func baseline(chosen []planting, cuts bool) (green map[suite]bool, err error) {
	green = map[suite]bool{}
	var folders []string
	for _, p := range chosen {
		if _, seen := green[p.suite]; !seen && (cuts || p.suite.needs != power) {
			green[p.suite] = false
			folders = append(folders, p.suite.folder)
		}
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		fmt.Fprintln(os.Stderr, "without a mistake:", folder)
		seen, err := goTest(folder, namesIn(folder, green), "", 10)
		if err != nil {
			return nil, err
		}
		if seen.unbuilt {
			return nil, fmt.Errorf("%s does not build:\n%s", folder, seen.said(40))
		}
		for s := range green {
			if s.folder == folder {
				green[s] = seen.passed[s.test]
			}
		}
	}
	return green, nil
}

func namesIn(folder string, suites map[suite]bool) (names []string) {
	for s := range suites {
		if s.folder == folder {
			names = append(names, s.test)
		}
	}
	return names
}

// plant runs one suite with the mistake in it.
func plant(p planting) row {
	r := row{planting: p, failed: true}
	seen, err := goTest(p.suite.folder, []string{p.suite.test}, "plant_"+p.tag, 100)
	after, found := seen.failed[p.suite.test]
	switch {
	case err != nil:
		r.verdict = err.Error()
	case seen.unbuilt:
		r.verdict = "DOES NOT BUILD"
	case seen.hung:
		r.verdict = "HANGS"
	case found:
		r.verdict, r.failed, r.after = "found", false, after
	default:
		r.verdict = "STAYED GREEN"
	}
	r.said = seen.said(60)
	return r
}

// A table prints its rows as they come.
type table struct {
	out     io.Writer
	verbose bool
	rows    []row
}

func (t *table) add(r row) {
	if len(t.rows) == 0 {
		fmt.Fprintf(t.out, "%-22s %-23s %-46s %s\n", "planted", "promise", "test that must fail", "found after")
	}
	t.rows = append(t.rows, r)
	fmt.Fprintf(t.out, "%-22s %-23s %-46s %s\n", r.tag, r.promise, r.suite.folder+" "+r.suite.test, r.outcome())
	if t.verbose || r.failed {
		fmt.Fprint(t.out, indented(r.said))
	}
}

// summary says whether every planted bug was found.
func (t *table) summary() bool {
	found, left := 0, 0
	for _, r := range t.rows {
		switch {
		case r.verdict == "found":
			found++
		case !r.failed:
			left++
		}
	}
	fmt.Fprintf(t.out, "%d of %d plantings were found", found, len(t.rows))
	if left > 0 {
		fmt.Fprintf(t.out, ", %d not checked", left)
	}
	fmt.Fprintln(t.out)
	return found+left == len(t.rows)
}

func (t *table) markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, heading, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	b.WriteString("| promise | with this mistake | the test that fails | found after |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "%s %s |\n", entry(r), r.outcome())
	}
	return []byte(b.String())
}

// entry is a row without what the run found.
func entry(r row) string {
	return fmt.Sprintf("| %s | %s (`plant_%s`) | `%s` in `%s` |", r.promise, r.mistake, r.tag, r.suite.test, r.suite.folder)
}

const heading = `# Which test notices which mistake

Written by ` + "`make test-planted`" + ` on %s/%s with %d processors, %s. Each mistake is built in alone; the time is from the start of the test's
process to its failure, without the build. Another machine takes other times, and so does another seed of a random history.

`

func indented(said string) string {
	if said == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(said, "\n"), "\n", "\n    ") + "\n"
}
