//go:build client

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-yamux/v5"
)

const (
	patience  = 10 * time.Second
	mostFrame = 262_144
)

// Statuses of docs/protocols/README.md that are told apart here.
const (
	ok          = 0
	rateLimited = 3
	notMember   = 6
	revoked     = 7
	stale       = 10
	unavailable = 17
)

var errRevoked = errors.New("the registry says that this key is revoked")

// refusal is a status that is not OK.
type refusal struct{ status, retryAfterMs uint64 }

func (r refusal) Error() string { return fmt.Sprintf("status %d", r.status) }

// client is a member of one network, by one registry.
type client struct {
	m        messages
	invite   invite
	key      ed25519.PrivateKey
	name     string
	instance []byte
	seq      uint64
	admit    []byte
	replica  *replica
	end      <-chan struct{}
}

func init() { commands["join"] = join }

// join reads an invite line and a name from its arguments, joins, and stays until its input ends.
func join(m messages, args []string) error {
	i, err := readInvite(m, args[0])
	if err != nil {
		return err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	end := make(chan struct{})
	go func() {
		defer close(end)
		for b := make([]byte, 512); ; {
			if _, err := os.Stdin.Read(b); err != nil {
				return
			}
		}
	}()
	c := &client{m: m, invite: i, key: key, name: args[1], instance: make([]byte, 16), seq: 1, end: end}
	if i.name != "" {
		c.name = i.name
	}
	rand.Read(c.instance)
	return c.run()
}

// run comes again with growing pauses until the input ends, or the key is revoked.
func (c *client) run() error {
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, patience) {
		err := c.connect()
		if err == nil || errors.Is(err, errRevoked) {
			return err
		}
		wait := pause
		var refused refusal
		if errors.As(err, &refused) && refused.retryAfterMs > 0 {
			wait = max(wait, time.Duration(refused.retryAfterMs)*time.Millisecond)
		}
		fmt.Printf("again in %s: %v\n", wait, err)
		select {
		case <-c.end:
			return nil
		case <-time.After(wait):
		}
	}
}

// connect is one connection, from its first byte to its end.
func (c *client) connect() error {
	session, err := dial(c.invite.address, c.key, c.invite.registryKey)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := c.hello(session); err != nil {
		return err
	}
	lease, err := c.register(session)
	if err != nil {
		return err
	}
	// Admitted by now: the new proof makes this connection a member's.
	if err := c.hello(session); err != nil {
		return err
	}
	if err := c.sync(session); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := c.lookup(session); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	fmt.Println("ready")
	return lease.hold(c.end)
}

// ask sends one question on a stream of its own, and gives its answer.
func ask(session *yamux.Session, protocol string, question []byte) ([]value, error) {
	stream, err := openStream(session, protocol)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	if _, err := stream.Write(prefixed(question)); err != nil {
		return nil, err
	}
	answer, err := readFrame(stream, mostFrame)
	return fieldsOf(answer), err
}

// hello proves the own membership, where there is one, and judges the proof of the registry.
func (c *client) hello(session *yamux.Session) error {
	own := [][]byte{num(1, 1), blob(2, c.invite.networkID)}
	if c.replica != nil {
		own = append(own, blob(3, c.replica.envelopes[0]))
	}
	answer, err := ask(session, "hello", message(append(own, blob(6, c.admit), num(9, c.invite.role), blob(10, []byte("conformance-go")), num(12, nowMs()))...))
	if err != nil {
		return err
	}
	status := of(answer, 11).varint
	if status == ok || (status == notMember && c.admit == nil) {
		return c.judge(answer)
	}
	return refusal{status: status}
}

// judge wants the registry of the invite to be a registry of the network of the invite.
func (c *client) judge(hello []value) error {
	r, err := openReplica(c.m, of(hello, 3).bytes)
	if err != nil {
		return err
	}
	if !bytes.Equal(r.networkID, c.invite.networkID) {
		return errors.New("another network")
	}
	for _, each := range all(hello, 4) {
		if err := r.lead(each); err != nil {
			return err
		}
	}
	if _, err := r.checkpoint(of(hello, 5).bytes); err != nil {
		return err
	}
	e, err := openEntry(c.m, r.networkID, of(hello, 6).bytes)
	if err != nil {
		return err
	}
	logKey := r.row("log-keys", u64(e.epoch))
	body, err := c.m.decode(bodyName(e.kind), e.body)
	isAdmit := bodyName(e.kind) == "Admit"
	if err != nil || !isAdmit || len(logKey) < 32 || !bytes.Equal(logKey[:32], e.signer) || !bytes.Equal(of(body, 1).bytes, c.invite.registryKey) {
		return errors.New("the registry does not prove its membership")
	}
	if c.replica == nil {
		c.replica, err = openReplica(c.m, of(hello, 3).bytes)
	}
	return err
}

// lease is a session of register: requests with their answers, and pings.
type lease struct {
	stream      *yamux.Stream
	writing     sync.Mutex
	frames      chan []value
	broken      error
	heartbeatMs uint64
	seq         uint64
}

func (l *lease) send(fields ...[]byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := l.stream.Write(prefixed(message(fields...)))
	return err
}

// read answers pings, and hands everything else on.
func (l *lease) read() {
	defer close(l.frames)
	for {
		frame, err := readFrame(l.stream, mostFrame)
		if err == nil {
			fields := fieldsOf(frame)
			if slices.ContainsFunc(fields, func(v value) bool { return v.number == 8 }) {
				err = l.send(num(1, of(fields, 1).varint), append(tagged(9, 0), 1))
			} else {
				l.frames <- fields
			}
		}
		if err != nil {
			l.broken = err
			return
		}
	}
}

