//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inOwnSession keeps what a terminal sends (Ctrl-C, hang-up) from a server that may outlive the demo.
func inOwnSession(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
