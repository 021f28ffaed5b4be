package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// profiles serves one ledger under load and prints where its time goes: the functions by their own time, and by that of what they
// call. It needs the go command.
func (r *run) profiles(conns int) (err error) {
	dir, err := os.MkdirTemp(r.disk, "writ-bench-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f, err := r.fill(r.disk, r.spread())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.remove()) }()
	p, err := r.spawn([]string{profileVariable + "=" + filepath.Join(dir, "cpu")}, "ledger", f.dir)
	if err != nil {
		return err
	}
	s, err := r.rounds(r.calls(conns), len(f.mandates), func(round string, n int) (sized, error) { return r.asking(p.address, f, round, conns, n) })
	if err := errors.Join(err, p.end()); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "\n%s, %d calls, %.0f calls/s\n", plural(conns), len(s.took), s.rate())
	return r.pprof(fmt.Sprintf("%s-ledger-%d", filepath.Join(dir, "cpu"), p.cmd.Process.Pid))
}

// shown are the functions that say where a call's time goes: ours, and what they rest on.
const shown = `writ-trust/writ/(verifier|internal/(api|journal|jcs)|log|spec|vc)\..*|sqlite3_(prepare_v2|step)|ed25519\.(Sign|Verify)|Fsync|` +
	`Syscall6|gcBgMarkWorker|mallocgc$`

// pprof prints a profile as text.
func (r *run) pprof(path string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"-top", "-nodecount", "25"}, {"-top", "-cum", "-nodecount", "45", "-show", shown}} {
		cmd := exec.Command("go", append(append([]string{"tool", "pprof"}, args...), program, path)...)
		cmd.Stdout = r.out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("go tool pprof: %w", err)
		}
	}
	return nil
}
