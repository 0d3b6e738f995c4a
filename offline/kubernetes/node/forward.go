package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// outer is the descriptor of the machine's network namespace.
var outer int

// forward listens on free loopback ports of the machine and copies what comes to addresses in its own network
// namespace. So the cluster needs no link to the machine. It writes the ports as JSON, by name, once all listen; if it
// is started again, it takes those that it had.
//
// The other way around, it serves the machine's registries to the cluster: see mirror.
func forward(descriptor, file string, rules []string) (err error) {
	if outer, err = strconv.Atoi(descriptor); err != nil {
		return err
	}
	ports, err := read(file)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		name, address, _ := strings.Cut(rule, "=")
		listener, err := listenOutside(ports[name])
		if err != nil {
			return err
		}
		ports[name] = listener.Addr().(*net.TCPAddr).Port
		go accept(listener, address)
	}
	registry, err := net.Listen("tcp", mirrorAddress)
	if err != nil {
		return err
	}
	if err := write(file, ports); err != nil {
		return err
	}
	return mirror(registry)
}

func read(file string) (ports map[string]int, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]int{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &ports)
	}
	return ports, err
}

func write(file string, ports map[string]int) error {
	text, err := json.Marshal(ports)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// listenOutside listens on a loopback port of the machine; 0 is a free one.
func listenOutside(port int) (listener net.Listener, err error) {
	err = outside(func() (err error) {
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	return listener, err
}

// dialOutside connects from the machine's network namespace. It tries one address of a name after the other: Go would
// try those of IPv4 and IPv6 at once, on threads of the cluster's namespace.
func dialOutside(ctx context.Context, network, address string) (connection net.Conn, err error) {
	one := net.Dialer{FallbackDelay: -1}
	err = outside(func() (err error) {
		connection, err = one.DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

func accept(listener net.Listener, address string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			return
		}
		go connect(client.(*net.TCPConn), address)
	}
}

// connect copies both ways until both sides have ended.
func connect(client *net.TCPConn, address string) {
	defer client.Close()
	dialled, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	server := dialled.(*net.TCPConn)
	defer server.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(server, client) //nolint:errcheck // the other side notices
		server.CloseWrite()     //nolint:errcheck
	}()
	io.Copy(client, server) //nolint:errcheck
	client.CloseWrite()     //nolint:errcheck
	<-ended
}

// outside runs something on a thread that is in the machine's network namespace. A socket stays in the namespace that
// it was made in.
func outside(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine
		err := unix.Setns(outer, unix.CLONE_NEWNET)
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}
