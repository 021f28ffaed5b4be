package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// An offline is a way to run a program where it reaches no network. Its name is what a person would type, or what it is.
type offline struct {
	name    string
	command func(ctx context.Context, program string, args ...string) *exec.Cmd
	run     func(start func() error) error // around whatever starts the command
}

func directly(start func() error) error { return start() }

// findOffline finds the first way that this machine permits.
func findOffline(ctx context.Context, program string) (*offline, error) {
	var tried []string
	for _, o := range offlines() {
		if err := o.run(o.command(ctx, program, "version").Run); err == nil {
			return &o, nil
		}
		tried = append(tried, o.name)
	}
	return nil, fmt.Errorf("this machine lets no process give up its network (tried: %s)", strings.Join(tried, ", "))
}

// output runs the program and returns what it printed.
func (o *offline) output(ctx context.Context, dir, program string, args ...string) (out []byte, err error) {
	command := o.command(ctx, program, args...)
	command.Dir = dir
	err = o.run(func() (err error) {
		out, err = command.Output()
		return err
	})
	return out, err
}
