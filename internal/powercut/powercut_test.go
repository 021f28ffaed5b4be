package powercut

import (
	"bufio"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// TestMain is also the program whose power is cut: a table that grows, and a line for each row that is committed.
func TestMain(m *testing.M) {
	if path := os.Getenv("POWERCUT_ROWS"); path != "" {
		if err := rows(path, os.Getenv("POWERCUT_SYNCHRONOUS"), os.Getenv("POWERCUT_COUNT") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// rows inserts until it is killed, or counts.
func rows(path, synchronous string, count bool) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+synchronous+")")
	if err != nil {
		return err
	}
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)"); err != nil {
		return err
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM rows").Scan(&n); err != nil || count {
		fmt.Println(n)
		return err
	}
	for n++; ; n++ {
		if _, err := db.Exec("INSERT INTO rows VALUES (?, ?)", n, strings.Repeat("x", 200)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// mounted is a disk in a folder, whose power the tests cut by hand.
type mounted struct {
	*Disk
	t       *testing.T
	dir     string
	unmount func() error
}

// newMounted is nil where nothing can be mounted and nobody requires it: the output says so.
func newMounted(t *testing.T) *mounted {
	t.Helper()
	m := &mounted{Disk: NewDisk(), t: t, dir: t.TempDir()}
	if err := m.mount(); err != nil {
		if Required(os.Getenv) {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: power cuts (%v)\n", err)
		return nil
	}
	t.Cleanup(func() { m.must(m.unmount()) })
	return m
}

func (m *mounted) mount() (err error) {
	m.unmount, err = m.Mount(m.dir)
	return err
}

func (m *mounted) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *mounted) path(name string) string { return filepath.Join(m.dir, name) }

// cut is a power cut while no program runs.
func (m *mounted) cut(loss Loss) Lost {
	m.t.Helper()
	<-m.PowerOff(0)
	m.Release()
	m.must(m.unmount())
	lost := m.Cut(loss, rand.New(rand.NewPCG(1, 2)))
	m.must(m.mount())
	return lost
}

func (m *mounted) write(name, text string, sync bool) {
	m.t.Helper()
	f, err := os.OpenFile(m.path(name), os.O_CREATE|os.O_WRONLY, 0o600)
	m.must(err)
	_, err = f.WriteString(text)
	m.must(err)
	if sync {
		m.must(f.Sync())
	}
	m.must(f.Close())
}

func (m *mounted) syncDir(name string) {
	m.t.Helper()
	f, err := os.Open(m.path(name))
	m.must(err)
	m.must(f.Sync())
	m.must(f.Close())
}

// wants reads a file; "missing" is one that is not there.
func (m *mounted) wants(name, want string) {
	m.t.Helper()
	got, err := os.ReadFile(m.path(name))
	if os.IsNotExist(err) {
		got, err = []byte("missing"), nil
	}
	m.must(err)
	if string(got) != want {
		m.t.Errorf("%s has %q, want %q", name, got, want)
	}
}

// TestSynced: what was synced is there after every cut, and what was not is not, each in its own way.
func TestSynced(t *testing.T) {
	m := newMounted(t)
	if m == nil {
		return
	}
	m.must(os.Mkdir(m.path("dir"), 0o700))
	m.syncDir(".")
	for _, name := range []string{"dir/bytes", "dir/replaced", "dir/removed", "dir/cut"} {
		m.write(name, "synced", true)
	}
	m.write("dir/empty", "never synced", false)
	m.syncDir("dir")

	m.write("dir/bytes", "SYN", false)
	m.write("dir/name", "synced", true)
	m.write("dir/new", "synced too", true)
	m.must(os.Rename(m.path("dir/new"), m.path("dir/replaced")))
	m.must(os.Remove(m.path("dir/removed")))
	m.must(os.Truncate(m.path("dir/cut"), 3))
	m.must(os.Link(m.path("dir/bytes"), m.path("dir/link")))
	m.must(os.Mkdir(m.path("other"), 0o700))
	m.write("other/file", "synced", true)
	m.syncDir("other") // and not the folder above
	m.wants("dir/bytes", "SYNced")
	m.wants("dir/replaced", "synced too")
	m.wants("dir/cut", "syn")
	m.wants("dir/link", "SYNced")

	if lost := m.cut(DropAll); lost.Writes < 3 || lost.Names < 5 {
		t.Errorf("the cut says that it undid %+v", lost)
	}
	for name, want := range map[string]string{"dir/bytes": "synced", "dir/replaced": "synced", "dir/removed": "synced", "dir/cut": "synced",
		"dir/empty": "", "dir/name": "missing", "dir/new": "missing", "dir/link": "missing", "other/file": "missing"} {
		m.wants(name, want)
	}
	m.write("dir/bytes", "again", true)
	m.cut(DropAll)
	m.wants("dir/bytes", "againd")
}

// TestLosses: the last write is torn, and of many a part is there.
func TestLosses(t *testing.T) {
	m := newMounted(t)
	if m == nil {
		return
	}
	m.write("a", "", true)
	m.syncDir(".")
	m.write("a", "first", false)
	m.write("b", "0123456789", false)
	if lost := m.cut(TearLast); lost != (Lost{Torn: 1}) {
		t.Errorf("undone: %+v", lost)
	}
	m.wants("a", "first")
	b, err := os.ReadFile(m.path("b"))
	m.must(err)
	if len(b) == 0 || len(b) == 10 || !strings.HasPrefix("0123456789", string(b)) {
		t.Errorf("the last write is there as %q", b)
	}
	for i := range 40 {
		m.write(fmt.Sprint("file", i), "0123456789", false)
	}
	if lost := m.cut(DropSome); lost.Writes < 5 || lost.Writes > 35 || lost.Names < 5 || lost.Names > 35 || lost.Torn == 0 {
		t.Errorf("undone of 40: %+v", lost)
	}
}

// TestSQLite is the harness against programs that are known to be right and wrong: FULL loses nothing that it acknowledged, NORMAL
// does, since it does not sync at each commit.
func TestSQLite(t *testing.T) {
	for _, synchronous := range []string{"FULL", "NORMAL"} {
		m := newMounted(t)
		if m == nil {
			return
		}
		lost, acknowledged := 0, 0
		for loss := range Losses {
			n := m.insert(synchronous, loss)
			there := m.count(synchronous)
			lost, acknowledged = lost+max(0, n-there), n
			if synchronous == "FULL" && there < n {
				t.Errorf("FULL acknowledged %d rows, and %d are there", n, there)
			}
		}
		t.Logf("%s: %d rows lost in %d cuts, the last after %d", synchronous, lost, Losses, acknowledged)
		if synchronous == "NORMAL" && lost == 0 {
			t.Error("NORMAL lost nothing: the cuts undo nothing")
		}
	}
}

// insert runs the program for a while, cuts the power, and returns the last row that it acknowledged.
func (m *mounted) insert(synchronous string, loss Loss) (acknowledged int) {
	m.t.Helper()
	cmd := m.program(synchronous)
	out, err := cmd.StdoutPipe()
	m.must(err)
	m.must(cmd.Start())
	read := make(chan int)
	go func() {
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Sscan(lines.Text(), &n)
		}
		read <- n
	}()
	time.Sleep(400 * time.Millisecond)
	select {
	case <-m.PowerOff(20):
	case <-time.After(10 * time.Second):
		m.t.Fatal("the program changes nothing")
	}
	m.must(cmd.Process.Kill())
	m.Release()
	acknowledged = <-read
	cmd.Wait()
	m.must(m.unmount())
	m.t.Logf("%s: %+v", synchronous, m.Cut(loss, rand.New(rand.NewPCG(3, uint64(loss)))))
	m.must(m.mount())
	return acknowledged
}

func (m *mounted) count(synchronous string) (n int) {
	m.t.Helper()
	cmd := m.program(synchronous)
	cmd.Env = append(cmd.Env, "POWERCUT_COUNT=1")
	out, err := cmd.Output()
	m.must(err)
	_, err = fmt.Sscan(string(out), &n)
	m.must(err)
	return n
}

func (m *mounted) program(synchronous string) *exec.Cmd {
	program, err := os.Executable()
	m.must(err)
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "POWERCUT_ROWS="+m.path("rows.db"), "POWERCUT_SYNCHRONOUS="+synchronous)
	return cmd
}

func TestRequired(t *testing.T) {
	_, err := os.Stat(Device)
	for _, row := range []struct {
		env  map[string]string
		want bool
	}{{nil, false}, {map[string]string{"CI": "true"}, err == nil}, {map[string]string{"WRIT_POWERCUT": "required"}, true}} {
		if got := Required(func(name string) string { return row.env[name] }); got != row.want {
			t.Errorf("%v: %v", row.env, got)
		}
	}
}
