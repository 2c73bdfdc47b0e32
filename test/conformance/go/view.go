package main

import (
	"bytes"
	"encoding/binary"
)

// ofAll gives all values of a field.
func ofAll(values []value, number uint64) (all []string) {
	for _, each := range values {
		if each.number == number {
			all = append(all, string(each.bytes))
		}
	}
	return all
}

// numbers gives the numbers of a repeated field.
func numbers(values []value, number uint64) (all []uint64) {
	for _, each := range values {
		if each.number == number {
			all = append(all, each.varint)
		}
	}
	return all
}

// signed is an opened object inside an entry.
type signed struct {
	signer, hash []byte
	fields       []value
}

func (r *replica) inside(name string, envelope []byte) (s signed, err error) {
	payload, err := open(r.m, kinds[name], envelope, r.networkID)
	if err != nil {
		return s, err
	}
	outer, _ := r.m.decode("Envelope", envelope)
	fields, err := r.m.decode(kinds[name].message, payload)
	return signed{signer: outer[0].bytes[4:], hash: hashOf(payload), fields: fields}, err
}

// entryOf finds an entry by its hash, with its body.
func (r *replica) entryOf(hash []byte) (e entry, body []value) {
	for _, each := range r.log[1:] {
		if bytes.Equal(each.hash, hash) {
			body, _ = r.m.decode(bodyName(each.kind), each.body)
			return each, body
		}
	}
	return e, nil
}

// holder is a member as the log says it.
type holder struct {
	name                      string
	role, ephemeralMs, newest uint64
	notAfterMs                uint64
	groups                    []string
	grantID, admitHash        []byte
}

// admission follows rotations back to the admit entry of a membership.
func (r *replica) admission(hash []byte) []value {
	e, body := r.entryOf(hash)
	if bodyName(e.kind) != "Rotate" {
		return body
	}
	for at := int(e.n) - 1; at > 0; at-- {
		before := r.log[at]
		fields, _ := r.m.decode(bodyName(before.kind), before.body)
		isOf := bodyName(before.kind) == "Admit" && bytes.Equal(of(fields, 1).bytes, of(body, 1).bytes)
		isTo := bodyName(before.kind) == "Rotate" && bytes.Equal(of(fields, 2).bytes, of(body, 1).bytes)
		if isOf || isTo {
			return r.admission(before.hash)
		}
	}
	return nil
}

// memberOf is nil when the key is no member.
func (r *replica) memberOf(key []byte) *holder {
	row := r.row("members", key)
	if row == nil {
		return nil
	}
	admitted, _ := r.entryOf(row[:32])
	body := r.admission(row[:32])
	h := &holder{
		name: r.names[string(key)], role: of(body, 3).varint, ephemeralMs: of(body, 10).varint, newest: admitted.n,
		notAfterMs: binary.BigEndian.Uint64(row[32:40]), groups: ofAll(body, 9), grantID: of(body, 6).bytes, admitHash: row[:32],
	}
	if len(row) > 40 {
		changed, change := r.entryOf(row[40:])
		h.role, h.groups, h.newest = of(change, 3).varint, ofAll(change, 4), changed.n
	}
	if set := r.row("registries", key); set != nil && h.role <= 2 {
		_, said := r.entryOf(set)
		h.role = of(said, 2).varint
	}
	return h
}

// rootOf gives the key of the root and the place of the entry that made it so.
func (r *replica) rootOf() (key string, n uint64) {
	for each, hash := range r.tables["registries"] {
		e, body := r.entryOf(hash)
		if of(body, 2).varint == rootRole && e.n >= n {
			key, n = each, e.n
		}
	}
	return key, n
}

func (r *replica) policy() []value {
	hash := r.row("policy", nil)
	if _, body := r.entryOf(hash); body != nil {
		return body
	}
	payload, _ := open(r.m, kinds["genesis"], r.envelopes[0], nil)
	fields, _ := r.m.decode("Genesis", payload)
	policy, _ := r.m.decode("Policy", of(fields, 8).bytes)
	return policy
}

func (r *replica) forkN() uint64 {
	return binary.BigEndian.Uint64(r.row("log-keys", u64(r.epoch))[32:40])
}
