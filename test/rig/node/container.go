package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A container is one process tree in namespaces of its own. Of its fields, those below `exited` change under the runtime's lock.
type container struct {
	id      string
	sandbox *sandbox
	config  *cri.ContainerConfig
	image   *Image
	dir     string
	created time.Time
	output  *output
	// exited is closed once the process has ended and its status is set.
	exited chan struct{}

	command  *exec.Cmd
	stdin    *os.File
	started  time.Time
	finished time.Time
	exitCode int32
	reason   string
	message  string
}

func (c *container) state() cri.ContainerState {
	switch {
	case !c.finished.IsZero():
		return cri.ContainerState_CONTAINER_EXITED
	case c.command != nil:
		return cri.ContainerState_CONTAINER_RUNNING
	}
	return cri.ContainerState_CONTAINER_CREATED
}

// signal reaches the first process; with it, by the kernel, SIGKILL reaches all others of its process namespace.
func (c *container) signal(signal os.Signal) {
	if c.command != nil && c.finished.IsZero() {
		_ = c.command.Process.Signal(signal)
	}
}

func (r *runtimeServer) CreateContainer(_ context.Context, request *cri.CreateContainerRequest) (*cri.CreateContainerResponse, error) {
	config := request.GetConfig()
	image := r.images.find(config.GetImage().GetImage())
	if image == nil {
		return nil, status.Errorf(codes.NotFound, "the rig has no image %q", config.GetImage().GetImage())
	}
	if config.Tty {
		return nil, status.Error(codes.Unimplemented, "the rig has no containers with a terminal (tty: true); exec into one has")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[request.PodSandboxId]
	if s == nil {
		return nil, notFound("sandbox", request.PodSandboxId)
	}
	id := newID()
	c := &container{
		id:      id,
		sandbox: s,
		config:  config,
		image:   image,
		dir:     filepath.Join(r.state, "containers", id),
		created: time.Now(),
		output:  newOutput(filepath.Join(s.config.GetLogDirectory(), config.GetLogPath())),
		exited:  make(chan struct{}),
	}
	r.containers[id] = c
	return &cri.CreateContainerResponse{ContainerId: id}, nil
}

func (r *runtimeServer) StartContainer(_ context.Context, request *cri.StartContainerRequest) (*cri.StartContainerResponse, error) {
	r.mu.Lock()
	c := r.containers[request.ContainerId]
	r.mu.Unlock()
	if c == nil {
		return nil, notFound("container", request.ContainerId)
	}
	process, err := startContainerProcess(r.launch, c)
	r.mu.Lock()
	if err != nil {
		defer r.mu.Unlock()
		c.started, c.finished = time.Now(), time.Now()
		c.exitCode, c.reason, c.message = 128, "StartError", err.Error()
		c.output.close()
		close(c.exited)
		return nil, status.Errorf(codes.Unknown, "%v", err)
	}
	c.command, c.stdin, c.started = process.command, process.stdin, time.Now()
	r.mu.Unlock()
	go r.await(c, process)
	return &cri.StartContainerResponse{}, nil
}

// await takes the process' end.
func (r *runtimeServer) await(c *container, process *containerProcess) {
	// Output first: what the process said last is in the log before its end is told.
	process.copied.Wait()
	err := c.command.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	c.finished = time.Now()
	c.exitCode, c.reason = 0, "Completed"
	if err != nil {
		c.reason = "Error"
		c.exitCode = 255
		if state, known := c.command.ProcessState.Sys().(syscall.WaitStatus); known {
			if state.Signaled() {
				c.exitCode = 128 + int32(state.Signal())
			} else {
				c.exitCode = int32(state.ExitStatus())
			}
		}
	}
	c.output.close()
	if c.stdin != nil {
		c.stdin.Close()
	}
	close(c.exited)
}

func (r *runtimeServer) StopContainer(_ context.Context, request *cri.StopContainerRequest) (*cri.StopContainerResponse, error) {
	r.mu.Lock()
	c := r.containers[request.ContainerId]
	r.mu.Unlock()
	if c != nil {
		r.stop(c, time.Duration(request.Timeout)*time.Second)
	}
	return &cri.StopContainerResponse{}, nil
}

// stop sends SIGTERM, and SIGKILL when the grace is over; it returns when the container has ended.
func (r *runtimeServer) stop(c *container, grace time.Duration) {
	r.mu.Lock()
	running := c.state() == cri.ContainerState_CONTAINER_RUNNING
	if running && grace > 0 {
		c.signal(syscall.SIGTERM)
	}
	r.mu.Unlock()
	if !running {
		return
	}
	select {
	case <-c.exited:
	case <-time.After(grace):
		r.mu.Lock()
		c.signal(syscall.SIGKILL)
		r.mu.Unlock()
		<-c.exited
	}
}

func (r *runtimeServer) RemoveContainer(_ context.Context, request *cri.RemoveContainerRequest) (*cri.RemoveContainerResponse, error) {
	r.mu.Lock()
	c := r.containers[request.ContainerId]
	r.mu.Unlock()
	if c == nil {
		return &cri.RemoveContainerResponse{}, nil
	}
	r.stop(c, 0)
	r.mu.Lock()
	delete(r.containers, c.id)
	r.mu.Unlock()
	return &cri.RemoveContainerResponse{}, os.RemoveAll(c.dir)
}

func (r *runtimeServer) ReopenContainerLog(_ context.Context, request *cri.ReopenContainerLogRequest) (*cri.ReopenContainerLogResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[request.ContainerId]
	if c == nil {
		return nil, notFound("container", request.ContainerId)
	}
	return &cri.ReopenContainerLogResponse{}, c.output.reopen()
}
