package verifier_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestStranger compiles a program of another module that imports nothing of ours but verifier and spec, moves a bundle to another
// folder, and verifies it there. It must link neither the network nor a database.
func TestStranger(t *testing.T) {
	s := newStory(t, "stranger")
	bundle := recoveredBundle(s)
	trust, err := s.trust.Bytes()
	s.must(err)
	dir := t.TempDir()
	program := filepath.Join(dir, "stranger")
	run(t, "../conformance/stranger", "go", "build", "-o", program, ".")
	deps := "\n" + run(t, "../conformance/stranger", "go", "list", "-deps", ".")
	for _, banned := range []string{"net", "net/http", "database/sql"} {
		if strings.Contains(deps, "\n"+banned+"\n") {
			t.Errorf("a stranger links %s", banned)
		}
	}
	s.must(os.WriteFile(filepath.Join(dir, "bundle.json"), bundle, 0o600))
	s.must(os.WriteFile(filepath.Join(dir, "trust.json"), trust, 0o600))
	out := run(t, dir, program, "bundle.json", "trust.json")
	if !strings.Contains(out, "executed holds") {
		t.Errorf("the stranger printed %s", out)
	}
	s.must(os.WriteFile(filepath.Join(dir, "bundle.json"), []byte(strings.Replace(string(bundle), "6500.00", "6500.01", 1)), 0o600))
	cmd := exec.Command(program, "bundle.json", "trust.json")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil || !strings.Contains(string(out), "fails") {
		t.Errorf("a changed bundle: %v, %s", err, out)
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}
