package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
)

// mirrorAddress is where containerd finds the mirror: curtainup/setup/cluster/configuration.py says so too.
const mirrorAddress = "127.0.0.1:5000"

// mirror answers containerd as a mirror of each registry on the machine's own loopback address, whatever its port is:
// containerd says in `ns` which registry it means (https://github.com/containerd/containerd/blob/main/docs/hosts.md).
// It only reads, and only what the registries' API has: what else listens on the loopback address is not for pods.
func mirror(listener net.Listener) error {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			query := request.In.URL.Query()
			registry := query.Get("ns")
			query.Del("ns")
			request.SetURL(&url.URL{Scheme: "http", Host: registry})
			request.Out.URL.RawQuery = query.Encode()
		},
		Transport: &http.Transport{DialContext: dialOutside},
	}
	return http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		reads := request.Method == http.MethodGet || request.Method == http.MethodHead
		if !reads || !isOfRegistry(request.URL.Path) || !isLoopback(request.URL.Query().Get("ns")) {
			http.NotFound(answer, request)
			return
		}
		proxy.ServeHTTP(answer, request)
	}))
}

// isOfRegistry says whether a path is within the registries' API, whichever way somebody resolves dots in it.
func isOfRegistry(asked string) bool {
	return strings.HasPrefix(asked, "/v2/") && strings.HasPrefix(path.Clean(asked)+"/", "/v2/")
}

func isLoopback(registry string) bool {
	host, _, err := net.SplitHostPort(registry)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
