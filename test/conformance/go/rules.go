package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Rules of docs/protocols/log-rules.md: what an entry needs of the entries before it.

const (
	skewMs       = 10 * 60_000
	dayMs        = 24 * 3_600_000
	rootRole     = 1
	mostOperator = 64
)

const (
	viaFounder, viaInvite, viaApproved = 0, 1, 2
	byNobody, byRegistries             = 2, 1
)

// judge is nil when the entry may follow.
func (r *replica) judge(e entry, body []value) error {
	if err := r.judgeOrders(e, body); err != nil {
		return err
	}
	key := of(body, 1).bytes
	isRevoked := r.row("revoked", key) != nil
	switch name := bodyName(e.kind); name {
	case "Admit":
		return r.judgeAdmit(e, body, isRevoked)
	case "Renew":
		return r.judgeRenew(e, body, isRevoked)
	case "Revoke":
		return r.judgeRevoke(key, string(of(body, 3).bytes), isRevoked)
	case "Rotate":
		return r.judgeRotate(body, isRevoked)
	case "RegistrySet":
		return wants(r.row(map[bool]string{true: "registries", false: "members"}[of(body, 3).varint == 1], key) != nil, "no row of this registry, or no member")
	case "Delegate":
		for _, row := range r.tables["log-keys"] {
			if bytes.Equal(row[:32], key) {
				return errors.New("a log key of before")
			}
		}
	case "Publisher":
		if of(body, 2).varint == 1 {
			return wants(r.row("publishers", key) != nil, "no publisher")
		}
		return wants(r.row("publishers", key) == nil && !isRevoked, "a publisher already, or revoked")
	case "Publish":
		return r.judgePublish(body)
	case "Retire":
		row := r.row("documents", key)
		return wants(row != nil && bytes.Equal(row[32:], make([]byte, 32)), "no document that is not retired")
	case "Policy":
		return r.judgePolicyEntry(body)
	case "Grant":
		return r.judgeGrant(e, body)
	case "GrantEnd":
		return wants(r.row("grants", key) != nil, "no open grant")
	case "Change":
		return r.judgeChange(e, body)
	case "End":
		return r.judgeEnd(body)
	case "Operator":
		return r.judgeOperator(body, isRevoked)
	}
	return nil
}

func wants(ok bool, otherwise string) error {
	if ok {
		return nil
	}
	return errors.New(otherwise)
}

func (r *replica) judgePublish(body []value) error {
	id, publisher, policy := of(body, 1).bytes, of(body, 6).bytes, r.policy()
	version, size := uint64(1), of(body, 5).varint
	for each, row := range r.tables["documents"] {
		_, published := r.entryOf(row[:32])
		switch {
		case each == string(id):
			version = of(published, 2).varint + 1
		case bytes.Equal(row[32:], make([]byte, 32)):
			size += of(published, 5).varint
		}
	}
	root, _ := r.rootOf()
	set := r.row("registries", publisher)
	may := string(publisher) == root || bytes.Equal(r.row("log-keys", u64(r.epoch))[:32], publisher) ||
		bytes.Equal(r.row("authority", nil)[:32], publisher) ||
		(r.row("publishers", publisher) != nil && of(policy, 13).varint != byNobody) ||
		(set != nil && of(policy, 13).varint == byRegistries)
	if !may || r.row("revoked", publisher) != nil {
		return errors.New("a publisher who may not")
	}
	return wants(of(body, 2).varint == version && size <= of(policy, 3).varint, "another version, or beyond the quota")
}

func (r *replica) judgePolicyEntry(body []value) error {
	if slices.ContainsFunc(numbers(body, 10), func(n uint64) bool { return n >= uint64(len(bodies)) }) {
		return errors.New("for a newer version")
	}
	if len(numbers(body, 15)) > 0 && len(r.tables["operators"]) < 2 {
		return errors.New("two operators, where there are none")
	}
	fits := func(said, asked string) bool { return said == "*" || (asked != "*" && said == asked) }
	for _, text := range ofAll(body, 12) {
		test, _ := r.m.decode("PolicyTest", []byte(text))
		allowed := len(ofAll(body, 11)) == 0
		for _, each := range ofAll(body, 11) {
			rule, _ := r.m.decode("PolicyRule", []byte(each))
			isAll := true
			for field := uint64(1); field <= 3; field++ {
				isAll = isAll && fits(string(of(rule, field).bytes), string(of(test, field).bytes))
			}
			allowed = allowed || isAll
		}
		if allowed != (of(test, 4).varint == 1) {
			return errors.New("a test has another answer")
		}
	}
	return nil
}

func (r *replica) judgeGrant(e entry, body []value) error {
	policy, uses := r.policy(), of(body, 7).varint
	isNamed := of(body, 4).bytes != nil || of(body, 6).bytes != nil
	ok := of(body, 3).varint != rootRole && r.row("grants", of(body, 1).bytes) == nil &&
		uint64(len(r.tables["grants"])) < of(policy, 4).varint && uses <= of(policy, 5).varint && (uses == 1 || !isNamed) &&
		of(body, 8).varint <= e.timeMs+of(policy, 6).varint+skewMs
	return wants(ok, "a grant that may not be")
}

func (r *replica) judgeChange(e entry, body []value) error {
	key, name, role := of(body, 1).bytes, of(body, 2).bytes, of(body, 3).varint
	m, owner := r.memberOf(key), r.row("names", name)
	if m == nil || (owner != nil && !bytes.Equal(owner, key)) || (owner == nil && !r.isFree(e, string(name))) {
		return errors.New("no member, or a name that is not free")
	}
	return wants(role == m.role || (role != rootRole && r.row("registries", key) == nil), "a role that a change does not give")
}

func (r *replica) judgeEnd(body []value) error {
	key := of(body, 1).bytes
	m := r.memberOf(key)
	if m == nil || r.isRootHere(key) {
		return errors.New("no member, or the root")
	}
	if envelope := of(body, 3).bytes; envelope != nil {
		request, err := r.inside("forget", envelope)
		if err != nil || !bytes.Equal(request.signer, key) || !bytes.Equal(of(request.fields, 4).bytes, m.admitHash) {
			return fmt.Errorf("a request of another key, or for another membership: %v", err)
		}
	}
	return nil
}

func (r *replica) judgeOperator(body []value, isRevoked bool) error {
	key, name, rows := of(body, 1).bytes, of(body, 2).bytes, r.tables["operators"]
	_, here := r.entryOf(r.row("operators", key))
	if of(body, 3).varint == 1 {
		left := len(rows) - 1
		isLast := left < 1 || (left < 2 && len(numbers(r.policy(), 15)) > 0)
		return wants(here != nil && bytes.Equal(of(here, 2).bytes, name) && !isLast, "no operator with this name, or the last one")
	}
	for _, hash := range rows {
		if _, other := r.entryOf(hash); bytes.Equal(of(other, 2).bytes, name) {
			return errors.New("another operator has the name")
		}
	}
	return wants(here == nil && !isRevoked && len(rows) < mostOperator, "an operator already, revoked, or one too many")
}
