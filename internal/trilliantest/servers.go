package trilliantest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/trillian"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Variable of the environment that names the folder of trillian_log_server and trillian_log_signer; `make trillian` builds them.
const Variable = "WRIT_TRILLIAN_BIN"

// ErrNoTrillian says that nobody named the folder of Trillian's servers.
var ErrNoTrillian = errors.New("servers of Trillian are not here: build them with `make trillian` and name their folder in " + Variable)

// Bin returns the folder of Trillian's servers that the environment names.
func Bin() (string, error) {
	bin := os.Getenv(Variable)
	if bin == "" {
		return "", ErrNoTrillian
	}
	_, err := os.Stat(filepath.Join(bin, "trillian_log_server"))
	return bin, err
}

// SchemaFile is the path of Trillian's own schema for PostgreSQL, in its module.
func SchemaFile() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/trillian").Output()
	return filepath.Join(strings.TrimSpace(string(dir)), "storage/postgresql/schema/storage.sql"), err
}

// Schema is its text.
func Schema() (string, error) {
	path, err := SchemaFile()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// FreeAddress is one on loopback that nobody listened on a moment ago.
func FreeAddress(t interface{ Fatal(...any) }) string {
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Server is a process of Trillian, which may be killed and started again at the same address.
type Server struct {
	Address string // of its RPCs
	program string
	args    []string
	output  string
	cmd     *exec.Cmd
}

// StartServer starts a log server over the cluster and waits until it answers. Its output goes to the cluster's folder.
func StartServer(ctx context.Context, bin string, c *Cluster) (*Server, error) {
	s, err := newServer(bin, "trillian_log_server", c)
	if err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// StartSigner starts a signer that takes itself for the only one, and looks for leaves at each interval. It does not wait for it.
func StartSigner(bin string, c *Cluster, interval time.Duration) (*Server, error) {
	s, err := newServer(bin, "trillian_log_signer", c, "--force_master", "--sequencer_interval="+interval.String(), "--num_sequencers=1",
		"--batch_size=4096")
	if err != nil {
		return nil, err
	}
	return s, s.launch()
}

func newServer(bin, program string, c *Cluster, args ...string) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	output, err := os.CreateTemp(c.Dir, program+"-*.output")
	if err != nil {
		return nil, err
	}
	return &Server{Address: address, program: filepath.Join(bin, program), output: output.Name(),
		args: append([]string{"--storage_system=postgresql", "--quota_system=noop", "--postgresql_uri=" + c.URI, "--rpc_endpoint=" + address,
			"--http_endpoint=", "--logtostderr"}, args...)}, output.Close()
}

// Start starts the process, again after Kill, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	if err := s.launch(); err != nil {
		return err
	}
	conn, err := grpc.NewClient(s.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err = trillian.NewTrillianLogClient(conn).GetLatestSignedLogRoot(ctx, &trillian.GetLatestSignedLogRootRequest{LogId: 1}, grpc.WaitForReady(true))
	if code := status.Code(err); code == codes.DeadlineExceeded || code == codes.Unavailable {
		said, _ := os.ReadFile(s.output)
		return errors.Join(fmt.Errorf("%s did not start: %w\n%s", s.program, err, said), s.Kill())
	}
	return nil
}

func (s *Server) launch() error {
	output, err := os.OpenFile(s.output, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer output.Close()
	s.cmd = exec.Command(s.program, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = output, output
	return s.cmd.Start()
}

// Restart starts the process again after Kill, and does not wait for it.
func (s *Server) Restart() error { return s.launch() }

// Kill ends the process as kill -9 does, and waits until it is gone. It may be killed twice.
func (s *Server) Kill() error {
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return nil
	}
	err := s.cmd.Process.Kill()
	s.cmd.Wait() // its error says that it was killed
	return err
}

// Output is what the process has printed in all its lives.
func (s *Server) Output() string {
	said, _ := os.ReadFile(s.output)
	return string(said)
}
