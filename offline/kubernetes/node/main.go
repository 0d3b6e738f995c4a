// Package main is what a node of curtainup's own cluster needs beside Kubernetes: `node NAME ARGUMENT…`.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  node certificates FOLDER SERVICE_IP NODE=NODE_IP…   make a CA, and all that it signs; the first node has the API server
  node forward DESCRIPTOR FILE [NAME=ADDRESS…]        lead ports of the machine into this network namespace
  node pause                                          hold a pod's namespaces
  node version`

// version is that of curtainup's own parts; the build sets it.
var version = "0"

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) > 3 && arguments[0] == "certificates":
		err = certificates(arguments[1], arguments[2], arguments[3:])
	case len(arguments) > 2 && arguments[0] == "forward":
		err = forward(arguments[1], arguments[2], arguments[3:])
	case len(arguments) == 1 && arguments[0] == "pause":
		pause()
	case len(arguments) == 1 && arguments[0] == "version":
		fmt.Println(version)
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}
