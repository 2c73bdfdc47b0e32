module trustnet.example/conformance

go 1.22
