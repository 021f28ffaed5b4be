package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAttacks: every attack of attacks.md names vectors, or tests, that are there.
func TestAttacks(t *testing.T) {
	table, err := os.ReadFile("attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(string(table), -1)
	if len(rows) < 60 {
		t.Fatalf("only %d attacks", len(rows))
	}
	for _, row := range rows {
		if row[1] == "attack" {
			continue // the head of a table
		}
		for _, shown := range strings.Split(row[2], ", ") {
			if !shownBy(shown) {
				t.Errorf("%s: there is no %s", row[1], shown)
			}
		}
	}
}

// shownBy says whether there is such a vector, or such a Go test in its package.
func shownBy(name string) bool {
	test, ok := strings.CutPrefix(name, "`")
	if !ok {
		_, err := os.Stat(filepath.Join("vectors", name+".json"))
		return err == nil
	}
	folder, test, _ := strings.Cut(strings.TrimSuffix(test, "`"), ".")
	files, _ := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), "func "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}
