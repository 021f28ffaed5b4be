package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// TestOffline: each way that this machine permits keeps a child from a server that the test itself reaches, and there is one.
func TestOffline(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	program, err := exec.LookPath("writ")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := findOffline(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	for _, o := range offlines() {
		if _, err := o.output(t.Context(), ".", program, "version"); err != nil {
			t.Logf("not permitted here: %s: %v", o.name, err)
			continue
		}
		_, err := o.output(t.Context(), ".", program, "log", "checkpoint", server.URL)
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != exitUnchecked || !strings.Contains(string(ended.Stderr), "writ log checkpoint: Get ") {
			t.Errorf("%s: %v", o.name, err)
		}
	}
	if asked != 0 {
		t.Errorf("the server was asked %d times", asked)
	}
	if _, err := http.Get(server.URL); err != nil || asked != 1 {
		t.Errorf("the test does not reach its own server: %v", err)
	}
}
