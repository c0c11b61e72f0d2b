package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const initCommand = "container-init"

// Numbers of the pipes that the first process is started with.
const (
	specPipe    = 3
	problemPipe = 4
)

// initSpec is what the container's first process has to make and to become.
type initSpec struct {
	Dir      string
	Argv     []string
	Env      []string
	Workdir  string
	Hostname string
	Resolv   string
	User     int64
	Group    int64
	Groups   []int64
	Files    map[string]string
	Mounts   []bindMount
	ReadOnly bool
	// OnNode is a container on the node's own network.
	OnNode bool
}

type bindMount struct {
	From, To string
	ReadOnly bool
}

// runInit is the container's first process, until it becomes the image's program. It never returns.
func runInit() {
	runtime.LockOSThread()
	problem := os.NewFile(problemPipe, "problem")
	unix.CloseOnExec(problemPipe)
	err := becomeContainer(os.NewFile(specPipe, "spec"))
	fmt.Fprint(problem, err)
	os.Exit(127)
}

func becomeContainer(from *os.File) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	from.Close()
	var spec initSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	root, err := makeRoot(&spec)
	if err != nil {
		return err
	}
	if err := enterRoot(root, spec.ReadOnly); err != nil {
		return err
	}
	if spec.Hostname != "" {
		if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
			return fmt.Errorf("hostname %s: %w", spec.Hostname, err)
		}
	}
	workdir := spec.Workdir
	if workdir == "" {
		workdir = "/"
	}
	if err := os.MkdirAll(workdir, 0o755); err != nil {
		return err
	}
	if err := os.Chdir(workdir); err != nil {
		return err
	}
	program, err := findProgram(spec.Argv[0], spec.Env)
	if err != nil {
		return err
	}
	if err := becomeUser(&spec); err != nil {
		return err
	}
	// The signal on the parent's death is lost with a change of user, and is asked for again.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", program, syscall.Exec(program, spec.Argv, spec.Env))
}

func becomeUser(spec *initSpec) error {
	groups := make([]int, 0, len(spec.Groups))
	for _, group := range spec.Groups {
		groups = append(groups, int(group))
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("groups %v: %w", groups, err)
	}
	if err := syscall.Setgid(int(spec.Group)); err != nil {
		return fmt.Errorf("group %d: %w", spec.Group, err)
	}
	if err := syscall.Setuid(int(spec.User)); err != nil {
		return fmt.Errorf("user %d: %w", spec.User, err)
	}
	return nil
}

// findProgram looks in the container's PATH, not in the node's.
func findProgram(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, one := range env {
		folders, isPath := strings.CutPrefix(one, "PATH=")
		if !isPath {
			continue
		}
		for _, folder := range filepath.SplitList(folders) {
			file := filepath.Join(folder, name)
			if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("%q: %w in the container", name, exec.ErrNotFound)
}
