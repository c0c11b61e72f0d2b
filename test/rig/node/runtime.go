package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
)

// runtimeServer is the container runtime. `mu` guards the maps and every field of sandboxes and containers that is not set at their making.
type runtimeServer struct {
	cri.UnimplementedRuntimeServiceServer
	state     string
	images    *images
	network   *network
	launch    *launcher
	streaming streaming.Server

	mu         sync.Mutex
	sandboxes  map[string]*sandbox
	containers map[string]*container
}

func newRuntime(config Config, network *network, launch *launcher) (*runtimeServer, error) {
	table, err := readImages(config.Images, config.State)
	if err != nil {
		return nil, err
	}
	r := &runtimeServer{
		state:      config.State,
		images:     table,
		network:    network,
		launch:     launch,
		sandboxes:  map[string]*sandbox{},
		containers: map[string]*container{},
	}
	// Exec, attach and port-forward come over HTTP from the kubelet, which is in the same network.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	streams := streaming.DefaultConfig
	streams.Addr = listener.Addr().String()
	if r.streaming, err = streaming.NewServer(streams, streamRuntime{r}); err != nil {
		return nil, err
	}
	go func() { _ = http.Serve(listener, r.streaming) }()
	return r, nil
}

// serve answers the kubelet until it fails.
func (r *runtimeServer) serve(socket string) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(16 << 20))
	cri.RegisterRuntimeServiceServer(server, r)
	cri.RegisterImageServiceServer(server, r.images)
	return server.Serve(listener)
}

// killAll ends every container at once.
func (r *runtimeServer) killAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		c.signal(os.Kill)
	}
}

func (r *runtimeServer) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{Version: "0.1.0", RuntimeName: "rig-node", RuntimeVersion: "0.1.0", RuntimeApiVersion: "v1"}, nil
}

func (r *runtimeServer) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	conditions := []*cri.RuntimeCondition{{Type: cri.RuntimeReady, Status: true}, {Type: cri.NetworkReady, Status: true}}
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{Conditions: conditions}, Features: &cri.RuntimeFeatures{}}, nil
}

func (r *runtimeServer) UpdateRuntimeConfig(context.Context, *cri.UpdateRuntimeConfigRequest) (*cri.UpdateRuntimeConfigResponse, error) {
	return &cri.UpdateRuntimeConfigResponse{}, nil
}

func newID() string {
	random := make([]byte, 16)
	// Never fails, by its contract.
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

func notFound(kind, id string) error {
	return status.Errorf(codes.NotFound, "there is no %s %q", kind, id)
}
