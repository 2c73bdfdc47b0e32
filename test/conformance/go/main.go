// Verifies the vectors of TrustNet with the standard library, and joins a network, from docs/protocols and the .proto files alone:
// go run . VECTORS REGISTRY_PROTO
// go run . judge REGISTRY_PROTO, with a line "KIND NETWORK_ID BYTES" for each object, or "key - BYTES"
// go run -tags client . join REGISTRY_PROTO INVITE_LINE NAME: joins and stays until its input ends
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

type vector struct {
	Name, Kind, Verdict, Error, Envelope, Hash, PublicKey, Entry, Root string
	After                                                              int
}

type file struct {
	Kind, NetworkID         string
	Good, Newer, Bad, Cases []vector
	Genesis                 string
	Log                     []string
}

// kind is how an object is signed, and the message in it.
type kind struct {
	name, message string
	most          int
}

var kinds = map[string]kind{
	"genesis":     {"genesis", "Genesis", 4096},
	"log-entry":   {"log-entry", "LogEntry", 4096},
	"checkpoint":  {"checkpoint", "Checkpoint", 512},
	"node-record": {"node-record", "NodeRecord", 1024},
	"join":        {"join", "JoinRequest", 512},
	"receipt":     {"receipt", "JoinReceipt", 512},
	"renew":       {"renew", "RenewRequest", 512},
	"forget":      {"forget", "ForgetRequest", 512},
	"rotate":      {"rotate", "RotateRequest", 512},
	"order":       {"order", "Order", 512},
	"store":       {"store", "StoreManifest", 512},
}

// bodies are the messages of the kinds of entries, by their numbers.
var bodies = []string{"", "Admit", "Renew", "Revoke", "Rotate", "RegistrySet", "Delegate", "Authority", "Publisher", "Publish", "Retire", "Policy", "Grant", "GrantEnd", "Change", "End", "Operator"}

func unhex(text string) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "hex:"))
	if err != nil {
		panic(err)
	}
	return b
}

func prefixed(b []byte) []byte {
	var out []byte
	n := len(b)
	for ; n > 0x7f; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(append(out, byte(n)), b...)
}

// open judges bytes, signature, encoding, version and network of an object: steps 1 to 7 of "Opening", and the encoding of bodies.
func open(m messages, k kind, envelope, networkID []byte) (payload []byte, err error) {
	if len(envelope) > k.most {
		return nil, errors.New("too large")
	}
	outer, err := m.decode("Envelope", envelope)
	if err != nil {
		return nil, err
	}
	if len(outer) != 4 || outer[3].number != 5 || len(outer[0].bytes) != 36 || len(outer[3].bytes) != 64 {
		return nil, errors.New("no envelope")
	}
	// An envelope has nothing else, also nothing of a newer version.
	canonical := []byte{}
	for i, tag := range []byte{0x0a, 0x12, 0x1a, 0x2a} {
		canonical = append(append(canonical, tag), prefixed(outer[i].bytes)...)
	}
	key := outer[0].bytes[4:]
	if !bytes.Equal(canonical, envelope) || !bytes.HasPrefix(outer[0].bytes, []byte{8, 1, 18, 32}) || !isKey(key) {
		return nil, errors.New("no envelope as it should be")
	}
	payload = outer[2].bytes
	signed := append(append(prefixed([]byte("trustnet/"+k.name+"/v1")), prefixed([]byte("/trustnet/"+k.name))...), prefixed(payload)...)
	if string(outer[1].bytes) != "/trustnet/"+k.name || !ed25519.Verify(key, signed, outer[3].bytes) {
		return nil, errors.New("the signature is wrong")
	}
	fields, err := m.decode(k.message, payload)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 || fields[0].number != 1 || fields[0].varint != 1 {
		return nil, errors.New("the version")
	}
	if networkID != nil && (len(fields) < 2 || fields[1].number != 2 || !bytes.Equal(fields[1].bytes, networkID)) {
		return nil, errors.New("another network")
	}
	return payload, openBody(m, k, fields)
}

func openBody(m messages, k kind, fields []value) error {
	if k.message != "LogEntry" {
		return nil
	}
	number, body := uint64(0), []byte{}
	for _, f := range fields {
		switch f.number {
		case 7:
			number = f.varint
		case 8:
			body = f.bytes
		}
	}
	name := "of a newer version"
	if number < uint64(len(bodies)) {
		name = bodies[number]
	}
	inside, err := m.decode(name, body)
	if err == nil && name == "Policy" {
		err = judgePolicy(inside)
	}
	return err
}

// judgePolicy refuses a policy that says who may do what in a way of a newer version: admission, publishing, relaying.
func judgePolicy(fields []value) error {
	for _, f := range fields {
		if (f.number == 1 || f.number == 13 || f.number == 14) && f.varint > 2 {
			return errors.New("a policy of a newer version")
		}
	}
	return nil
}

var checks, failures int

func expect(ok bool, format string, args ...any) {
	checks++
	if !ok {
		failures++
		fmt.Printf("FAILED "+format+"\n", args...)
	}
}

// byFields is true for what only the rules of single fields refuse, which are not judged here.
func byFields(v vector) bool { return v.Error == "InvalidPayloadError" }

// commands are those of a build with `-tags client`: by name, with what stands behind the .proto file.
var commands = map[string]func(m messages, args []string) error{}

