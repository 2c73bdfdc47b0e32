package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// entry is an opened entry of the log.
type entry struct {
	signer, hash, prevHash, body []byte
	n, epoch, kind, timeMs       uint64
	orders                       [][]byte
}

// heldName is who had a name when it was revoked: where the log says so, and when.
type heldName struct{ n, timeMs uint64 }

// replica follows a log from its genesis: chain, signers, the rules of each kind, and the rows behind the state root.
type replica struct {
	m         messages
	networkID []byte
	log       []entry
	envelopes [][]byte
	tables    map[string]map[string][]byte
	names     map[string]string
	uses      map[string]uint64
	// held are the names of revoked members, spent the keys with the grants by which a membership was, and was ended.
	held  map[string]heldName
	spent map[string]bool
	epoch uint64
}

func of(values []value, number uint64) (v value) {
	for _, each := range values {
		if each.number == number {
			return each
		}
	}
	return v
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func openReplica(m messages, genesis []byte) (*replica, error) {
	payload, err := open(m, kinds["genesis"], genesis, nil)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(payload)
	r := &replica{m: m, networkID: hash[:], log: []entry{{hash: hash[:]}}, envelopes: [][]byte{genesis}}
	return r, r.reset()
}

// clone gives a replica that goes its own way from here.
func (r *replica) clone() *replica {
	c := *r
	c.log, c.envelopes = slices.Clone(r.log), slices.Clone(r.envelopes)
	c.names, c.uses, c.tables = maps.Clone(r.names), maps.Clone(r.uses), map[string]map[string][]byte{}
	c.held, c.spent = maps.Clone(r.held), maps.Clone(r.spent)
	for table, rows := range r.tables {
		c.tables[table] = maps.Clone(rows)
	}
	return &c
}

// reset goes back to the state of the genesis.
func (r *replica) reset() error {
	payload, err := open(r.m, kinds["genesis"], r.envelopes[0], nil)
	if err != nil {
		return err
	}
	fields, err := r.m.decode("Genesis", payload)
	r.tables, r.names, r.uses = map[string]map[string][]byte{}, map[string]string{}, map[string]uint64{}
	r.held, r.spent, r.epoch = map[string]heldName{}, map[string]bool{}, 0
	r.set("authority", nil, of(fields, 4).bytes, of(fields, 5).bytes)
	r.set("log-keys", u64(0), of(fields, 6).bytes, u64(0), make([]byte, 32))
	r.set("policy", nil, r.networkID)
	return err
}

func (r *replica) set(table string, key []byte, parts ...[]byte) {
	if r.tables[table] == nil {
		r.tables[table] = map[string][]byte{}
	}
	r.tables[table][string(key)] = slices.Concat(parts...)
}

func (r *replica) row(table string, key []byte) []byte { return r.tables[table][string(key)] }

func (r *replica) drop(table string, key []byte) { delete(r.tables[table], string(key)) }

func (r *replica) head() entry { return r.log[len(r.log)-1] }

func openEntry(m messages, networkID, envelope []byte) (e entry, err error) {
	payload, err := open(m, kinds["log-entry"], envelope, networkID)
	if err != nil {
		return e, err
	}
	outer, _ := m.decode("Envelope", envelope)
	fields, _ := m.decode("LogEntry", payload)
	hash := sha256.Sum256(payload)
	var orders [][]byte
	for _, each := range ofAll(fields, 9) {
		orders = append(orders, []byte(each))
	}
	return entry{
		signer: outer[0].bytes[4:], hash: hash[:], prevHash: of(fields, 4).bytes, body: of(fields, 8).bytes,
		n: of(fields, 3).varint, epoch: of(fields, 5).varint, kind: of(fields, 7).varint,
		timeMs: of(fields, 6).varint, orders: orders,
	}, nil
}

// follow takes the next entry, or refuses it and stays as it was.
func (r *replica) follow(envelope []byte) error {
	e, err := openEntry(r.m, r.networkID, envelope)
	if err != nil {
		return err
	}
	if e.n == 0 || e.n > uint64(len(r.log)) || (e.n < uint64(len(r.log)) && e.kind != 6) {
		return fmt.Errorf("entry %d does not follow entry %d", e.n, r.head().n)
	}
	if !bytes.Equal(e.prevHash, r.log[e.n-1].hash) {
		return fmt.Errorf("entry %d names another hash before", e.n)
	}
	body, err := r.m.decode(bodyName(e.kind), e.body)
	if err != nil {
		return err
	}
	if err := r.maySign(e, body); err != nil {
		return err
	}
	next := r.clone()
	if e.n < uint64(len(r.log)) {
		if slices.ContainsFunc(r.log[e.n:], func(each entry) bool { return bodyName(each.kind) == "Authority" }) {
			return errors.New("it takes the word of an authority back")
		}
		if err := next.goBack(e.n); err != nil {
			return err
		}
	}
	if err := next.judge(e, body); err != nil {
		return fmt.Errorf("entry %d: %w", e.n, err)
	}
	next.apply(e, body)
	next.log, next.envelopes = append(next.log, e), append(next.envelopes, envelope)
	*r = *next
	return nil
}

// lead takes a delegate or authority entry whatever lies before it: several lead from the genesis to the log key of today.
func (r *replica) lead(envelope []byte) error {
	e, err := openEntry(r.m, r.networkID, envelope)
	if err != nil {
		return err
	}
	if e.kind != 6 && e.kind != 7 {
		return errors.New("an entry that leads nowhere")
	}
	body, err := r.m.decode(bodyName(e.kind), e.body)
	if err == nil {
		err = r.maySign(e, body)
	}
	if err == nil {
		r.apply(e, body)
	}
	return err
}

// goBack undoes the entries from n on.
func (r *replica) goBack(n uint64) error {
	kept := r.envelopes[1:n]
	r.log, r.envelopes = r.log[:1], r.envelopes[:1]
	if err := r.reset(); err != nil {
		return err
	}
	for _, each := range kept {
		if err := r.follow(each); err != nil {
			return err
		}
	}
	return nil
}

func bodyName(kind uint64) string {
	if kind < uint64(len(bodies)) {
		return bodies[kind]
	}
	return ""
}

func (r *replica) maySign(e entry, body []value) error {
	authority := r.row("authority", nil)
	want := r.row("log-keys", u64(e.epoch))
	isNewEpoch := e.kind == 6
	switch e.kind {
	case 6:
		want = authority
	case 7:
		want = of(body, 1).bytes
		if digest := sha256.Sum256(want); !bytes.Equal(digest[:], authority[32:]) {
			return errors.New("nobody committed to this authority")
		}
	}
	if (isNewEpoch && e.epoch <= r.epoch) || (!isNewEpoch && e.epoch != r.epoch) {
		return fmt.Errorf("entry %d is of epoch %d, the log is in %d", e.n, e.epoch, r.epoch)
	}
	if len(want) < 32 || !bytes.Equal(e.signer, want[:32]) {
		return fmt.Errorf("entry %d is signed by a key that may not sign it", e.n)
	}
	return nil
}

func (r *replica) apply(e entry, body []value) {
	key := of(body, 1).bytes
	switch bodyName(e.kind) {
	case "Admit":
		r.leave(key)
		r.member(key, of(body, 2).bytes, e.hash, of(body, 4).varint)
		if id := of(body, 6).bytes; r.row("grants", id) != nil {
			r.use(id)
		}
	case "Renew":
		if row := r.row("members", key); row != nil {
			r.set("members", key, row[:32], u64(of(body, 2).varint), row[40:])
		}
	case "Revoke":
		if name := of(body, 3).bytes; name != nil {
			r.held[string(name)] = heldName{e.n, e.timeMs}
		}
		r.leave(key)
		r.drop("registries", key)
		r.set("revoked", key, e.hash)
	case "Rotate":
		r.rotate(e, key, of(body, 2).bytes)
	case "RegistrySet":
		r.toggle("registries", e, key, of(body, 3).varint == 1)
	case "Delegate":
		r.epoch = e.epoch
		r.set("log-keys", u64(e.epoch), key, u64(e.n-1), e.prevHash)
	case "Authority":
		r.set("authority", nil, key, of(body, 2).bytes)
	case "Publisher":
		r.toggle("publishers", e, key, of(body, 2).varint == 1)
	case "Publish":
		r.set("documents", key, e.hash, make([]byte, 32))
	case "Retire":
		r.set("documents", key, r.row("documents", key)[:32], e.hash)
	case "Policy":
		r.set("policy", nil, e.hash)
	case "Grant":
		r.uses[string(key)] = of(body, 7).varint
		r.set("grants", key, e.hash, u64(0))
	case "GrantEnd":
		r.drop("grants", key)
	case "Change":
		r.change(e, key, of(body, 2).bytes)
	case "End":
		if m := r.memberOf(key); m != nil && m.grantID != nil && m.ephemeralMs == 0 {
			r.spent[string(key)+string(m.grantID)] = true
		}
		r.leave(key)
		r.drop("registries", key)
	case "Operator":
		r.toggle("operators", e, key, of(body, 3).varint == 1)
	}
}

func (r *replica) toggle(table string, e entry, key []byte, isRemoved bool) {
	if isRemoved {
		r.drop(table, key)
	} else {
		r.set(table, key, e.hash)
	}
}

func (r *replica) member(key, name, hash []byte, notAfterMs uint64) {
	r.set("members", key, hash, u64(notAfterMs))
	r.set("names", name, key)
	r.names[string(key)] = string(name)
}

// leave takes a membership away, and its name where that is still its own.
func (r *replica) leave(key []byte) {
	name := []byte(r.names[string(key)])
	if bytes.Equal(r.row("names", name), key) {
		r.drop("names", name)
	}
	delete(r.names, string(key))
	r.drop("members", key)
}

func (r *replica) change(e entry, key, name []byte) {
	row := r.row("members", key)
	r.leave(key)
	r.member(key, name, row[:32], binary.BigEndian.Uint64(row[32:40]))
	r.set("members", key, row[:40], e.hash)
}

func (r *replica) rotate(e entry, from, to []byte) {
	row, name := r.row("members", from), r.names[string(from)]
	r.leave(from)
	r.member(to, []byte(name), e.hash, binary.BigEndian.Uint64(row[32:40]))
	r.set("members", to, e.hash, row[32:])
	if set := r.row("registries", from); set != nil {
		r.drop("registries", from)
		r.set("registries", to, set)
	}
	r.set("revoked", from, e.hash)
}

func (r *replica) use(id []byte) {
	row := r.row("grants", id)
	taken := binary.BigEndian.Uint64(row[32:]) + 1
	if taken >= r.uses[string(id)] {
		r.drop("grants", id)
	} else {
		r.set("grants", id, row[:32], u64(taken))
	}
}

// root is the state root: a tree over all rows.
func (r *replica) root() []byte {
	type leaf struct{ key, value [32]byte }
	buckets := make([][]leaf, 4096)
	for table, rows := range r.tables {
		for key, row := range rows {
			hash := sha256.Sum256(slices.Concat([]byte(table), []byte{0}, []byte(key)))
			at := int(hash[0])<<4 | int(hash[1])>>4
			buckets[at] = append(buckets[at], leaf{hash, sha256.Sum256(row)})
		}
	}
	level := make([][]byte, len(buckets))
	for i, leaves := range buckets {
		slices.SortFunc(leaves, func(a, b leaf) int { return bytes.Compare(a.key[:], b.key[:]) })
		all := []byte{0}
		for _, each := range leaves {
			all = append(append(all, each.key[:]...), each.value[:]...)
		}
		hash := sha256.Sum256(all)
		level[i] = hash[:]
	}
	for len(level) > 1 {
		for i := 0; i < len(level); i += 2 {
			hash := sha256.Sum256(slices.Concat([]byte{1}, level[i], level[i+1]))
			level[i/2] = hash[:]
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

// checkpoint verifies one by its signer, the log key of its epoch, and gives its fields.
func (r *replica) checkpoint(envelope []byte) ([]value, error) {
	payload, err := open(r.m, kinds["checkpoint"], envelope, r.networkID)
	if err != nil {
		return nil, err
	}
	outer, _ := r.m.decode("Envelope", envelope)
	fields, _ := r.m.decode("Checkpoint", payload)
	logKey := r.row("log-keys", u64(of(fields, 3).varint))
	if len(logKey) < 32 || !bytes.Equal(outer[0].bytes[4:], logKey[:32]) {
		return nil, errors.New("the checkpoint is signed by a key that may not sign it")
	}
	return fields, nil
}

// covers wants a checkpoint to say the head and the state that are here.
func (r *replica) covers(envelope []byte) error {
	fields, err := r.checkpoint(envelope)
	if err != nil {
		return err
	}
	if of(fields, 4).varint != r.head().n || !bytes.Equal(of(fields, 5).bytes, r.head().hash) {
		return errors.New("the checkpoint is of another head")
	}
	if !bytes.Equal(of(fields, 6).bytes, r.root()) {
		return errors.New("the state root is another")
	}
	return nil
}

type stateLog struct {
	Genesis, Checkpoint string
	Entries, Roots      []string
}

// verifyState follows the recorded log and compares the root behind each of its entries.
func verifyState(m messages, f stateLog) {
	r, err := openReplica(m, unhex(f.Genesis))
	expect(err == nil && bytes.Equal(r.root(), unhex(f.Roots[0])), "the root of the genesis: %v", err)
	for i, each := range f.Entries {
		err := r.follow(unhex(each))
		expect(err == nil && bytes.Equal(r.root(), unhex(f.Roots[i+1])), "the root behind entry %d: %v", i+1, err)
	}
	expect(r.covers(unhex(f.Checkpoint)) == nil, "the checkpoint covers the log")
}
