package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/verifier"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"writ": main}) }

// TestScripts runs what a person would type and holds it against what is promised, refusals included.
//
// Scripts have commands of their own: "serve ARGS" starts writ serve, waits for its address and puts it into WRIT_URL and ADDRESS; "halt" ends it
// as an operator would, and wants exit code 0 ("stop" is testscript's own, and would end the script as if all of it had passed); "get PATH STATUS [TEXT]" reads a path of it. What no subcommand does goes through the client: "host" makes an API key with a hosted
// agent and puts the agent into AGENT; "ask EUROS RESULT" asks as that agent, under the mandate whose id is in the file id, and puts the
// decision into DECISION.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("found only %d scripts: %v", len(scripts), err)
	}
	for _, name := range scripts {
		if text, err := os.ReadFile(name); err != nil || strings.Contains(string(text), "\nstop\n") {
			t.Fatalf("%s says stop, so that nothing behind it is looked at (%v)", name, err)
		}
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TESTDATA", testdata)
			e.Setenv("EXAMPLE", filepath.Join(testdata, "../../../conformance/example/answer.py"))
			e.Values[serving{}] = &serving{}
			e.Values[ofScript] = witnesses{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serve, "halt": halt, "host": host, "ask": ask, "get": get, "witness": witnessing}})
}

// serving is the server of one script.
type serving struct {
	command *exec.Cmd
	key     string // API key with a hosted agent
}

func serve(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath("writ")
	ts.Check(err)
	s := ts.Value(serving{}).(*serving)
	s.command = exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.command.Dir = ts.MkAbs(".")
	s.command.Env = append(os.Environ(), "WRIT_PASSPHRASE="+ts.Getenv("WRIT_PASSPHRASE"))
	messages, err := os.Create(ts.MkAbs("messages"))
	ts.Check(err)
	defer messages.Close()
	s.command.Stderr = messages
	stdout, err := s.command.StdoutPipe()
	ts.Check(err)
	ts.Check(s.command.Start())
	ts.Defer(func() {
		if s.command != nil {
			s.command.Process.Kill()
			s.command.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(messages.Name())
		ts.Fatalf("writ serve printed no address: %v\n%s", err, said)
	}
	ts.Setenv("WRIT_URL", strings.TrimSpace(line))
	ts.Setenv("ADDRESS", strings.TrimPrefix(strings.TrimSpace(line), "http://"))
}

func halt(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serving{}).(*serving)
	ts.Check(s.command.Process.Signal(syscall.SIGTERM))
	err := s.command.Wait()
	s.command = nil
	ts.Check(err)
}

// get reads a path of the server, and wants a status and a text in the answer.
func get(ts *testscript.TestScript, neg bool, args []string) {
	answer, err := http.Get(ts.Getenv("WRIT_URL") + args[0])
	ts.Check(err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if strconv.Itoa(answer.StatusCode) != args[1] || len(args) > 2 && !strings.Contains(string(data), args[2]) {
		ts.Fatalf("%s: %d %s", args[0], answer.StatusCode, data)
	}
}

// host makes an API key with a hosted agent.
func host(ts *testscript.TestScript, neg bool, args []string) {
	admin, err := os.ReadFile(ts.MkAbs("data/admin.key"))
	ts.Check(err)
	key, err := clientOf(ts, strings.TrimSpace(string(admin))).CreateKey(context.Background(), "script", true, "verify", "read")
	ts.Check(err)
	ts.Setenv("AGENT", key.Agent)
	ts.Value(serving{}).(*serving).key = key.Key
}

// ask asks as the hosted agent. Before, the ledger is told whom to trust: the roster that it has, and that the account is Acme's.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	c := clientOf(ts, ts.Value(serving{}).(*serving).key)
	ledger, err := c.Ledger(context.Background())
	ts.Check(err)
	roster, err := c.Roster(context.Background(), acme)
	ts.Check(err)
	trust, err := (&verifier.Trust{Version: "1", Rosters: []verifier.PinnedRoster{{Grantor: acme, Content: roster.First}},
		Policy: "log " + ledger.Log.Key + "\nquorum none\n", Resources: map[string]string{account: acme}}).Bytes()
	ts.Check(err)
	ts.Check(replace(ts.MkAbs("data/trust.json"), trust))
	mandate, err := os.ReadFile(ts.MkAbs("id"))
	ts.Check(err)
	_, action, err := paymentOf(args[0], aws, account, "script-"+args[0])
	ts.Check(err)
	a, err := c.VerifyHosted(context.Background(), writ.HostedRequest{Mandates: []string{strings.TrimSpace(string(mandate))}, Action: action, IdempotencyKey: "script-" + args[0], Executor: bank})
	ts.Check(err)
	if a.Result != args[1] {
		ts.Fatalf("%s, want %s", a.Result, args[1])
	}
	ts.Setenv("DECISION", a.ID)
}

func clientOf(ts *testscript.TestScript, key string) *writ.Client {
	c, err := writ.New(writ.Options{URL: ts.Getenv("WRIT_URL"), APIKey: key, Now: time.Now, Random: rand.Reader})
	ts.Check(err)
	return c
}
