module curtainup.invalid/kubernetes/node

go 1.26.0

require golang.org/x/sys v0.36.0
