package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/trillian"
)

// trillianSite is a PostgreSQL for Trillian, and the folder of Trillian's servers; nil where they are not there: the output says so.
func trillianSite(t *testing.T, what string) (db *trilliantest.Cluster, bin string) {
	t.Helper()
	bin, err := trilliantest.Bin()
	if err != nil {
		if os.Getenv(trilliantest.Variable) != "" {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: %s (%v)\n", what, err)
		return nil, ""
	}
	db, err = trilliantest.StartPostgres(os.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Remove(); err != nil {
			t.Error(err)
		}
	})
	return db, bin
}

// TestTrillianKill: kill -9 of writ serve under load, while its log is in Trillian. Every acknowledged document is there, with a proof
// that is consistent with each checkpoint seen before.
func TestTrillianKill(t *testing.T) {
	db, bin := trillianSite(t, "kills of writ serve with its log in Trillian")
	if db == nil {
		return
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	base, err := trilliantest.Schema()
	must(err)
	must(trillian.ApplySchema(t.Context(), db.URI, base))
	s, err := trilliantest.StartServer(t.Context(), bin, db)
	must(err)
	t.Cleanup(func() { s.Kill() })
	for range 2 {
		signer, err := trilliantest.StartSigner(bin, db, 5*time.Millisecond)
		must(err)
		t.Cleanup(func() { signer.Kill() })
	}
	newLoad(t, "--trillian", s.Address, "--trillian-db", db.URI).killed(5)
}

// TestTrillian plays testdata/trillian over a PostgreSQL and a Trillian of its own. The scripts have one more command: "trillian" starts
// its servers, once the schema is applied, and puts the log server's address into TRILLIAN.
func TestTrillian(t *testing.T) {
	db, bin := trillianSite(t, "writ serve with its log in Trillian")
	if db == nil {
		return
	}
	base, err := trilliantest.SchemaFile()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/trillian", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("DB", db.URI)
			e.Setenv("TILES", trilliantest.FreeAddress(t))
			e.Setenv("BASE", base)
			e.Values[serving{}] = &serving{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serve, "halt": halt,
			"trillian": func(ts *testscript.TestScript, _ bool, _ []string) {
				server, err := trilliantest.StartServer(context.Background(), bin, db)
				ts.Check(err)
				ts.Defer(func() { ts.Check(server.Kill()) })
				signer, err := trilliantest.StartSigner(bin, db, 10*time.Millisecond)
				ts.Check(err)
				ts.Defer(func() { ts.Check(signer.Kill()) })
				ts.Setenv("TRILLIAN", server.Address)
			}}})
}

// TestTileHandler: what is not there is not found, what cannot be read is no answer, and only the checkpoint may change.
func TestTileHandler(t *testing.T) {
	h := tileHandler(func(_ context.Context, path string) ([]byte, error) {
		switch path {
		case "checkpoint", "tile/0/000":
			return []byte(path), nil
		case "tile/0/001":
			return nil, fmt.Errorf("%w: beyond", log.ErrNotFound)
		case "tile/0/002":
			return nil, context.DeadlineExceeded
		}
		return nil, &log.Error{Reason: "tile-path"}
	})
	for path, want := range map[string]struct {
		status int
		cache  string
	}{
		"/log/checkpoint": {200, "no-cache"}, "/log/tile/0/000": {200, "public, max-age=31536000, immutable"},
		"/log/tile/0/001": {404, ""}, "/log/tile/0/002": {503, ""}, "/log/nonsense": {404, ""}, "/v1/ledger": {404, ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want.status || w.Header().Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d, cache %q", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}
