package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/internal/writtest"
)

//go:embed limits.rego
var limitsRego []byte

// peerLoads are the loads that peers get too.
var peerLoads = []int{1, 64}

// What each peer does of what a call of Writ does.
const (
	opaDoes     = "decides over given totals; no signature, no durability, no receipt, no proof"
	opaLogs     = "the same, and prints each decision, unsigned and unsynced"
	openfgaDoes = "makes one tuple durable in PostgreSQL; decides nothing, no signature, no receipt, no proof"
)

// peersBeside measures what somebody would pick instead, with the same client on the same cores, and one call of Writ beside it. The
// programs are built from their Go modules in conformance/interop/peers.
func (r *run) peersBeside() error {
	if r.peers == "" {
		fmt.Fprintln(r.out, "\npeers: NOT MEASURED: name the folder of the programs opa and openfga with -peers (make bench builds them)")
		return nil
	}
	writ := map[int]float64{}
	for _, conns := range peerLoads {
		s, err := r.verifying(r.disk, conns, r.calls(conns))
		if err != nil {
			return err
		}
		writ[conns] = s.rate()
		r.add("peers", "Writ, durable verify with commit, "+plural(conns)+", p50", µs(s.p(0.5)), "µs")
		r.add("peers", "Writ, durable verify with commit, "+plural(conns)+", rate", s.rate(), "calls/s")
	}
	return errors.Join(r.opa("Open Policy Agent", opaDoes, nil, writ),
		r.opa("Open Policy Agent with its decision log", opaLogs, []string{"--set", "decision_logs.console=true"}, writ), r.openfga(writ))
}

// peer is a running server of somebody else.
type peer struct {
	*exec.Cmd
	address string
}

// startPeer starts a server, its output in a file, and waits until it is healthy.
func (r *run) startPeer(output, address, health string, cmd *exec.Cmd) (*peer, error) {
	f, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &peer{cmd, address}
	if err := r.healthy("http://" + address + health); err != nil {
		said, _ := os.ReadFile(output)
		return nil, errors.Join(fmt.Errorf("%s did not start: %w\n%s", cmd.Path, err, said), p.stop())
	}
	return p, nil
}

func (p *peer) stop() error {
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	p.Wait() // some end with a code of their own
	return nil
}

