package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// An offline runs a program where it has no network. Its name is what a person would type.
type offline struct {
	name    string
	command func(ctx context.Context, program string, args ...string) *exec.Cmd
}

// offlines are the ways to take the network away, the plainest first: the last asks nothing but a kernel with user namespaces.
func offlines() []offline {
	return []offline{
		{"unshare -n", func(ctx context.Context, program string, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, "unshare", append([]string{"-n", program}, args...)...)
		}},
		{"unshare -r -n", func(ctx context.Context, program string, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, "unshare", append([]string{"-r", "-n", program}, args...)...)
		}},
		{"an empty network namespace", func(ctx context.Context, program string, args ...string) *exec.Cmd {
			c := exec.CommandContext(ctx, program, args...)
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}}
			return c
		}},
	}
}
