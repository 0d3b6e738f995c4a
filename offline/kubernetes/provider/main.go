// Package main is Pulumi's Kubernetes provider, for machines that reach Go modules but not Pulumi's own downloads: the
// upstream provider itself. It leaves out what only `pulumi import` and converted programs ask for.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

func main() {
	provider.Serve("kubernetes", version.Version, []byte(`{"name": "kubernetes"}`), []byte("{}"))
}