// answer waits for the answer to the request with this number; its body is field `number` or, of a refusal, 7.
func (l *lease) answer(id, number uint64) ([]value, error) {
	late := time.After(patience)
	for {
		select {
		case fields, isOpen := <-l.frames:
			if !isOpen {
				return nil, l.broken
			}
			body := fieldsOf(of(fields, number).bytes)
			refused := fieldsOf(of(fields, 7).bytes)
			if status := of(refused, 1).varint; status != ok {
				return refused, refusal{status, of(refused, 2).varint}
			}
			if of(fields, 1).varint == id {
				if status := of(body, 1).varint; status != ok {
					return body, refusal{status, of(body, 2).varint}
				}
				return body, nil
			}
		case <-late:
			return nil, errors.New("no answer")
		}
	}
}

func (c *client) register(session *yamux.Session) (*lease, error) {
	stream, err := openStream(session, "register")
	if err != nil {
		return nil, err
	}
	stream.SetDeadline(time.Time{})
	l := &lease{stream: stream, frames: make(chan []value, 16)}
	go l.read()
	for id := uint64(1); ; id++ {
		request := message(blob(1, c.invite.record(c.key, c.seq, nowMs())), blob(3, c.instance))
		if c.admit == nil {
			request = message(blob(1, c.invite.record(c.key, c.seq, nowMs())), blob(2, c.invite.join(c.key, c.name, nowMs())), blob(3, c.instance))
		}
		if err := l.send(num(1, id), inside(2, request)); err != nil {
			return nil, err
		}
		answer, err := l.answer(id, 3)
		var refused refusal
		if errors.As(err, &refused) && refused.status == revoked {
			return nil, errRevoked
		}
		if errors.As(err, &refused) && refused.status == stale && id == 1 {
			if payload, err := open(c.m, kinds["node-record"], of(answer, 3).bytes, c.invite.networkID); err == nil {
				c.seq = of(fieldsOf(payload), 4).varint + 1
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		c.admit, l.heartbeatMs, l.seq = of(answer, 3).bytes, of(answer, 5).varint, c.seq
		fmt.Printf("joined as %s\n", c.name)
		return l, nil
	}
}

// hold says heartbeats until the end, and then goodbye.
func (l *lease) hold(end <-chan struct{}) error {
	for id := uint64(100); ; id++ {
		select {
		case <-end:
			if err := l.send(num(1, id), inside(6, blob(1, []byte("the input ended")))); err != nil {
				return err
			}
			_, err := l.answer(id, 7)
			return err
		case fields, isOpen := <-l.frames:
			if !isOpen {
				return l.broken
			}
			if status := of(fieldsOf(of(fields, 7).bytes), 1).varint; status == revoked {
				return errRevoked
			}
		case <-time.After(time.Duration(l.heartbeatMs) * time.Millisecond):
			if err := l.send(num(1, id), inside(4, num(2, l.seq))); err != nil {
				return err
			}
			if _, err := l.answer(id, 5); err != nil {
				return err
			}
		}
	}
}

// sync pulls what is behind the own head, and verifies each entry and checkpoint before it is kept.
func (c *client) sync(session *yamux.Session) error {
	stream, err := openStream(session, "sync")
	if err != nil {
		return err
	}
	// What is refused ends the stream at once.
	defer stream.Reset()
	head := c.replica.head()
	request := message(num(1, 1), blob(2, c.invite.networkID), num(3, c.replica.epoch), num(4, head.n), blob(5, head.hash))
	if _, err := stream.Write(prefixed(request)); err != nil {
		return err
	}
	isCovered := false
	for {
		stream.SetDeadline(time.Now().Add(patience))
		b, err := readFrame(stream, mostFrame)
		if err != nil {
			return err
		}
		frame := fieldsOf(b)
		start := fieldsOf(of(frame, 1).bytes)
		if status := of(start, 1).varint; status != ok {
			return refusal{status, of(start, 4).varint}
		}
		for _, each := range all(frame, 2) {
			if err := c.replica.follow(each); err != nil {
				return err
			}
			isCovered = false
		}
		if checkpoint := of(frame, 3).bytes; len(checkpoint) > 0 {
			if err := c.replica.covers(checkpoint); err != nil {
				return err
			}
			isCovered = true
		}
		if of(frame, 7).varint == 1 {
			break
		}
	}
	if !isCovered || c.replica.row("members", publicKey(c.key)) == nil {
		return errors.New("no checkpoint covers a log with the own membership")
	}
	fmt.Printf("verified %d entries, head %s\n", c.replica.head().n, hex.EncodeToString(c.replica.head().hash))
	return nil
}

// lookup asks for everybody, and verifies each row against the own log.
func (c *client) lookup(session *yamux.Session) error {
	answer, err := ask(session, "lookup", message(num(1, 1), blob(2, c.invite.networkID)))
	if err != nil {
		return err
	}
	if status := of(answer, 1).varint; status != ok {
		return refusal{status, of(answer, 5).varint}
	}
	for _, each := range all(answer, 2) {
		row := fieldsOf(each)
		key, record := of(row, 1).bytes, of(row, 3).bytes
		name, isMember := c.replica.names[string(key)]
		if !isMember {
			return errors.New("a row of no member")
		}
		if len(record) > 0 {
			payload, err := open(c.m, kinds["node-record"], record, c.invite.networkID)
			if err != nil || !bytes.Equal(of(fieldsOf(payload), 3).bytes, key) {
				return fmt.Errorf("a wrong record of %s: %v", name, err)
			}
		}
		fmt.Printf("found %s, state %d\n", name, of(row, 5).varint)
	}
	return nil
}

func nowMs() uint64 { return uint64(time.Now().UnixMilli()) }
