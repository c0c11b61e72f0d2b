package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A sandbox is a pod's network namespace and what its containers share.
type sandbox struct {
	id      string
	config  *cri.PodSandboxConfig
	created time.Time
	// pod is nil for a pod on the node's own network.
	pod     *podNetwork
	stopped bool
}

func (s *sandbox) state() cri.PodSandboxState {
	if s.stopped {
		return cri.PodSandboxState_SANDBOX_NOTREADY
	}
	return cri.PodSandboxState_SANDBOX_READY
}

func (s *sandbox) netns() string {
	if s.pod == nil {
		return ""
	}
	return s.pod.path
}

func (r *runtimeServer) RunPodSandbox(_ context.Context, request *cri.RunPodSandboxRequest) (*cri.RunPodSandboxResponse, error) {
	config := request.GetConfig()
	s := &sandbox{id: newID(), config: config, created: time.Now()}
	onNode := config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() == cri.NamespaceMode_NODE
	for _, port := range config.GetPortMappings() {
		if port.HostPort != 0 && !onNode {
			return nil, status.Errorf(codes.Unimplemented, "the rig has no hostPort (%d): use a Service, or hostNetwork", port.HostPort)
		}
	}
	if folder := config.GetLogDirectory(); folder != "" {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	if !onNode {
		pod, err := r.network.add(s.id)
		if err != nil {
			return nil, err
		}
		s.pod = pod
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sandboxes[s.id] = s
	return &cri.RunPodSandboxResponse{PodSandboxId: s.id}, nil
}

func (r *runtimeServer) StopPodSandbox(_ context.Context, request *cri.StopPodSandboxRequest) (*cri.StopPodSandboxResponse, error) {
	r.mu.Lock()
	s := r.sandboxes[request.PodSandboxId]
	if s == nil || s.stopped {
		r.mu.Unlock()
		return &cri.StopPodSandboxResponse{}, nil
	}
	s.stopped = true
	var running []*container
	for _, c := range r.containers {
		if c.sandbox == s {
			running = append(running, c)
		}
	}
	r.mu.Unlock()
	for _, c := range running {
		r.stop(c, 0)
	}
	if s.pod != nil {
		r.network.remove(s.pod)
	}
	return &cri.StopPodSandboxResponse{}, nil
}

func (r *runtimeServer) RemovePodSandbox(ctx context.Context, request *cri.RemovePodSandboxRequest) (*cri.RemovePodSandboxResponse, error) {
	if _, err := r.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: request.PodSandboxId}); err != nil {
		return nil, err
	}
	r.mu.Lock()
	var left []string
	for _, c := range r.containers {
		if c.sandbox.id == request.PodSandboxId {
			left = append(left, c.id)
		}
	}
	delete(r.sandboxes, request.PodSandboxId)
	r.mu.Unlock()
	for _, id := range left {
		if _, err := r.RemoveContainer(ctx, &cri.RemoveContainerRequest{ContainerId: id}); err != nil {
			return nil, err
		}
	}
	return &cri.RemovePodSandboxResponse{}, os.RemoveAll(filepath.Join(r.state, "sandboxes", request.PodSandboxId))
}

func (r *runtimeServer) PodSandboxStatus(_ context.Context, request *cri.PodSandboxStatusRequest) (*cri.PodSandboxStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[request.PodSandboxId]
	if s == nil {
		return nil, notFound("sandbox", request.PodSandboxId)
	}
	network := &cri.PodSandboxNetworkStatus{}
	if s.pod != nil {
		network.Ip = s.pod.addresses[0].String()
		for _, address := range s.pod.addresses[1:] {
			network.AdditionalIps = append(network.AdditionalIps, &cri.PodIP{Ip: address.String()})
		}
	}
	return &cri.PodSandboxStatusResponse{Status: &cri.PodSandboxStatus{
		Id:          s.id,
		Metadata:    s.config.Metadata,
		State:       s.state(),
		CreatedAt:   s.created.UnixNano(),
		Network:     network,
		Linux:       &cri.LinuxPodSandboxStatus{Namespaces: &cri.Namespace{Options: s.config.GetLinux().GetSecurityContext().GetNamespaceOptions()}},
		Labels:      s.config.Labels,
		Annotations: s.config.Annotations,
	}}, nil
}

func (r *runtimeServer) ListPodSandbox(_ context.Context, request *cri.ListPodSandboxRequest) (*cri.ListPodSandboxResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	filter := request.GetFilter()
	answer := &cri.ListPodSandboxResponse{}
	for _, s := range r.sandboxes {
		if filter.GetId() != "" && filter.GetId() != s.id || filter.GetState() != nil && filter.GetState().State != s.state() {
			continue
		}
		if !hasLabels(s.config.Labels, filter.GetLabelSelector()) {
			continue
		}
		answer.Items = append(answer.Items, &cri.PodSandbox{
			Id:          s.id,
			Metadata:    s.config.Metadata,
			State:       s.state(),
			CreatedAt:   s.created.UnixNano(),
			Labels:      s.config.Labels,
			Annotations: s.config.Annotations,
		})
	}
	return answer, nil
}

func hasLabels(labels, wanted map[string]string) bool {
	for name, value := range wanted {
		if labels[name] != value {
			return false
		}
	}
	return true
}
