package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMakeFolder makes what is missing, leaves what is there, and refuses a file in the way.
func TestMakeFolder(t *testing.T) {
	deep := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		if err := makeFolder(deep); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := os.Stat(deep); err != nil || s.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", s, err)
	}
	file := filepath.Join(deep, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeFolder(filepath.Join(file, "below")); err == nil {
		t.Error("a folder was made below a file")
	}
}
