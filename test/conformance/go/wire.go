//go:build client

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/flynn/noise"
	"github.com/libp2p/go-yamux/v5"
)

const multistream = "/multistream/1.0.0"

// writeLine and readLine are the messages of multistream-select: a length, a text, and the end of its line.
func writeLine(w io.Writer, texts ...string) error {
	var out []byte
	for _, text := range texts {
		out = append(out, prefixed([]byte(text+"\n"))...)
	}
	_, err := w.Write(out)
	return err
}

func readLine(r io.Reader) (string, error) {
	b, err := readFrame(r, 1024)
	return string(bytes.TrimSuffix(b, []byte("\n"))), err
}

// choose agrees on a protocol with the side that serves it.
func choose(stream io.ReadWriter, protocol string) error {
	if err := writeLine(stream, multistream, protocol); err != nil {
		return err
	}
	for _, want := range []string{multistream, protocol} {
		if got, err := readLine(stream); err != nil || got != want {
			return fmt.Errorf("%s is answered %q: %v", protocol, got, err)
		}
	}
	return nil
}

// secured is a connection behind its Noise handshake: each message is a length of two bytes and what is sealed.
type secured struct {
	net.Conn
	in, out *noise.CipherState
	buffer  []byte
	reader  *bufio.Reader
}

func (s *secured) readMessage() ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(s.reader, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(s.reader, b)
	return b, err
}

func (s *secured) writeMessage(b []byte) error {
	_, err := s.Conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}

func (s *secured) Read(p []byte) (int, error) {
	for len(s.buffer) == 0 {
		b, err := s.readMessage()
		if err != nil {
			return 0, err
		}
		if s.buffer, err = s.in.Decrypt(nil, nil, b); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buffer)
	s.buffer = s.buffer[n:]
	return n, nil
}

func (s *secured) Write(p []byte) (int, error) {
	for part := range slices.Chunk(p, 65535-16) {
		b, err := s.out.Encrypt(nil, nil, part)
		if err == nil {
			err = s.writeMessage(b)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// secure proves our key to the other side, and wants it to prove the one that we expect: Noise XX with libp2p's payload.
func secure(conn net.Conn, key ed25519.PrivateKey, expected []byte) (*secured, error) {
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256)
	static, err := suite.GenerateKeypair(rand.Reader)
	if err != nil {
		return nil, err
	}
	handshake, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeXX, Initiator: true, StaticKeypair: static})
	if err != nil {
		return nil, err
	}
	s := &secured{Conn: conn, reader: bufio.NewReader(conn)}
	first, _, _, err := handshake.WriteMessage(nil, nil)
	if err == nil {
		err = s.writeMessage(first)
	}
	if err != nil {
		return nil, err
	}
	second, err := s.readMessage()
	if err != nil {
		return nil, err
	}
	payload, _, _, err := handshake.ReadMessage(nil, second)
	if err == nil {
		err = proves(payload, handshake.PeerStatic(), expected)
	}
	if err != nil {
		return nil, err
	}
	proof := ed25519.Sign(key, append([]byte("noise-libp2p-static-key:"), static.Public...))
	third, out, in, err := handshake.WriteMessage(nil, message(blob(1, libp2pKey(publicKey(key))), blob(2, proof)))
	if err != nil {
		return nil, err
	}
	s.in, s.out = in, out
	return s, s.writeMessage(third)
}

func proves(payload, static, expected []byte) error {
	fields := fieldsOf(payload)
	if !bytes.Equal(of(fields, 1).bytes, libp2pKey(expected)) {
		return errors.New("somebody else answers there")
	}
	if !ed25519.Verify(expected, append([]byte("noise-libp2p-static-key:"), static...), of(fields, 2).bytes) {
		return errors.New("the key is not proven")
	}
	return nil
}

// fieldsOf reads a message that is not signed; what cannot be read ends it.
func fieldsOf(b []byte) (values []value) {
	for len(b) > 0 {
		v, _, size, err := next(b)
		if err != nil {
			return values
		}
		values, b = append(values, v), b[size:]
	}
	return values
}

func all(values []value, number uint64) (found [][]byte) {
	for _, each := range values {
		if each.number == number {
			found = append(found, each.bytes)
		}
	}
	return found
}

// dial connects to a registry: TCP, Noise, yamux. Streams that the other side opens are answered that nothing is served.
func dial(address string, key ed25519.PrivateKey, expected []byte) (*yamux.Session, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	session, err := upgrade(conn, key, expected)
	if err != nil {
		conn.Close()
		return nil, err
	}
	go refuseStreams(session)
	return session, nil
}

func upgrade(conn net.Conn, key ed25519.PrivateKey, expected []byte) (*yamux.Session, error) {
	conn.SetDeadline(time.Now().Add(patience))
	defer conn.SetDeadline(time.Time{})
	if err := choose(conn, "/noise"); err != nil {
		return nil, err
	}
	channel, err := secure(conn, key, expected)
	if err != nil {
		return nil, err
	}
	if err := choose(channel, "/yamux/1.0.0"); err != nil {
		return nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	return yamux.Client(channel, config, nil)
}

func refuseStreams(session *yamux.Session) {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		go func() {
			defer stream.Close()
			stream.SetDeadline(time.Now().Add(patience))
			for {
				asked, err := readLine(stream)
				if err != nil {
					return
				}
				answer := "na"
				if asked == multistream {
					answer = multistream
				}
				if writeLine(stream, answer) != nil {
					return
				}
			}
		}()
	}
}

// openStream opens a stream of one of our protocols.
func openStream(session *yamux.Session, protocol string) (*yamux.Stream, error) {
	deadline, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := session.OpenStream(deadline)
	if err != nil {
		return nil, err
	}
	stream.SetDeadline(time.Now().Add(patience))
	if err := choose(stream, "/trustnet/"+protocol+"/1.0.0"); err != nil {
		stream.Reset()
		return nil, err
	}
	return stream, nil
}
