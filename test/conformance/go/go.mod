module trustnet.example/conformance

go 1.23

require (
	github.com/flynn/noise v1.1.0
	github.com/libp2p/go-yamux/v5 v5.1.0
)

require (
	github.com/libp2p/go-buffer-pool v0.0.2 // indirect
	golang.org/x/crypto v0.0.0-20210322153248-0c34fe9e7dc2 // indirect
	golang.org/x/sys v0.0.0-20201119102817-f84b799fce68 // indirect
)
