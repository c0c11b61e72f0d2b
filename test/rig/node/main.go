// Command rig-node is a node of a test cluster: a container runtime (CRI) whose containers are plain processes in namespaces, with the real
// kubelet and the real kube-proxy as its children.
//
// In: one JSON file (Config). Out: pods that run. It must be started as root in the node's own network and mount namespaces.
// What always holds: when it ends, so does everything it started; nothing is written outside its state folder and the namespaces.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Config is what the rig's TypeScript writes.
type Config struct {
	// Socket is where the runtime listens for the kubelet.
	Socket string `json:"socket"`
	// State is a folder on a file system of its own (a tmpfs): containers' writable layers are made there.
	State string `json:"state"`
	// Images is the file with the table of images.
	Images string `json:"images"`
	// PodCIDRs is where pods' addresses come from, one for each family; the first address is the gateway.
	PodCIDRs []string `json:"podCIDRs"`
	// Sysctls are shown to the kubelet instead of the machine's, which it would change.
	Sysctls map[string]string `json:"sysctls"`
	// Children are run beside the runtime: the kubelet and kube-proxy.
	Children []ChildConfig `json:"children"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == initCommand {
		runInit()
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: rig-node CONFIG.json")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "rig-node: %v\n", err)
		os.Exit(1)
	}
}

func run(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config Config
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	if err := prepareMounts(config.State, config.Sysctls); err != nil {
		return err
	}
	network, err := newNetwork(config.PodCIDRs)
	if err != nil {
		return err
	}
	launch := startLauncher()
	runtime, err := newRuntime(config, network, launch)
	if err != nil {
		return err
	}
	failed := make(chan error, len(config.Children)+1)
	go func() { failed <- runtime.serve(config.Socket) }()
	for _, child := range config.Children {
		go func() { failed <- runChild(launch, child) }()
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	runtime.killAll()
	return err
}
