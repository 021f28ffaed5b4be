//go:build !linux

package main

import (
	"context"
	"os/exec"
)

// An offline runs a program where it has no network. Its name is what a person would type.
type offline struct {
	name    string
	command func(ctx context.Context, program string, args ...string) *exec.Cmd
}

// offlines is empty: only Linux lets a program give up the network for a child.
func offlines() []offline { return nil }