func main() {
	m, err := readProtos(os.Args[2])
	if err != nil {
		panic(err)
	}
	if run := commands[os.Args[1]]; run != nil {
		if err := run(m, os.Args[3:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	if os.Args[1] == "judge" {
		judge(m)
		return
	}
	verifyAll(m, os.Args[1])
	fmt.Printf("%d checks, %d failures\n", checks, failures)
	if failures > 0 {
		os.Exit(1)
	}
}

// verifyAll judges each file of vectors.
func verifyAll(m messages, folder string) {
	read := func(name string) file { return readVectors[file](folder, name) }
	for name, k := range kinds {
		verifyKind(m, name, k, read(name))
	}
	keys := read("keys")
	for _, v := range keys.Good {
		expect(isKey(unhex(v.PublicKey)), "key %s", v.Name)
	}
	for _, v := range keys.Bad {
		expect(!isKey(unhex(v.PublicKey)), "no key %s", v.Name)
	}
	notes := readVectors[noteFile](folder, "checkpoint-note")
	verifyNotes(m, notes)
	verifyCosignatures(m, readVectors[cosignatureFile](folder, "cosignature"), notes.Origin)
	verifyState(m, readVectors[stateLog](folder, "state-log"))
	verifyChain(m, read("transitions"))
	verifyEdges(m, read("edges"))
	verifyTexts(readVectors[textFile](folder, "text"))
	verifyExchanges(m, readVectors[exchangeFile](folder, "exchanges"))
	verifyFrames(readVectors[frameFile](folder, "frames"))
	verifyIdentities(readVectors[[]identityVector](folder, "identity"))
	verifyInvites(m, readVectors[inviteFile](folder, "invite"))
	verifyTrees(readVectors[[]treeVector](folder, "state-root"))
}

// judge says of each line of stdin whether its bytes are taken.
func judge(m messages) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		taken := false
		if words[0] == "key" {
			taken = isKey(unhex(words[2]))
		} else {
			networkID := unhex(words[1])
			if words[0] == "genesis" {
				networkID = nil
			}
			_, err := open(m, kinds[words[0]], unhex(strings.Join(words[2:], "")), networkID)
			taken = err == nil
		}
		if taken {
			fmt.Println("taken")
		} else {
			fmt.Println("refused")
		}
	}
}

func verifyKind(m messages, name string, k kind, f file) {
	networkID := unhex(f.NetworkID)
	if name == "genesis" {
		networkID = nil
	}
	for _, v := range append(f.Good, f.Newer...) {
		payload, err := open(m, k, unhex(v.Envelope), networkID)
		hash := sha256.Sum256(payload)
		expect(err == nil && bytes.Equal(hash[:], unhex(v.Hash)), "%s %s: %v", name, v.Name, err)
	}
	for _, v := range f.Bad {
		_, err := open(m, k, unhex(v.Envelope), networkID)
		// The fields say whether a signer may sign.
		isOfSigner := strings.HasPrefix(v.Name, "signed by") || strings.HasPrefix(v.Name, "a new authority")
		if !byFields(v) && !isOfSigner {
			expect(err != nil, "%s %s is taken", name, v.Name)
		}
	}
	encodingIsRefused(m, name, k, f, networkID)
}

// encodingIsRefused asks for the refusal of what is only wrong in how it is encoded.
func encodingIsRefused(m messages, name string, k kind, f file, networkID []byte) {
	for _, v := range f.Bad {
		for _, sign := range []string{"behind the others", "newer field", "a group", "wire type 7", "varint of", "twice", "in two bytes", "no message"} {
			if strings.Contains(v.Name, sign) {
				_, err := open(m, k, unhex(v.Envelope), networkID)
				expect(err != nil, "%s %s is taken", name, v.Name)
				break
			}
		}
	}
}

// verifyChain follows the log by its hashes alone, then asks what each case makes of it.
func verifyChain(m messages, f file) {
	genesis, err := open(m, kinds["genesis"], unhex(f.Genesis), nil)
	hash := sha256.Sum256(genesis)
	expect(err == nil && bytes.Equal(hash[:], unhex(f.NetworkID)), "the genesis makes the network id: %v", err)
	for i, each := range f.Log {
		payload, err := open(m, kinds["log-entry"], unhex(each), unhex(f.NetworkID))
		fields, _ := m.decode("LogEntry", payload)
		follows := err == nil && fields[2].varint == uint64(i+1) && bytes.Equal(fields[3].bytes, hash[:])
		expect(follows, "entry %d follows: %v", i+1, err)
		hash = sha256.Sum256(payload)
	}
	verifyTransitions(m, f)
}

// verifyTransitions puts each case behind the entries that it names: all of them open, those that are taken lead to the root beside them, and the
// others are refused.
func verifyTransitions(m messages, f file) {
	r, err := openReplica(m, unhex(f.Genesis))
	for _, v := range f.Cases {
		_, opens := open(m, kinds["log-entry"], unhex(v.Entry), unhex(f.NetworkID))
		expect(opens == nil, "%s opens: %v", v.Name, opens)
		for err == nil && len(r.log)-1 < v.After {
			err = r.follow(unhex(f.Log[len(r.log)-1]))
		}
		behind := r.clone()
		taken := behind.follow(unhex(v.Entry))
		if v.Verdict != "taken" {
			expect(err == nil && taken != nil, "%s is taken: %v", v.Name, err)
			continue
		}
		expect(err == nil && taken == nil && bytes.Equal(behind.root(), unhex(v.Root)), "the root behind %s: %v %v", v.Name, err, taken)
	}
}
