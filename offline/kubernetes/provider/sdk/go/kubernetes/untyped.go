// Package kubernetes is what the provider needs of Pulumi's Go SDK for Kubernetes. The SDK itself has a type for each
// kind in 62 packages, which take an hour to compile.
package kubernetes

import "reflect"

// UntypedArgs are the properties of a resource of any kind.
type UntypedArgs map[string]any

// ElementType makes them an input of Pulumi's.
func (UntypedArgs) ElementType() reflect.Type { return reflect.TypeFor[map[string]any]() }
