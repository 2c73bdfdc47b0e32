package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// readVectors reads a file of vectors into what it looks like.
func readVectors[T any](folder, name string) (f T) {
	text, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		panic(err)
	}
	return f
}

type exchange struct {
	Name, Protocol, Outcome string
	Frames                  []struct {
		From, Message, Frame string
		Value                map[string]any
	}
}

type exchangeFile struct {
	NetworkID string
	Cases     []exchange
	Questions []struct {
		Name, Bytes string
		Value       map[string]any
	}
	Gossip struct {
		Messages []struct{ Name, Data, ID string }
	}
}

// verifyExchanges wants each frame to say what stands beside it, and each object in it that is to open to do so.
func verifyExchanges(m messages, f exchangeFile) {
	for _, each := range f.Cases {
		expect(strings.HasPrefix(each.Protocol, "/trustnet/") && each.Outcome != "", "%s has an end", each.Name)
		for i, said := range each.Frames {
			b, err := readFrame(bytes.NewReader(unhex(said.Frame)), 256<<10)
			if err == nil {
				err = m.says(said.Message, b, said.Value)
			}
			expect(err == nil, "%s, frame %d: %v", each.Name, i+1, err)
		}
	}
	for _, each := range f.Questions {
		err := m.says("AdminQuestion", unhex(each.Bytes), each.Value)
		expect(err == nil, "the question %s: %v", each.Name, err)
	}
	for _, each := range f.Gossip.Messages {
		id := sha256.Sum256(unhex(each.Data))
		expect(bytes.Equal(id[:20], unhex(each.ID)), "the id of %s", each.Name)
	}
}

// says is nil when the message has the fields of this value, and no others.
func (m messages) says(name string, b []byte, want map[string]any) error {
	fields, err := m.decode(name, b)
	if err != nil {
		return err
	}
	got := map[string][]value{}
	for _, v := range fields {
		got[m[name][v.number].name] = append(got[m[name][v.number].name], v)
	}
	for field, all := range got {
		if want[field] == nil {
			return fmt.Errorf("%s.%s is not in the value", name, field)
		}
		list, isList := want[field].([]any)
		if !isList {
			list = []any{want[field]}
		}
		if len(list) != len(all) {
			return fmt.Errorf("%s.%s comes %d times", name, field, len(all))
		}
		for i, v := range all {
			if err := m.is(m[name][v.number], v, list[i]); err != nil {
				return fmt.Errorf("%s.%s: %v", name, field, err)
			}
		}
	}
	for field, value := range want {
		if number, isNumber := value.(float64); got[field] == nil && !(isNumber && number == 0) {
			return fmt.Errorf("%s.%s is missing", name, field)
		}
	}
	return nil
}

func (m messages) is(f field, v value, want any) error {
	same := false
	switch want := want.(type) {
	case map[string]any:
		return m.says(f.kind, v.bytes, want)
	case string:
		same = string(v.bytes) == want
		if strings.HasPrefix(want, "hex:") {
			same = bytes.Equal(v.bytes, unhex(want))
		}
	case float64:
		same = float64(v.varint) == want
	case bool:
		same = want && v.varint == 1
	}
	if !same {
		return fmt.Errorf("it is %x %d", v.bytes, v.varint)
	}
	return nil
}

type frameFile struct {
	Good, Bad, Unfinished []struct {
		Name, Bytes string
		MaxFrame    uint64
		Frames      []string
	}
}

func verifyFrames(f frameFile) {
	for _, v := range f.Good {
		r := bytes.NewReader(unhex(v.Bytes))
		for _, want := range v.Frames {
			b, err := readFrame(r, v.MaxFrame)
			expect(err == nil && bytes.Equal(b, unhex(want)), "frames, %s: %v", v.Name, err)
		}
		expect(r.Len() == 0, "frames, %s: there is more", v.Name)
	}
	for _, v := range append(f.Bad, f.Unfinished...) {
		r := bytes.NewReader(unhex(v.Bytes))
		err := error(nil)
		for err == nil {
			_, err = readFrame(r, v.MaxFrame)
		}
		expect(err != io.EOF || strings.HasPrefix(v.Name, "a length without"), "frames, %s is taken", v.Name)
	}
}

