package log

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/powercut"
)

// A child of the test is this program with the folder of a log in its environment.
const childFolder = "WRIT_LOG_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := appendForEver(dir, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForEver opens the log, finds in it what was told before, says that it is ready, and tells each further answer: index and entry.
func appendForEver(dir string, told io.Reader, out io.Writer) error {
	a, err := OpenAppender(Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: testSigner(1, nil)})
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(told); lines.Scan(); {
		index, entry, _ := strings.Cut(lines.Text(), " ")
		at, err := strconv.ParseInt(index, 10, 64)
		if err != nil {
			return err
		}
		if got, err := a.Log().Entry(at); err != nil || string(got) != entry {
			return fmt.Errorf("entry %d was %q, is %q: %v", at, entry, got, err)
		}
	}
	fmt.Fprintf(out, "ready %d\n", a.Log().Size())
	failed := make(chan error)
	var mu sync.Mutex
	for caller := range 8 {
		go func() {
			for i := 0; ; i++ {
				entry := fmt.Appendf(nil, "from %d of %d: %d", caller, os.Getpid(), i)
				index, _, err := a.Append(ctx, entry)
				if err == nil && i%20 == 19 {
					_, err = a.Publish(ctx)
				}
				if err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Fprintf(out, "%d %s\n", index, entry)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

// appenderCuts is how many cuts TestPowerCutsOfAppender makes, unless WRIT_CUTS says otherwise.
const appenderCuts = 5

// TestPowerCutsOfAppender: the power goes while callers append. Every entry that was told of is there, at its index, and no index is
// told of twice.
func TestPowerCutsOfAppender(t *testing.T) {
	disk, dir, seed := powercut.NewDisk(), t.TempDir(), uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	luck := rand.New(rand.NewPCG(seed, 0))
	told := map[string]string{}
	var all bytes.Buffer
	var lost powercut.Lost
	cuts := appenderCuts
	if asked, err := strconv.Atoi(os.Getenv("WRIT_CUTS")); err == nil {
		cuts = asked
	}
	for round := range cuts {
		unmount, err := disk.Mount(dir)
		if err != nil {
			if powercut.Required(os.Getenv) {
				t.Fatal(err)
			}
			fmt.Printf("NOT CHECKED: power cuts under a log by itself (%v)\n", err)
			return
		}
		child := exec.Command(os.Args[0])
		var complaint bytes.Buffer
		child.Env, child.Stdin, child.Stderr = append(os.Environ(), childFolder+"="+dir), bytes.NewReader(all.Bytes()), &complaint
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "ready ") {
			child.Wait()
			unmount()
			t.Fatalf("round %d: %q, %s", round, lines.Text(), &complaint)
		}
		over := make(chan struct{})
		for n := 0; lines.Scan(); n++ {
			index, entry, _ := strings.Cut(lines.Text(), " ")
			if other, twice := told[index]; twice {
				t.Errorf("index %s is of %q and of %q", index, other, entry)
			}
			told[index] = entry
			fmt.Fprintln(&all, lines.Text())
			if n == 60 {
				off := disk.PowerOff(1 + luck.IntN(40))
				go func() {
					defer close(over)
					<-off
					child.Process.Kill()
					disk.Release() // what hangs in the child ends, and its output with it
				}()
			}
		}
		<-over
		child.Wait()
		if err := unmount(); err != nil {
			t.Fatal(err)
		}
		lost = lost.Add(disk.Cut(powercut.Loss(round)%powercut.Losses, luck))
	}
	if len(told) < cuts*60 || lost.Writes == 0 {
		t.Errorf("%d entries were told of, and the cuts undid %d writes", len(told), lost.Writes)
	}
	t.Logf("%d entries told of; the cuts undid %d writes and %d names, and tore %d writes", len(told), lost.Writes, lost.Names, lost.Torn)
}
