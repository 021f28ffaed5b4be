package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// offlines are the ways to take the network away from a child, the plainest first. Containers often permit only the last one, which
// needs no privilege at all.
func offlines() []offline {
	return []offline{
		{name: "unshare -n", command: unshare("-n"), run: directly},
		{name: "unshare -r -n", command: unshare("-r", "-n"), run: directly},
		{name: "an empty network namespace", command: inNamespace, run: directly},
		{name: "a system call filter without socket(2)", command: exec.CommandContext, run: withoutSockets},
	}
}

func unshare(flags ...string) func(context.Context, string, ...string) *exec.Cmd {
	return func(ctx context.Context, program string, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "unshare", append(append(flags[:len(flags):len(flags)], program), args...)...)
	}
}

func inNamespace(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}}
	return c
}

// withoutSockets runs what starts a process on a thread that may not call socket(2), which the process inherits (seccomp(2)). The
// thread ends with the goroutine, since it is never unlocked.
func withoutSockets(start func() error) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := refuseSockets(); err != nil {
			ended <- err
			return
		}
		ended <- start()
	}()
	return <-ended
}

func refuseSockets() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SOCKET, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
