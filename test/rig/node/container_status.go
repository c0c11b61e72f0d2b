package main

import (
	"context"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func (r *runtimeServer) ListContainers(_ context.Context, request *cri.ListContainersRequest) (*cri.ListContainersResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	filter := request.GetFilter()
	answer := &cri.ListContainersResponse{}
	for _, c := range r.containers {
		if filter.GetId() != "" && filter.GetId() != c.id || filter.GetPodSandboxId() != "" && filter.GetPodSandboxId() != c.sandbox.id {
			continue
		}
		if filter.GetState() != nil && filter.GetState().State != c.state() || !hasLabels(c.config.Labels, filter.GetLabelSelector()) {
			continue
		}
		answer.Containers = append(answer.Containers, &cri.Container{
			Id:           c.id,
			PodSandboxId: c.sandbox.id,
			Metadata:     c.config.Metadata,
			Image:        c.config.Image,
			ImageRef:     c.config.GetImage().GetImage(),
			ImageId:      c.config.GetImage().GetImage(),
			State:        c.state(),
			CreatedAt:    c.created.UnixNano(),
			Labels:       c.config.Labels,
			Annotations:  c.config.Annotations,
		})
	}
	return answer, nil
}

func (r *runtimeServer) ContainerStatus(_ context.Context, request *cri.ContainerStatusRequest) (*cri.ContainerStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[request.ContainerId]
	if c == nil {
		return nil, notFound("container", request.ContainerId)
	}
	return &cri.ContainerStatusResponse{Status: &cri.ContainerStatus{
		Id:          c.id,
		Metadata:    c.config.Metadata,
		State:       c.state(),
		CreatedAt:   c.created.UnixNano(),
		StartedAt:   nanoseconds(c.started),
		FinishedAt:  nanoseconds(c.finished),
		ExitCode:    c.exitCode,
		Image:       c.config.Image,
		ImageRef:    c.config.GetImage().GetImage(),
		ImageId:     c.config.GetImage().GetImage(),
		Reason:      c.reason,
		Message:     c.message,
		Labels:      c.config.Labels,
		Annotations: c.config.Annotations,
		Mounts:      c.config.Mounts,
		LogPath:     c.output.file,
		StopSignal:  cri.Signal_SIGTERM,
	}}, nil
}

func nanoseconds(when time.Time) int64 {
	if when.IsZero() {
		return 0
	}
	return when.UnixNano()
}

// Nothing is measured and nothing is limited: the kubelet is told so by empty answers.

func (r *runtimeServer) UpdateContainerResources(context.Context, *cri.UpdateContainerResourcesRequest) (*cri.UpdateContainerResourcesResponse, error) {
	return &cri.UpdateContainerResourcesResponse{}, nil
}

func (r *runtimeServer) ListContainerStats(context.Context, *cri.ListContainerStatsRequest) (*cri.ListContainerStatsResponse, error) {
	return &cri.ListContainerStatsResponse{}, nil
}

func (r *runtimeServer) ListPodSandboxStats(context.Context, *cri.ListPodSandboxStatsRequest) (*cri.ListPodSandboxStatsResponse, error) {
	return &cri.ListPodSandboxStatsResponse{}, nil
}
