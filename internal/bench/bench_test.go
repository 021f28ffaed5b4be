package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testMachine(t *testing.T) machine {
	return machine{now: time.Now, disk: t.TempDir(), memory: t.TempDir(), out: io.Discard}
}

// TestQuantile holds nearest rank against its definition: the smallest that at least q of all do not exceed.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.IntRange(0, 50).Draw(t, "µs")) }), 1, 200).Draw(t, "all")
		q := rapid.SampledFrom([]float64{0.5, 0.9, 0.99, 0.999, 1}).Draw(t, "q")
		slices.Sort(all)
		want := slices.IndexFunc(all, func(candidate time.Duration) bool {
			covered := 0
			for _, d := range all {
				if d <= candidate {
					covered++
				}
			}
			return float64(covered) >= q*float64(len(all))
		})
		if got := quantile(all, q); got != all[want] {
			t.Fatalf("p%g of %v is %v, not %v", q*100, all, got, all[want])
		}
	})
	if quantile(nil, 0.5) != 0 {
		t.Error("nothing has a median")
	}
}

func TestTargets(t *testing.T) {
	r := &run{}
	for _, row := range []struct {
		f    *figure
		want bool
	}{
		{r.add("a", "", 2, "µs").atMost(2), true},
		{r.add("a", "", 2.1, "µs").atMost(2), false},
		{r.add("a", "", 16, "µs").over(2).ratioAtMost(8), true},
		{r.add("a", "", 17, "µs").over(2).ratioAtMost(8), false},
		{r.add("a", "", 15, "calls/s").beside(10).ratioAtLeast(1.5), true},
		{r.add("a", "", 14, "calls/s").beside(10).ratioAtLeast(1.5), false},
		{r.add("a", "", 14, "calls/s").over(0).ratioAtLeast(1.5), false},
	} {
		if row.f.Met == nil || *row.f.Met != row.want {
			t.Errorf("%+v: met should be %v", *row.f, row.want)
		}
	}
}

// TestDrive counts what a server saw: each request once, on as many connections as were asked for, and every answer to its end.
func TestDrive(t *testing.T) {
	const n, conns = 500, 8
	var seen [n]atomic.Int64
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		if err := json.NewDecoder(r.Body).Decode(&i); err != nil {
			t.Error(err)
		}
		seen[i].Add(1)
		io.WriteString(w, strings.Repeat("x", 100))
		if i%7 == 0 {
			w.(http.Flusher).Flush() // in chunks
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	var requests [][]byte
	for i := range n {
		requests = append(requests, post("/", "token", []byte(strconv.Itoa(i))))
	}
	m := testMachine(t)
	got, err := m.drive(context.Background(), load{address: strings.TrimPrefix(s.URL, "http://"), conns: conns}, n, m.sending(requests))
	if err != nil || len(got.took) != n || got.bytes != n*100 || opened.Load() != conns || !slices.IsSorted(got.took) {
		t.Errorf("%d calls, %d bytes, %d connections (%v)", len(got.took), got.bytes, opened.Load(), err)
	}
	for i := range seen {
		if seen[i].Load() != 1 {
			t.Fatalf("request %d was sent %d times", i, seen[i].Load())
		}
	}
}

// TestDriveStops ends at an answer that is no success, and says which.
func TestDriveStops(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such mandate", http.StatusNotFound) }))
	defer s.Close()
	m := testMachine(t)
	_, err := m.drive(context.Background(), load{address: strings.TrimPrefix(s.URL, "http://"), conns: 3}, 50,
		m.sending(slices.Repeat([][]byte{post("/", "", []byte("1"))}, 50)))
	if err == nil || !strings.Contains(err.Error(), "no such mandate") {
		t.Errorf("the load went on after a refusal: %v", err)
	}
}

func TestRoundsFitTheirTime(t *testing.T) {
	r := &run{machine: testMachine(t)}
	var asked []int
	slow := sized{measured: measured{took: make([]time.Duration, 10), wall: 10 * time.Second}}
	_, err := r.rounds(1000, 50, func(_ string, n int) (sized, error) { asked = append(asked, n); return slow, nil })
	if err != nil || !slices.Equal(asked, []int{100, 21}) {
		t.Errorf("at one call a second a round of 20 seconds has %v calls (%v)", asked, err)
	}
	if _, err := r.rounds(10, 50, func(string, int) (sized, error) { return sized{}, errors.New("down") }); err == nil {
		t.Error("a failed warm-up is no warm-up")
	}
}

func TestResults(t *testing.T) {
	r := &run{}
	r.add("name", "case", 3, "µs").over(2).ratioAtMost(2)
	r.add("name", "plain", 3, "µs")
	path := filepath.Join(t.TempDir(), "bench-results.json")
	if err := writeResults(path, r.figures); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got[0]["ratio"] != 1.5 || got[0]["met"] != true || got[0]["floor"] != 2.0 {
		t.Errorf("the first figure is %v", got[0])
	}
	if _, has := got[1]["met"]; has || len(got) != 2 {
		t.Errorf("the second figure is %v", got[1])
	}
}
