package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// cores are those that the load and the server share.
var cores = runtime.GOMAXPROCS(0)

// service is what a child process serves.
type service struct {
	server *http.Server
	stop   func() error
}

// children are the servers that this program is when it is started with their name.
var children = map[string]func(m machine, args []string) (service, error){
	"ledger": ledgerChild,
	"echo":   echoChild,
}

// profileVariable of the environment is where a child writes a CPU profile of its whole life, its name and process id behind the path.
const profileVariable = "WRIT_BENCH_PROFILE"

// serveChild prints the address once it answers, and ends when its standard input does: so no server outlives the benchmark.
func serveChild(m machine, args []string) (err error) {
	if path := os.Getenv(profileVariable); path != "" {
		stop, failed := profile(fmt.Sprintf("%s-%s-%d", path, args[0], os.Getpid()))
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	s, err := children[args[0]](m, args[1:])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		s.server.Close()
	}()
	fmt.Fprintln(m.out, listener.Addr())
	if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return s.stop()
}

func profile(path string) (stop func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}

// echoChild answers every request with so many bytes, once it has read it: net/http and nothing else.
func echoChild(_ machine, args []string) (service, error) {
	size, err := strconv.Atoi(args[0])
	if err != nil {
		return service{}, err
	}
	body := make([]byte, size)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(size))
		w.Write(body)
	})
	return service{&http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}, func() error { return nil }}, nil
}

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	in      io.Closer
	address string
}

// spawn starts this program as one of its children.
func (r *run) spawn(env []string, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return r.start(program, env, args...)
}

// start runs a program that prints its address on the first line and ends with its standard input.
func (r *run) start(program string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s did not start: %w", program, strings.Join(args, " "), err), p.end())
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// end lets the server finish and waits for it.
func (p *process) end() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// resident is the memory of the process, in bytes, 0 where the machine does not tell.
func (p *process) resident() int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
