package main

import "testing"

func TestFindsImagesByRepository(t *testing.T) {
	table := &images{table: []Image{{Name: "busybox"}, {Name: "registry.k8s.io/gateway-api/echo-*"}, {Name: "localhost:5000/own"}}}
	found := map[string]string{
		"busybox":                                       "busybox",
		"busybox:1.36":                                  "busybox",
		"docker.io/library/busybox:latest":              "busybox",
		"docker.io/busybox@sha256:0123":                 "busybox",
		"registry.k8s.io/gateway-api/echo-basic:v1.5.1": "registry.k8s.io/gateway-api/echo-*",
		"localhost:5000/own":                            "localhost:5000/own",
		"localhost:5000/own:1":                          "localhost:5000/own",
		"busyboxes:1":                                   "",
		"registry.k8s.io/busybox":                       "",
	}
	for reference, want := range found {
		got := ""
		if image := table.find(reference); image != nil {
			got = image.Name
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", reference, got, want)
		}
	}
}
