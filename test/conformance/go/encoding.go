package main

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// field is a field of a message as its .proto says: a scalar type, or the name of the message inside.
type field struct{ name, kind, rule string }

type messages map[string]map[uint64]field

var (
	comment           = regexp.MustCompile(`//.*`)
	messageDefinition = regexp.MustCompile(`message (\w+) \{([^}]*)\}`)
	member            = regexp.MustCompile(`(?:(repeated|optional) )?(\w+) (\w+) = (\d+)`)
)

// readProtos gives the messages of registry.proto and of all protocols, which stand beside it.
func readProtos(registry string) (messages, error) {
	found := messages{}
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(registry), "../../protocols/*/pb/*.proto"))
	for _, path := range append(paths, registry) {
		if err == nil {
			err = found.read(path)
		}
	}
	return found, err
}

// read adds the messages of a .proto file.
func (m messages) read(path string) error {
	text, err := os.ReadFile(path)
	for _, found := range messageDefinition.FindAllStringSubmatch(comment.ReplaceAllString(string(text), ""), -1) {
		fields := map[uint64]field{}
		for _, f := range member.FindAllStringSubmatch(found[2], -1) {
			number, _ := strconv.ParseUint(f[4], 10, 32)
			fields[number] = field{name: f[3], kind: f[2], rule: f[1]}
		}
		m[found[1]] = fields
	}
	return err
}

// value is what stands in one field.
type value struct {
	number uint64
	varint uint64
	bytes  []byte
}

// varint reads a varint in its shortest form; 0 bytes: there is none.
func varint(b []byte) (uint64, int) {
	var v uint64
	for i := 0; i < len(b) && i < 10; i++ {
		if i == 9 && b[i] > 1 {
			return 0, 0
		}
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// next reads one field of any wire type that there is.
func next(b []byte) (v value, wire uint64, size int, err error) {
	tag, at := varint(b)
	v.number, wire = tag>>3, tag&7
	if at == 0 || v.number < 1 || v.number >= 1<<29 {
		return v, wire, 0, errors.New("no field number")
	}
	length := uint64(0)
	switch wire {
	case 0:
		n := 0
		if v.varint, n = varint(b[at:]); n == 0 {
			return v, wire, 0, errors.New("no number")
		}
		return v, wire, at + n, nil
	case 1:
		length = 8
	case 2:
		n := 0
		if length, n = varint(b[at:]); n == 0 {
			return v, wire, 0, errors.New("no length")
		}
		at += n
	case 5:
		length = 4
	default:
		return v, wire, 0, errors.New("wire type")
	}
	if length > uint64(len(b)-at) {
		return v, wire, 0, errors.New("beyond the end")
	}
	v.bytes = b[at : at+int(length)]
	return v, wire, at + int(length), nil
}

// decode insists on the one encoding of a message and gives its known fields in order.
func (m messages) decode(name string, b []byte) ([]value, error) {
	fields := m[name]
	highest := uint64(0)
	for number := range fields {
		highest = max(highest, number)
	}
	var values []value
	last := uint64(0)
	for len(b) > 0 {
		v, wire, size, err := next(b)
		if err != nil {
			return nil, err
		}
		b = b[size:]
		f, known := fields[v.number]
		switch {
		case !known && v.number < highest:
			return nil, errors.New("a field that nobody knows")
		case v.number < last:
			return nil, errors.New("fields out of order")
		case known && v.number == last && f.rule != "repeated":
			return nil, errors.New("a field twice")
		}
		last = v.number
		if !known {
			continue
		}
		if err := m.check(f, v, wire); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

func (m messages) check(f field, v value, wire uint64) error {
	most, isNumber := map[string]uint64{"uint32": 1<<32 - 1, "uint64": 1<<53 - 1, "bool": 1}[f.kind]
	if isNumber {
		if wire != 0 || v.varint > most || (v.varint == 0 && f.rule == "") {
			return errors.New("no number of its type")
		}
		return nil
	}
	if wire != 2 {
		return errors.New("wire type")
	}
	if _, isMessage := m[f.kind]; isMessage {
		_, err := m.decode(f.kind, v.bytes)
		return err
	}
	if len(v.bytes) == 0 && f.rule == "" {
		return errors.New("nothing, which is left out")
	}
	if f.kind == "string" && !utf8.Valid(v.bytes) {
		return errors.New("no UTF-8")
	}
	return nil
}

func hashOf(b []byte) []byte {
	hash := sha256.Sum256(b)
	return hash[:]
}
