// Package v2 registers a resource of any kind, for the provider's own components of manifests.
package v2

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RegisterResource registers a resource by the kind that a manifest names.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, properties pulumi.Input,
	options ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	if !strings.Contains(apiVersion, "/") {
		apiVersion = "core/" + apiVersion
	}
	var made pulumi.CustomResourceState
	err := ctx.RegisterResource("kubernetes:"+apiVersion+":"+kind, name, properties, &made, options...)
	return &made, err
}
