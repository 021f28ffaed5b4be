package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// cluster is a PostgreSQL of the benchmark's own, with the settings that it comes with: every commit is synced.
type cluster struct {
	dir string
	uri string
	bin string // folder of its programs
}

// nobody runs the database where we are root, as which it does not run.
const nobody = 65534

var errNoPostgres = errors.New("no programs of PostgreSQL are here; name their folder with -postgres")

// postgres makes a cluster on the disk and starts it. -postgres names the programs' folder; else Debian's newest is taken.
func (r *run) postgres() (*cluster, error) {
	bin := r.postgresBin
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); bin == "" && len(found) > 0 {
		bin = slices.Max(found)
	}
	if bin == "" {
		return nil, errNoPostgres
	}
	dir, err := os.MkdirTemp(r.disk, "writ-bench-postgres-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, bin: bin}
	if os.Geteuid() == 0 {
		err = os.Chown(dir, nobody, nobody)
	}
	if err == nil {
		err = c.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

func (c *cluster) start() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	c.uri = fmt.Sprintf("postgres://bench@%s/postgres?sslmode=disable", address)
	if err := c.run("initdb", "-D", c.data(), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale", "C"); err != nil {
		return err
	}
	return c.run("pg_ctl", "-D", c.data(), "-w", "-t", "60", "-l", filepath.Join(c.dir, "messages"), "-o",
		fmt.Sprintf("-h %s -p %s -k %s", host, port, c.dir), "start")
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) run(program string, args ...string) error {
	argv := append([]string{filepath.Join(c.bin, program)}, args...)
	if os.Geteuid() == 0 {
		id := strconv.Itoa(nobody)
		argv = append([]string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = c.dir
	said, err := os.Create(filepath.Join(c.dir, program+".output"))
	if err != nil {
		return err
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said // a file: the database that pg_ctl starts keeps it open
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, text)
	}
	return nil
}

// remove stops the database and removes its folder.
func (c *cluster) remove() error {
	return errors.Join(c.run("pg_ctl", "-D", c.data(), "-m", "fast", "-w", "stop"), os.RemoveAll(c.dir))
}
