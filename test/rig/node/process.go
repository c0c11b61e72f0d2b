package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// containerProcess is a container's first process, running.
type containerProcess struct {
	command *exec.Cmd
	// stdin is nil for a container that has none.
	stdin *os.File
	// copied ends with the container's output.
	copied *sync.WaitGroup
}

// startContainerProcess starts this program again as the container's first process, which makes its file system and then becomes the
// image's program. It returns once that has happened, or why it could not.
func startContainerProcess(launch *launcher, c *container) (*containerProcess, error) {
	spec, err := initSpecOf(c)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	if err := c.output.reopen(); err != nil {
		return nil, err
	}
	var pipes pipes
	defer pipes.closeAll()
	specRead, specWrite := pipes.make()
	problemRead, problemWrite := pipes.make()
	outRead, outWrite := pipes.make()
	errRead, errWrite := pipes.make()
	if pipes.err != nil {
		return nil, pipes.err
	}
	command := exec.Command("/proc/self/exe", initCommand)
	command.ExtraFiles = []*os.File{specRead, problemWrite}
	command.Stdout, command.Stderr = outWrite, errWrite
	command.Env = []string{}
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	process := &containerProcess{command: command, copied: &sync.WaitGroup{}}
	if c.config.Stdin {
		stdinRead, stdinWrite := pipes.make()
		if pipes.err != nil {
			return nil, pipes.err
		}
		command.Stdin, process.stdin = stdinRead, pipes.keep(stdinWrite)
	}
	if err := launch.start(command, c.sandbox.netns()); err != nil {
		return nil, err
	}
	pipes.keep(outRead)
	pipes.keep(errRead)
	for stream, from := range map[string]*os.File{"stdout": outRead, "stderr": errRead} {
		process.copied.Go(func() {
			defer from.Close()
			c.output.copy(from, stream)
		})
	}
	problemWrite.Close()
	_, err = specWrite.Write(text)
	specWrite.Close()
	// The pipe closes by itself when the image's program takes over.
	problem, readError := io.ReadAll(problemRead)
	if len(problem) > 0 {
		err = errors.New(string(problem))
	} else if err == nil {
		err = readError
	}
	if err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return nil, err
	}
	return process, nil
}

// initSpecOf says what the container's first process has to do.
func initSpecOf(c *container) (*initSpec, error) {
	config, image := c.config, c.image
	argv := append(append([]string{}, image.Entrypoint...), image.Cmd...)
	switch {
	case len(config.Command) > 0:
		argv = append(append([]string{}, config.Command...), config.Args...)
	case len(config.Args) > 0:
		argv = append(append([]string{}, image.Entrypoint...), config.Args...)
	}
	if len(argv) == 0 {
		return nil, fmt.Errorf("image %s has no program of its own and the container names no command", image.Name)
	}
	workdir := config.WorkingDir
	if workdir == "" {
		workdir = image.Workdir
	}
	security := config.GetLinux().GetSecurityContext()
	spec := &initSpec{
		Dir:      c.dir,
		Argv:     argv,
		Env:      containerEnv(c),
		Workdir:  workdir,
		Hostname: c.sandbox.config.GetHostname(),
		Resolv:   resolvConf(c.sandbox.config.GetDnsConfig()),
		User:     image.User,
		Group:    image.Group,
		Files:    image.Files,
		ReadOnly: security.GetReadonlyRootfs(),
		Groups:   security.GetSupplementalGroups(),
		OnNode:   c.sandbox.pod == nil,
	}
	if security.GetRunAsUser() != nil {
		spec.User = security.GetRunAsUser().Value
	}
	if security.GetRunAsGroup() != nil {
		spec.Group = security.GetRunAsGroup().Value
	}
	if name := security.GetRunAsUsername(); name != "" {
		return nil, fmt.Errorf("the rig runs containers by user number, not as %q", name)
	}
	for _, mount := range config.Mounts {
		spec.Mounts = append(spec.Mounts, bindMount{From: mount.HostPath, To: mount.ContainerPath, ReadOnly: mount.Readonly})
	}
	return spec, nil
}

func containerEnv(c *container) []string {
	values := map[string]string{"PATH": defaultPath, "HOME": "/root", "HOSTNAME": c.sandbox.config.GetHostname()}
	maps.Copy(values, c.image.Env)
	for _, one := range c.config.Envs {
		values[one.Key] = one.Value
	}
	env := make([]string, 0, len(values))
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env
}

func resolvConf(dns *cri.DNSConfig) string {
	var text strings.Builder
	for _, server := range dns.GetServers() {
		fmt.Fprintf(&text, "nameserver %s\n", server)
	}
	if searches := dns.GetSearches(); len(searches) > 0 {
		fmt.Fprintf(&text, "search %s\n", strings.Join(searches, " "))
	}
	if options := dns.GetOptions(); len(options) > 0 {
		fmt.Fprintf(&text, "options %s\n", strings.Join(options, " "))
	}
	return text.String()
}

// pipes are closed together, but for those that are kept.
type pipes struct {
	open map[*os.File]bool
	err  error
}

func (p *pipes) make() (read, write *os.File) {
	read, write, err := os.Pipe()
	if err != nil {
		p.err = errors.Join(p.err, err)
		return nil, nil
	}
	if p.open == nil {
		p.open = map[*os.File]bool{}
	}
	p.open[read], p.open[write] = true, true
	return read, write
}

func (p *pipes) keep(file *os.File) *os.File {
	delete(p.open, file)
	return file
}

func (p *pipes) closeAll() {
	for file := range p.open {
		file.Close()
	}
}
