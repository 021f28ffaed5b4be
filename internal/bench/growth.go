package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// growth asks whether a ledger gets slower, larger or harder to start as it fills.
func (r *run) growth() error {
	return errors.Join(r.manyCalls(), r.manyMandates())
}

// window is how many calls the median at one place of a history is of, and how many mandates are used of many.
const window = 200

// manyCalls makes the calls of one mandate, on one connection where it measures and on many between, and then looks at the disk. The
// agent executes, so each call settles itself; the budget's window and the mandate's chain are the same throughout.
func (r *run) manyCalls() error {
	places := []int{20, 300, r.several(10_000, 600)}
	if r.long {
		places = append(places, 1_000_000)
	}
	f, err := r.fill(r.disk, 1, selfExecuted)
	if err != nil {
		return err
	}
	before := journalSize(f.dir)
	made, first, failed := 0, 0.0, error(nil)
	for _, place := range places {
		p50, err := r.at(f, &made, place)
		if failed = err; err != nil {
			break
		}
		g := r.add("growth: one mandate", "1 connection, from call "+strconv.Itoa(place)+", p50", p50, "µs")
		if first == 0 {
			first = p50
			continue
		}
		g.over(first).ratioAtMost(1.2).noting("beside call 20")
	}
	if failed == nil {
		r.sizes(f.dir, before, made)
		failed = r.starting(f, "after "+strconv.Itoa(made)+" calls")
	}
	return errors.Join(failed, f.remove())
}

// at brings the mandate to its place-th call and measures from there.
func (r *run) at(f *filled, made *int, place int) (p50 float64, err error) {
	p, err := r.spawn(nil, "ledger", f.dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	for *made < place {
		conns := 1
		if place-*made > 1000 {
			conns = batch
		}
		s, err := r.asking(p.address, f, "fill-"+strconv.Itoa(*made), conns, min(place-*made, 10_000))
		if err != nil {
			return 0, err
		}
		*made += len(s.took)
	}
	s, err := r.asking(p.address, f, "at-"+strconv.Itoa(place), 1, window)
	*made += len(s.took)
	return µs(s.p(0.5)), err
}

// sizes are the bytes that the calls have left.
func (r *run) sizes(dir string, before int64, calls int) {
	r.add("growth: one mandate", "database a call", float64(journalSize(dir)-before)/float64(calls), "bytes").atMost(4096).
		noting(strconv.Itoa(calls) + " calls")
	r.add("growth: one mandate", "log a call", float64(folderSize(filepath.Join(dir, "log")))/float64(calls), "bytes")
}

// manyMandates measures the same spread load on ledgers of different sizes, and how they start.
func (r *run) manyMandates() error {
	counts := []int{r.several(1000, 40), r.several(10_000, 200)}
	if r.long {
		counts = append(counts, 1_000_000)
	}
	var first, least float64
	for i, n := range counts {
		p50, resident, err := r.withMandates(n)
		if err != nil {
			return err
		}
		g := r.add("growth: mandates", fmt.Sprintf("1 connection, %d mandates, p50", n), p50, "µs")
		r.add("growth: mandates", fmt.Sprintf("%d mandates, resident memory", n), float64(resident)/(1<<20), "MiB")
		if i == 0 {
			first, least = p50, float64(resident)
			continue
		}
		g.over(first).ratioAtMost(1.2).noting(fmt.Sprintf("beside %d mandates", counts[0]))
		if n >= 10_000 { // below, it is how full the caches are
			r.add("growth: mandates", "resident memory a million, from the difference", (float64(resident)-least)/float64(n-counts[0])*1e6/(1<<20), "MiB").
				noting(fmt.Sprintf("%d to %d mandates", counts[0], n))
		}
	}
	return nil
}

// withMandates measures calls on some mandates of n, evenly chosen, each used once before.
func (r *run) withMandates(n int) (p50 float64, resident int64, err error) {
	f, err := r.fill(r.disk, n, selfExecuted)
	if err != nil {
		return 0, 0, err
	}
	all := f.mandates
	f.mandates = nil
	for i := range window {
		f.mandates = append(f.mandates, all[i*len(all)/window])
	}
	if err := r.starting(f, fmt.Sprintf("with %d mandates", n)); err != nil {
		return 0, 0, errors.Join(err, f.remove())
	}
	p, err := r.spawn(nil, "ledger", f.dir)
	if err != nil {
		return 0, 0, errors.Join(err, f.remove())
	}
	_, err = r.asking(p.address, f, "warm", 1, len(f.mandates))
	if err == nil {
		var s sized
		s, err = r.asking(p.address, f, "measured", 1, r.several(1000, 40))
		p50, resident = µs(s.p(0.5)), p.resident()
	}
	return p50, resident, errors.Join(err, p.end(), f.remove())
}

// starting is the time from starting the server's process to its first answer to a verify.
func (r *run) starting(f *filled, when string) error {
	body, err := newParties().ask(f.mandates[0], keyOf("start", len(r.figures)), true, r.now())
	if err != nil {
		return err
	}
	start := r.now()
	p, err := r.spawn(nil, "ledger", f.dir)
	if err != nil {
		return err
	}
	c, err := r.connect(p.address)
	if err != nil {
		return errors.Join(err, p.end())
	}
	defer c.Close()
	_, err = c.call(post(verifyPath, f.token, body), nil)
	took := r.now().Sub(start)
	r.add("growth: start", "first answer "+when, float64(took)/float64(time.Millisecond), "ms").atMost(1000)
	return errors.Join(err, p.end())
}

// journalSize is the size of the database, the write-ahead log left out: a closed ledger has none.
func journalSize(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, journalName))
	if err != nil {
		return 0
	}
	return info.Size()
}

func folderSize(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}
