// Package trilliantest starts what the distributed log stands on, as processes of their own on loopback: a PostgreSQL cluster, and
// Trillian's log servers and signers. It is for tests and the benchmark, and in no program of ours.
package trilliantest

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

// Cluster is a PostgreSQL of its own, with the settings that it comes with: every commit is synced.
type Cluster struct {
	Dir string // its folder; others may keep their output there
	URI string // of its database postgres
	bin string // folder of its programs
}

// nobody runs the database where we are root, as which it does not run.
const nobody = 65534

// ErrNoPostgres says that PostgreSQL's programs are not on this machine.
var ErrNoPostgres = errors.New("no programs of PostgreSQL are here")

// StartPostgres makes a cluster in a folder below disk and starts it. bin is the programs' folder; "" takes Debian's newest.
func StartPostgres(disk, bin string) (*Cluster, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); bin == "" && len(found) > 0 {
		bin = slices.Max(found)
	}
	if bin == "" {
		return nil, ErrNoPostgres
	}
	dir, err := os.MkdirTemp(disk, "writ-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir, bin: bin}
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

func (c *Cluster) start() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	c.URI = fmt.Sprintf("postgres://writ@%s/postgres?sslmode=disable", address)
	if err := c.run("initdb", "-D", c.data(), "-U", "writ", "-A", "trust", "-E", "UTF8", "--locale", "C"); err != nil {
		return err
	}
	return c.run("pg_ctl", "-D", c.data(), "-w", "-t", "60", "-l", filepath.Join(c.Dir, "messages"), "-o",
		fmt.Sprintf("-h %s -p %s -c unix_socket_directories=", host, port), "start")
}

func (c *Cluster) data() string { return filepath.Join(c.Dir, "data") }

func (c *Cluster) run(program string, args ...string) error {
	argv := append([]string{filepath.Join(c.bin, program)}, args...)
	if os.Geteuid() == 0 {
		id := strconv.Itoa(nobody)
		argv = append([]string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = c.Dir
	said, err := os.Create(filepath.Join(c.Dir, program+".output"))
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

// Restart stops the database at once, as a crash does, and starts it again with its own recovery.
func (c *Cluster) Restart() error {
	return c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "-t", "60", "-l", filepath.Join(c.Dir, "messages"), "restart")
}

// Remove stops the database and removes its folder.
func (c *Cluster) Remove() error {
	return errors.Join(c.run("pg_ctl", "-D", c.data(), "-m", "fast", "-w", "stop"), os.RemoveAll(c.Dir))
}

// freeAddress is one on loopback that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
