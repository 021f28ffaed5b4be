//go:build race

package verifier_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain takes fewer random histories where the race detector makes each ten times as long: what they show is arithmetic, which
// races change nothing of. A run without the detector takes all hundred.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