// healthy waits for a success at a URL.
func (r *run) healthy(url string) error {
	var err error
	for range 300 {
		var answer *http.Response
		if answer, err = http.Get(url); err == nil {
			answer.Body.Close()
			if answer.StatusCode < 300 {
				return nil
			}
			err = errors.New(answer.Status)
		}
		select {
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return err
}

// freeAddress is one on loopback that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// besidePeer sends a peer its requests and compares Writ with it.
func (r *run) besidePeer(name, does, address string, writ map[int]float64, target float64, requests func(round string, n int) ([][]byte, error)) error {
	for _, conns := range peerLoads {
		s, err := r.rounds(r.calls(conns), 0, func(round string, n int) (sized, error) {
			all, err := requests(fmt.Sprintf("%s-%d", round, conns), n)
			if err != nil {
				return sized{}, err
			}
			m, err := r.drive(r.ctx, load{address: address, conns: conns, limit: patience}, n, r.sending(all))
			return sized{m, len(all[0])}, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.add("peers", name+", "+plural(conns)+", p50", µs(s.p(0.5)), "µs").noting(does)
		f := r.add("peers", "Writ beside "+name+", "+plural(conns)+", rate", writ[conns], "calls/s").beside(s.rate())
		if conns == 64 && target > 0 {
			f.ratioAtLeast(target)
		}
	}
	return nil
}

// opa serves the policy of the benchmark's mandate, with the limits of as many mandates as a spread load has.
func (r *run) opa(name, does string, settings []string, writ map[int]float64) (err error) {
	dir, err := os.MkdirTemp(r.disk, "writ-bench-opa-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	output := filepath.Join(dir, "output")
	policy, data := filepath.Join(dir, "limits.rego"), filepath.Join(dir, "data.json")
	if err := errors.Join(os.WriteFile(policy, limitsRego, 0o644), os.WriteFile(data, r.opaData(), 0o644)); err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	args := append([]string{"run", "--server", "--addr", address, "--log-level", "error", "--disable-telemetry"}, settings...)
	p, err := r.startPeer(output, address, "/health", exec.Command(filepath.Join(r.peers, "opa"), append(args, policy, data)...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := r.opaAllows(address); err != nil {
		return err
	}
	err = r.besidePeer(name, does, address, writ, 0, r.opaAsks)
	if info, failed := os.Stat(output); len(settings) > 0 && (failed != nil || info.Size() == 0) {
		err = errors.Join(err, fmt.Errorf("%s: it printed no decision (%v)", name, failed))
	}
	return err
}

// opaAllows makes sure that the policy answers the question, rather than nothing at all, which is a success too.
func (r *run) opaAllows(address string) error {
	c, err := r.connect(address)
	if err != nil {
		return err
	}
	defer c.Close()
	asks, err := r.opaAsks("first", 1)
	if err != nil {
		return err
	}
	var answer bytes.Buffer
	if _, err = c.call(asks[0], &answer); err == nil && !strings.Contains(answer.String(), `"result":true`) {
		err = fmt.Errorf("the policy answers %s", answer.String())
	}
	return err
}

func (r *run) opaData() []byte {
	limits, holder := map[string]any{}, newParties().holder
	for i := range r.spread() {
		limits[fmt.Sprintf("mandate-%d", i)] = map[string]any{"status": "active", "agent": holder, "validFrom": r.now().AddDate(0, 0, -1),
			"validUntil": r.now().AddDate(0, 1, 0), "actions": []string{"payments.transfer"}, "resources": []string{writtest.Account},
			"payees": []string{writtest.Payee}, "used": 0, "max": 8e15}
	}
	data, _ := json.Marshal(map[string]any{"mandates": limits})
	return data
}

func (r *run) opaAsks(round string, n int) ([][]byte, error) {
	holder := newParties().holder
	return parallel(n, func(i int) ([]byte, error) {
		body, err := json.Marshal(map[string]any{"input": map[string]any{"mandate": fmt.Sprintf("mandate-%d", i%r.spread()), "agent": holder,
			"action": map[string]any{"type": "payments.transfer", "resource": writtest.Account, "amount": 100,
				"counterparty": map[string]string{"id": writtest.Payee}, "nonce": keyOf(round, i)}}})
		return post("/v1/data/writ/allow", "", body), err
	})
}

// openfga writes tuples, on a PostgreSQL cluster of its own.
func (r *run) openfga(writ map[int]float64) (err error) {
	db, err := trilliantest.StartPostgres(r.disk, r.postgresBin)
	if errors.Is(err, trilliantest.ErrNoPostgres) {
		fmt.Fprintln(r.out, "\nOpenFGA: NOT MEASURED:", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, db.Remove()) }()
	program, store := filepath.Join(r.peers, "openfga"), []string{"--datastore-engine", "postgres", "--datastore-uri", db.URI}
	if said, err := exec.Command(program, append([]string{"migrate"}, store...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("openfga migrate: %w\n%s", err, said)
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	grpc, err := freeAddress()
	if err != nil {
		return err
	}
	p, err := r.startPeer(filepath.Join(db.Dir, "openfga"), address, "/healthz", exec.Command(program, append(append([]string{"run"}, store...),
		"--http-addr", address, "--grpc-addr", grpc, "--playground-enabled=false", "--metrics-enabled=false", "--log-level", "none")...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	path, model, err := openfgaStore(address)
	if err != nil {
		return err
	}
	return r.besidePeer("OpenFGA on PostgreSQL", openfgaDoes, address, writ, 1.5, func(round string, n int) ([][]byte, error) {
		return parallel(n, func(i int) ([]byte, error) {
			body, err := json.Marshal(map[string]any{"authorization_model_id": model, "writes": map[string]any{"tuple_keys": []any{
				map[string]string{"user": "agent:" + keyOf(round, i), "relation": "pays", "object": fmt.Sprintf("mandate:%d", i%r.spread())}}}})
			return post(path, "", body), err
		})
	})
}

// openfgaModel says that an agent may pay by a mandate.
const openfgaModel = `{"schema_version":"1.1","type_definitions":[{"type":"agent"},{"type":"mandate","relations":{"pays":{"this":{}}},
	"metadata":{"relations":{"pays":{"directly_related_user_types":[{"type":"agent"}]}}}}]}`

// openfgaStore makes a store with the model, and returns the path to write to.
func openfgaStore(address string) (path, model string, err error) {
	var made struct {
		ID    string `json:"id"`
		Model string `json:"authorization_model_id"`
	}
	if err := postTo("http://"+address+"/stores", `{"name":"bench"}`, &made); err != nil {
		return "", "", err
	}
	base := "/stores/" + made.ID
	err = postTo("http://"+address+base+"/authorization-models", openfgaModel, &made)
	return base + "/write", made.Model, err
}

func postTo(url, body string, into any) error {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s: %s: %s", url, answer.Status, bytes.TrimSpace(data))
	}
	return json.Unmarshal(data, into)
}