type identityVector struct{ Seed, PublicKey, PeerID, NetworkID, NetworkIDText, Fingerprint, UlaPrefix, MemberAddress string }

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func base58(b []byte) (text string) {
	digit, base := new(big.Int), big.NewInt(58)
	for n := new(big.Int).SetBytes(b); n.Sign() > 0; {
		n.DivMod(n, base, digit)
		text = base58Digits[digit.Int64():digit.Int64()+1] + text
	}
	return text
}

func networkIDText(id []byte) string {
	return "tn" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id))
}

func verifyIdentities(all []identityVector) {
	for _, v := range all {
		key := []byte(ed25519.NewKeyFromSeed(unhex(v.Seed)).Public().(ed25519.PublicKey))
		expect(bytes.Equal(key, unhex(v.PublicKey)), "the key of %s", v.PeerID)
		// The identity hash of the protobuf of the key; no zero stands before it.
		expect(base58(append([]byte{0, 36, 8, 1, 18, 32}, key...)) == v.PeerID[1:] && v.PeerID[0] == '1', "the PeerId %s", v.PeerID)
		id := unhex(v.NetworkID)
		text := networkIDText(id)
		expect(text == v.NetworkIDText, "the text of the network id of %s", v.PeerID)
		expect(strings.ReplaceAll(v.Fingerprint, " ", "") == text[:34], "the fingerprint of %s", v.PeerID)
		hash := sha256.Sum256(id)
		_, prefix, err := net.ParseCIDR(v.UlaPrefix)
		expect(err == nil && bytes.Equal(prefix.IP[:6], append([]byte{0xfd}, hash[:5]...)), "the prefix of %s", v.PeerID)
		own := net.ParseIP(v.MemberAddress)
		expect(bytes.Equal(own[:6], prefix.IP[:6]), "the address of %s is in the prefix", v.PeerID)
	}
}

type inviteFile struct {
	Good []struct {
		Line, NetworkID, RegistryKey, Seed string
		Grant                              struct{ ID, Name string }
	}
	Bad []struct{ Name, Line string }
}

func verifyInvites(m messages, f inviteFile) {
	for _, v := range f.Good {
		i, err := readInvite(m, v.Line)
		isSame := bytes.Equal(i.networkID, unhex(v.NetworkID)) && bytes.Equal(i.registryKey, unhex(v.RegistryKey)) && bytes.Equal(i.seed, unhex(v.Seed))
		expect(err == nil && isSame && bytes.Equal(i.grantID, unhex(v.Grant.ID)) && i.name == v.Grant.Name, "an invite line: %v", err)
	}
	for _, v := range f.Bad {
		_, err := readInvite(m, v.Line)
		expect(err != nil, "an invite line, %s, is taken", v.Name)
	}
}

type treeVector struct {
	Name, Root string
	Rows       []struct{ Tag, Key, Value string }
}

func verifyTrees(all []treeVector) {
	for _, v := range all {
		r := &replica{tables: map[string]map[string][]byte{}}
		for _, row := range v.Rows {
			if r.tables[row.Tag] == nil {
				r.tables[row.Tag] = map[string][]byte{}
			}
			key, _ := hex.DecodeString(row.Key)
			r.tables[row.Tag][string(key)], _ = hex.DecodeString(row.Value)
		}
		expect(hex.EncodeToString(r.root()) == v.Root, "the state root, %s", v.Name)
	}
}

// verifyEdges takes what is at the edge and opens. What is beyond it only the rules of single fields refuse.
func verifyEdges(m messages, f file) {
	for _, v := range f.Cases {
		_, err := open(m, kinds[v.Kind], unhex(v.Envelope), unhex(f.NetworkID))
		if v.Verdict == "opens" {
			expect(err == nil, "%s: %v", v.Name, err)
		}
	}
}
