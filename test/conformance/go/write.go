//go:build client

package main

import (
	"crypto/ed25519"
	"slices"
)

func tagged(number uint64, wire uint64) []byte { return uvarint(number<<3 | wire) }

func uvarint(n uint64) []byte {
	var out []byte
	for ; n > 0x7f; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(out, byte(n))
}

// num is a field with a number; 0 is left out.
func num(number, n uint64) []byte {
	if n == 0 {
		return nil
	}
	return append(tagged(number, 0), uvarint(n)...)
}

// blob is a field with bytes, a text or a message; an empty one is left out.
func blob(number uint64, b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return inside(number, b)
}

// inside is a message that is there also when it is empty.
func inside(number uint64, b []byte) []byte { return append(tagged(number, 2), prefixed(b)...) }

func message(fields ...[]byte) []byte { return slices.Concat(fields...) }

func publicKey(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// libp2pKey is the protobuf of a public key.
func libp2pKey(key []byte) []byte { return append([]byte{8, 1, 18, 32}, key...) }

// seal signs a payload as an object of this kind.
func seal(k kind, payload []byte, key ed25519.PrivateKey) []byte {
	payloadType := []byte("/trustnet/" + k.name)
	domain := []byte("trustnet/" + k.name + "/v1")
	signed := slices.Concat(prefixed(domain), prefixed(payloadType), prefixed(payload))
	return message(blob(1, libp2pKey(publicKey(key))), blob(2, payloadType), blob(3, payload), blob(5, ed25519.Sign(key, signed)))
}

func (i invite) join(key ed25519.PrivateKey, name string, nowMs uint64) []byte {
	inviteKey := ed25519.NewKeyFromSeed(i.seed)
	proof := ed25519.Sign(inviteKey, slices.Concat([]byte("trustnet/invite/v1"), i.networkID, publicKey(key), i.grantID))
	return seal(kinds["join"], message(
		num(1, 1), blob(2, i.networkID), blob(3, publicKey(key)), blob(4, []byte(name)), num(5, i.role),
		blob(6, i.grantID), blob(7, publicKey(inviteKey)), blob(8, proof), num(9, nowMs),
	), key)
}

func (i invite) record(key ed25519.PrivateKey, seq, nowMs uint64) []byte {
	// /ip6/::1/tcp/9
	addr := slices.Concat([]byte{41}, make([]byte, 15), []byte{1, 6, 0, 9})
	return seal(kinds["node-record"], message(
		num(1, 1), blob(2, i.networkID), blob(3, publicKey(key)), num(4, seq), blob(5, addr), num(7, i.role),
		blob(10, []byte("conformance-go")), num(13, nowMs),
	), key)
}
