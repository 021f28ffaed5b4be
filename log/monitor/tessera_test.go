package monitor_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/monitor"
)

// TestTesseraLog follows and checks a log that Tessera v1.0.4 wrote (600 entries, "entry 0" and on), as a plain web server serves it.
func TestTesseraLog(t *testing.T) {
	const dir = "testdata/tessera"
	text, err := os.ReadFile(dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := log.ParseVerifier(string(text))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	source := monitor.HTTP{URL: server.URL, Client: server.Client()}
	w := follow(t, source, func(o *monitor.Options) { o.Parse, o.Policy, o.Origin = nil, log.NewPolicy(key), key.Name() })
	w.step(t, "")
	if w.Size() != 600 {
		t.Errorf("replayed %d entries", w.Size())
	}
	folder := monitor.Folder{Dir: dir, Checkpoint: dir + "/checkpoint"}
	partial, err := folder.Files()
	if err != nil {
		t.Fatal(err)
	}
	_, err = monitor.Check(t.Context(), monitor.CheckOptions{Source: folder, Partial: partial, Policy: log.NewPolicy(key), Origin: key.Name(),
		Found: func(d monitor.Damage) error { t.Errorf("%+v", d); return nil }})
	if err != nil {
		t.Fatal(err)
	}
}
