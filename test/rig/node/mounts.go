package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Where the kubelet writes whatever its settings say. What is there already stays to be seen.
var kubeletFolders = []string{"/var/lib", "/var/log"}

const kubeletRoot = "/var/lib/kubelet"

// prepareMounts gives the node its own view of the machine: what the kubelet would write into the machine's folders and kernel settings
// goes into tmpfs instead. The mount namespace must be the node's own.
func prepareMounts(state string, sysctls map[string]string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("/: %w", err)
	}
	// The views are not in the state's own: the kubelet looks file systems up by their device, and would find these.
	views := state + ".views"
	for _, folder := range []string{state, views} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("a tmpfs at %s: %w", folder, err)
		}
	}
	for _, folder := range kubeletFolders {
		if err := mountLayer(folder, folder, filepath.Join(views, folder)); err != nil {
			return err
		}
	}
	// Of a machine that is a node itself, nothing is seen.
	if err := os.MkdirAll(kubeletRoot, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", kubeletRoot, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("a tmpfs at %s: %w", kubeletRoot, err)
	}
	// The kubelet wants one hierarchy; the controllers may be taken by another one, since nothing is limited here.
	if err := unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("/sys/fs/cgroup: %w", err)
	}
	for name, value := range sysctls {
		shown := filepath.Join(views, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(shown, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(shown, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("sysctl %s: %w", name, err)
		}
	}
	return nil
}

// mountLayer mounts what is in `lower` at `at`, below a layer that takes all writes; the layer's own folders are made in `dir`.
func mountLayer(lower, at, dir string) error {
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, folder := range []string{upper, work} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	if err := unix.Mount("overlay", at, "overlay", 0, options); err != nil {
		return fmt.Errorf("a layer over %s at %s: %w", lower, at, err)
	}
	return nil
}
