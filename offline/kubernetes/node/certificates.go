package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	validFor = 365 * 24 * time.Hour
	// port is the API server's, at the first node's address: curtainup/setup/cluster/place.py says so too.
	port = "6443"
)

// node is one machine of the cluster.
type node struct {
	name string
	ip   net.IP
}

// identity is somebody with a certificate; see https://kubernetes.io/docs/setup/best-practices/certificates/.
type identity struct {
	file   string
	name   string
	groups []string
	usage  x509.ExtKeyUsage
	names  []string
	ips    []net.IP
}

func nodes(rules []string) (found []node) {
	for _, rule := range rules {
		name, ip, _ := strings.Cut(rule, "=")
		found = append(found, node{name, net.ParseIP(ip)})
	}
	return found
}

func identities(nodes []node, serviceIP net.IP) []identity {
	loopback := net.IPv4(127, 0, 0, 1)
	domain := []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	client, server := x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	masters := []string{"system:masters"}
	found := []identity{
		{"apiserver", "kube-apiserver", nil, server, append(domain, "localhost"), []net.IP{loopback, nodes[0].ip, serviceIP}},
		{"apiserver-kubelet", "kube-apiserver", masters, client, nil, nil},
		{"admin", "admin", masters, client, nil, nil},
		{"coredns", "coredns", masters, client, nil, nil},
		{"kube-controller-manager", "system:kube-controller-manager", nil, client, nil, nil},
		{"kube-scheduler", "system:kube-scheduler", nil, client, nil, nil},
		{"kube-proxy", "system:kube-proxy", nil, client, nil, nil},
	}
	for _, one := range nodes {
		found = append(found,
			identity{one.name, "system:node:" + one.name, []string{"system:nodes"}, client, nil, nil},
			identity{one.name + "-serving", one.name, nil, server, []string{one.name}, []net.IP{loopback, one.ip}})
	}
	return found
}

// certificates makes a CA and a key, a certificate and, for clients, a kubeconfig of each identity; and the key with
// which service accounts are signed.
func certificates(folder, serviceIP string, rules []string) error {
	nodes := nodes(rules)
	root := issuer{folder: folder, server: "https://" + net.JoinHostPort(nodes[0].ip.String(), port)}
	if err := root.begin(); err != nil {
		return err
	}
	for _, one := range identities(nodes, net.ParseIP(serviceIP)) {
		if err := root.issue(one); err != nil {
			return err
		}
	}
	return root.accounts()
}

type issuer struct {
	folder string
	server string
	key    *ecdsa.PrivateKey
	own    *x509.Certificate
	serial int64
}

func (root *issuer) begin() (err error) {
	if err = os.MkdirAll(root.folder, 0o700); err != nil {
		return err
	}
	if root.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	template := root.template("curtainup-cluster", nil)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	made, err := x509.CreateCertificate(rand.Reader, template, template, root.key.Public(), root.key)
	if err != nil {
		return err
	}
	if root.own, err = x509.ParseCertificate(made); err != nil {
		return err
	}
	return root.keep("ca", root.key, made)
}

func (root *issuer) template(name string, groups []string) *x509.Certificate {
	root.serial++
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(root.serial),
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validFor),
	}
}

func (root *issuer) issue(one identity) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := root.template(one.name, one.groups)
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{one.usage}
	template.DNSNames, template.IPAddresses = one.names, one.ips
	made, err := x509.CreateCertificate(rand.Reader, template, root.own, key.Public(), root.key)
	if err != nil {
		return err
	}
	if err := root.keep(one.file, key, made); err != nil || one.usage != x509.ExtKeyUsageClientAuth {
		return err
	}
	return root.kubeconfig(one.file)
}

func (root *issuer) accounts() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := root.pem("accounts.pub", "PUBLIC KEY", public); err != nil {
		return err
	}
	return root.keep("accounts", key, nil)
}

func (root *issuer) keep(file string, key crypto.PrivateKey, certificate []byte) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := root.pem(file+".key", "PRIVATE KEY", secret); err != nil || certificate == nil {
		return err
	}
	return root.pem(file+".crt", "CERTIFICATE", certificate)
}

func (root *issuer) pem(file, kind string, content []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	return os.WriteFile(filepath.Join(root.folder, file), text, 0o600)
}

func (root *issuer) kubeconfig(name string) error {
	read := func(file string) (encoded string) {
		content, err := os.ReadFile(filepath.Join(root.folder, file))
		if err != nil {
			panic(err) // written a moment ago
		}
		return base64.StdEncoding.EncodeToString(content)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: curtainup, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: curtainup, context: {cluster: curtainup, user: %s}}]
current-context: curtainup
`, root.server, read("ca.crt"), name, read(name+".crt"), read(name+".key"), name)
	return os.WriteFile(filepath.Join(root.folder, name+".kubeconfig"), []byte(text), 0o600)
}
