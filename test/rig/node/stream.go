package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

const connectMax = 5 * time.Second

// streamRuntime is what the streaming library calls for exec, attach and port-forward.
type streamRuntime struct{ r *runtimeServer }

func (s streamRuntime) Exec(ctx context.Context, containerID string, argv []string, in io.Reader, out, problems io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	command, netns, err := s.r.commandIn(containerID, argv)
	if err != nil {
		return err
	}
	if tty {
		return s.r.execTTY(ctx, command, netns, in, out, resize)
	}
	// Interfaces that hold a nil are no writers.
	if out != nil {
		command.Stdout = out
	}
	if problems != nil {
		command.Stderr = problems
	}
	if in != nil {
		// Not command.Stdin: its end would be waited for, and the caller may never end it.
		stdin, err := command.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(stdin, in)
			stdin.Close()
		}()
	}
	return s.r.runCommand(ctx, command, netns)
}

func (s streamRuntime) Attach(ctx context.Context, containerID string, in io.Reader, out, problems io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	s.r.mu.Lock()
	c := s.r.containers[containerID]
	s.r.mu.Unlock()
	if c == nil {
		return notFound("container", containerID)
	}
	a := &attachment{}
	if out != nil {
		a.out = out
	}
	if problems != nil {
		a.err = problems
	}
	c.output.attach(a)
	defer c.output.detach(a)
	if in != nil && c.stdin != nil {
		go func() {
			_, _ = io.Copy(c.stdin, in)
			if c.config.StdinOnce {
				c.stdin.Close()
			}
		}()
	}
	select {
	case <-c.exited:
	case <-ctx.Done():
	}
	return nil
}

func (s streamRuntime) PortForward(ctx context.Context, sandboxID string, port int32, stream io.ReadWriteCloser) error {
	s.r.mu.Lock()
	sandbox := s.r.sandboxes[sandboxID]
	s.r.mu.Unlock()
	if sandbox == nil {
		return notFound("sandbox", sandboxID)
	}
	connection, err := dialIn(ctx, sandbox.netns(), fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer connection.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

// dialIn connects inside a pod's network. The thread that went there is not used again.
func dialIn(ctx context.Context, netns, address string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	done := make(chan result, 1)
	go func() {
		// Never unlocked: the thread ends with this goroutine.
		runtime.LockOSThread()
		if netns != "" {
			namespace, err := os.Open(netns)
			if err != nil {
				done <- result{err: err}
				return
			}
			defer namespace.Close()
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				done <- result{err: err}
				return
			}
		}
		ctx, cancel := context.WithTimeout(ctx, connectMax)
		defer cancel()
		// By number: a name would be looked up on another thread.
		connection, err := (&net.Dialer{FallbackDelay: -1}).DialContext(ctx, "tcp4", address)
		done <- result{connection, err}
	}()
	r := <-done
	return r.connection, r.err
}
