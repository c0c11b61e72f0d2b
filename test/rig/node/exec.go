package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/creack/pty"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// Longer output of a probe is cut.
const execOutputMax = 1 << 20

func (r *runtimeServer) ExecSync(ctx context.Context, request *cri.ExecSyncRequest) (*cri.ExecSyncResponse, error) {
	if request.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(request.Timeout)*time.Second)
		defer cancel()
		ctx = limited
	}
	command, netns, err := r.commandIn(request.ContainerId, request.Cmd)
	if err != nil {
		return nil, err
	}
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &limited{&out}, &limited{&problems}
	err = r.runCommand(ctx, command, netns)
	var exit utilexec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, status.Errorf(codes.DeadlineExceeded, "%v: not done after %d s", request.Cmd, request.Timeout)
	case errors.As(err, &exit):
		return &cri.ExecSyncResponse{Stdout: out.Bytes(), Stderr: problems.Bytes(), ExitCode: int32(exit.ExitStatus())}, nil
	case err != nil:
		return nil, err
	}
	return &cri.ExecSyncResponse{Stdout: out.Bytes(), Stderr: problems.Bytes()}, nil
}

// commandIn prepares a command in a running container: in all of its namespaces, with its environment and as its user.
func (r *runtimeServer) commandIn(containerID string, argv []string) (*exec.Cmd, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[containerID]
	if c == nil {
		return nil, "", notFound("container", containerID)
	}
	if c.state() != cri.ContainerState_CONTAINER_RUNNING {
		return nil, "", status.Errorf(codes.FailedPrecondition, "container %s does not run", c.config.GetMetadata().GetName())
	}
	spec, err := initSpecOf(c)
	if err != nil {
		return nil, "", err
	}
	workdir := spec.Workdir
	if workdir == "" {
		workdir = "/"
	}
	args := []string{"--target", strconv.Itoa(c.command.Process.Pid), "--mount", "--pid", "--uts", "--ipc", "--root", "--wdns=" + workdir}
	if spec.User != 0 || spec.Group != 0 {
		args = append(args, fmt.Sprintf("--setgid=%d", spec.Group), fmt.Sprintf("--setuid=%d", spec.User))
	}
	program, err := exec.LookPath("nsenter")
	if err != nil {
		return nil, "", err
	}
	command := exec.Command(program, append(append(args, "--"), argv...)...)
	command.Env = spec.Env
	return command, c.sandbox.netns(), nil
}

// runCommand runs it to its end, or ends it with the context. A non-zero exit code is a utilexec.ExitError.
func (r *runtimeServer) runCommand(ctx context.Context, command *exec.Cmd, netns string) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	// A process that it left behind may keep its output open.
	command.WaitDelay = 2 * time.Second
	if err := r.launch.start(command, netns); err != nil {
		return err
	}
	return waitCommand(ctx, command)
}

func waitCommand(ctx context.Context, command *exec.Cmd) error {
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-ctx.Done():
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		case <-done:
		}
	}()
	err := command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if state, known := exit.Sys().(syscall.WaitStatus); known && state.Signaled() {
			code = 128 + int(state.Signal())
		}
		return utilexec.CodeExitError{Err: err, Code: code}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

func (r *runtimeServer) Exec(_ context.Context, request *cri.ExecRequest) (*cri.ExecResponse, error) {
	return r.streaming.GetExec(request)
}

func (r *runtimeServer) Attach(_ context.Context, request *cri.AttachRequest) (*cri.AttachResponse, error) {
	return r.streaming.GetAttach(request)
}

func (r *runtimeServer) PortForward(_ context.Context, request *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	return r.streaming.GetPortForward(request)
}

// execTTY gives the command a terminal.
func (r *runtimeServer) execTTY(ctx context.Context, command *exec.Cmd, netns string, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	terminal, other, err := pty.Open()
	if err != nil {
		return err
	}
	defer terminal.Close()
	command.Stdin, command.Stdout, command.Stderr = other, other, other
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = r.launch.start(command, netns)
	other.Close()
	if err != nil {
		return err
	}
	go func() {
		for size := range resize {
			_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() { _, _ = io.Copy(terminal, in) }()
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(out, terminal)
	}()
	err = waitCommand(ctx, command)
	<-copied
	return err
}

// limited drops what is too much.
type limited struct{ to *bytes.Buffer }

func (l *limited) Write(text []byte) (int, error) {
	if room := execOutputMax - l.to.Len(); room > 0 {
		l.to.Write(text[:min(room, len(text))])
	}
	return len(text), nil
}
