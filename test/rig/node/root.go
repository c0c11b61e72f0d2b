package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// makeRoot makes the container's file system and gives where it lies: the machine's root below a layer that takes all writes, with folders of
// its own where the machine keeps what is passing or is the kernel's, the image's files, and the pod's volumes.
func makeRoot(spec *initSpec) (string, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("/: %w", err)
	}
	root := filepath.Join(spec.Dir, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	if err := mountLayer("/", root, spec.Dir); err != nil {
		return "", err
	}
	if err := mountKernelFolders(root, spec.OnNode); err != nil {
		return "", err
	}
	etc := map[string]string{"resolv.conf": spec.Resolv, "hostname": spec.Hostname + "\n"}
	for name, text := range etc {
		file := filepath.Join(root, "etc", name)
		// It may be a link that leads out of the container's file system.
		_ = os.Remove(file)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	mounts := append([]bindMount{}, spec.Mounts...)
	for to, from := range spec.Files {
		mounts = append(mounts, bindMount{From: from, To: to, ReadOnly: true})
	}
	// What lies inside of another one comes after it.
	sort.SliceStable(mounts, func(a, b int) bool { return len(mounts[a].To) < len(mounts[b].To) })
	for _, mount := range mounts {
		if err := bind(root, mount); err != nil {
			return "", fmt.Errorf("%s at %s: %w", mount.From, mount.To, err)
		}
	}
	return root, nil
}

func mountKernelFolders(root string, onNode bool) error {
	mounts := []struct {
		to, kind, options string
		flags             uintptr
	}{
		{"proc", "proc", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{"tmp", "tmpfs", "mode=1777", 0},
		{"run", "tmpfs", "mode=755", 0},
	}
	for _, mount := range mounts {
		to := filepath.Join(root, mount.to)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount.kind, to, mount.kind, mount.flags, mount.options); err != nil {
			return fmt.Errorf("/%s: %w", mount.to, err)
		}
	}
	if err := unix.Mount("/dev", filepath.Join(root, "dev"), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("/dev: %w", err)
	}
	// /sys shows the network of whoever mounts it.
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY)
	if err := unix.Mount("sysfs", filepath.Join(root, "sys"), "sysfs", flags, ""); err != nil {
		return fmt.Errorf("/sys: %w", err)
	}
	return nil
}

// bind shows a file or folder of the node in the container.
func bind(root string, mount bindMount) error {
	info, err := os.Stat(mount.From)
	if err != nil {
		return err
	}
	// The container's own links are followed inside of it, as /var/run is one on Debian.
	to, err := securejoin.SecureJoin(root, mount.To)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		var file *os.File
		if file, err = os.OpenFile(to, os.O_CREATE, 0o644); err == nil {
			file.Close()
		}
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(mount.From, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if mount.ReadOnly {
		return unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	return nil
}

// enterRoot makes the container's file system the only one that there is.
func enterRoot(root string, readOnly bool) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("the machine's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if readOnly {
		return unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return nil
}
