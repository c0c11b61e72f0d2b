package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A launcher starts every process of the node from one thread that lives as long as the node: the kernel's signal on the parent's death
// is bound to the thread, and so is the network namespace that a process is started in.
type launcher struct {
	requests chan launchRequest
}

type launchRequest struct {
	command *exec.Cmd
	netns   string
	done    chan error
}

func startLauncher() *launcher {
	l := &launcher{requests: make(chan launchRequest)}
	go l.loop()
	return l
}

// start starts a command in the network namespace of that path, or in the node's own for "".
func (l *launcher) start(command *exec.Cmd, netns string) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	request := launchRequest{command: command, netns: netns, done: make(chan error, 1)}
	l.requests <- request
	return <-request.done
}

func (l *launcher) loop() {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		panic(fmt.Sprintf("the node's own network namespace: %v", err))
	}
	for request := range l.requests {
		request.done <- startIn(own, request)
	}
}

func startIn(own *os.File, request launchRequest) error {
	if request.netns != "" {
		namespace, err := os.Open(request.netns)
		if err != nil {
			return err
		}
		defer namespace.Close()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("%s: %w", request.netns, err)
		}
		defer func() {
			// A thread that is left in a pod's network would start everything that follows there.
			if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
				panic(fmt.Sprintf("cannot return to the node's own network: %v", err))
			}
		}()
	}
	return request.command.Start()
}
