package main

import (
	"os"
	"os/signal"
	"syscall"
)

// pause waits for the signal that ends a pod. Where the pod shares its process namespace, it is the first process
// there, and reaps the others.
func pause() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if reaped, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || reaped <= 0 {
				break
			}
		}
	}
}
