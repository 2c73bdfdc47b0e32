package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// invite is what an invite line says, with the first address of its first registry.
type invite struct {
	networkID, grantID, seed, registryKey []byte
	address, name                         string
	role                                  uint64
}

func readInvite(m messages, line string) (i invite, err error) {
	text, isInvite := strings.CutPrefix(strings.Join(strings.Fields(line), ""), "tnet1")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !isInvite || len(b) < 6 {
		return i, errors.New("no invite line")
	}
	size := int(b[0])<<8 | int(b[1])
	if len(b) != size+6 || !bytes.Equal(b[2+size:], hashOf(b[2 : 2+size])[:4]) {
		return i, errors.New("the invite line was cut or mistyped")
	}
	fields, err := m.decode("Invite", b[2:2+size])
	if err != nil {
		return i, err
	}
	if of(fields, 1).varint != 1 {
		return i, errors.New("the invite is of a newer version")
	}
	registry, err := m.decode("InviteRegistry", of(fields, 4).bytes)
	if err != nil {
		return i, err
	}
	i = invite{
		networkID: of(fields, 3).bytes, grantID: of(fields, 5).bytes, seed: of(fields, 12).bytes,
		registryKey: of(registry, 1).bytes, name: string(of(fields, 10).bytes), role: of(fields, 9).varint,
	}
	i.address, err = address(of(registry, 2).bytes)
	return i, err
}

// address is host and port of a binary multiaddr /ip6/…/tcp/….
func address(b []byte) (string, error) {
	if len(b) != 20 || b[0] != 41 || b[17] != 6 {
		return "", fmt.Errorf("no address of IPv6 and TCP: %x", b)
	}
	return net.JoinHostPort(net.IP(b[1:17]).String(), strconv.Itoa(int(b[18])<<8|int(b[19]))), nil
}
