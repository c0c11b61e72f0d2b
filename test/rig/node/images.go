package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Image says what a container of an image is here: the machine's root file system, seen through a layer of its own, with some files more.
type Image struct {
	// Name is a repository without tag or digest; a `*` at its end stands for any rest.
	Name       string            `json:"name"`
	Entrypoint []string          `json:"entrypoint"`
	Cmd        []string          `json:"cmd"`
	Env        map[string]string `json:"env"`
	Workdir    string            `json:"workdir"`
	// User and Group are ids; 0 is root.
	User  int64 `json:"user"`
	Group int64 `json:"group"`
	// Files by their path in the container: a file or a folder of the machine, read-only there.
	Files map[string]string `json:"files"`
}

// images is the image service. What always holds: an image that is not in the table is never there, and the error says where to add it.
type images struct {
	cri.UnimplementedImageServiceServer
	// state is where containers' layers lie.
	state string
	table []Image
}

func readImages(file, state string) (*images, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var table []Image
	if err := json.Unmarshal(text, &table); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &images{state: state, table: table}, nil
}

// find gives the first image of the table that a reference names, or nil.
func (s *images) find(reference string) *Image {
	name := repository(reference)
	for i, image := range s.table {
		prefix, open := strings.CutSuffix(image.Name, "*")
		if name == image.Name || open && strings.HasPrefix(name, prefix) {
			return &s.table[i]
		}
	}
	return nil
}

// repository drops the digest, the tag and Docker's default host.
func repository(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if slash, colon := strings.LastIndex(name, "/"), strings.LastIndex(name, ":"); colon > slash {
		name = name[:colon]
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")
}

func (s *images) ListImages(context.Context, *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	answer := &cri.ListImagesResponse{}
	for _, image := range s.table {
		answer.Images = append(answer.Images, criImage(image.Name))
	}
	return answer, nil
}

func (s *images) ImageStatus(_ context.Context, request *cri.ImageStatusRequest) (*cri.ImageStatusResponse, error) {
	if s.find(request.Image.GetImage()) == nil {
		return &cri.ImageStatusResponse{}, nil
	}
	return &cri.ImageStatusResponse{Image: criImage(request.Image.GetImage())}, nil
}

func (s *images) PullImage(_ context.Context, request *cri.PullImageRequest) (*cri.PullImageResponse, error) {
	reference := request.Image.GetImage()
	if s.find(reference) == nil {
		return nil, status.Errorf(codes.NotFound,
			"the rig has no image %q: nothing is pulled here, add it to the table in test/rig/images.ts (docs/rig.md says how)", repository(reference))
	}
	return &cri.PullImageResponse{ImageRef: reference}, nil
}

func (s *images) RemoveImage(context.Context, *cri.RemoveImageRequest) (*cri.RemoveImageResponse, error) {
	return &cri.RemoveImageResponse{}, nil
}

func (s *images) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	usage := []*cri.FilesystemUsage{{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &cri.FilesystemIdentifier{Mountpoint: s.state},
		UsedBytes:  &cri.UInt64Value{Value: 1},
		InodesUsed: &cri.UInt64Value{Value: 1},
	}}
	return &cri.ImageFsInfoResponse{ImageFilesystems: usage, ContainerFilesystems: usage}, nil
}

func criImage(reference string) *cri.Image {
	return &cri.Image{Id: reference, RepoTags: []string{reference}, Size: 1, Uid: &cri.Int64Value{Value: 0}, Spec: &cri.ImageSpec{Image: reference}}
}
