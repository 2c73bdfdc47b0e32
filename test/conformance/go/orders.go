package main

import (
	"bytes"
	"errors"
	"slices"
)

// unwatched is how many entries behind a delegate need no order.
const unwatched = 8

// about gives the place of the newest entry about what an entry changes.
func (r *replica) about(e entry, body []value) (n uint64) {
	key := of(body, 1).bytes
	place := func(hash []byte) uint64 {
		found, _ := r.entryOf(hash)
		return found.n
	}
	switch bodyName(e.kind) {
	case "Admit", "Revoke", "Change", "End":
		if m := r.memberOf(key); m != nil {
			n = m.newest
		}
	case "RegistrySet":
		n = place(r.row("registries", key))
	case "Publisher":
		n = place(r.row("publishers", key))
	case "Operator":
		n = place(r.row("operators", key))
	case "GrantEnd":
		if row := r.row("grants", key); row != nil {
			n = place(row[:32])
		}
	case "Retire":
		if row := r.row("documents", key); row != nil {
			n = place(row[:32])
		}
	case "Policy":
		n = place(r.row("policy", nil))
	}
	return n
}

func (r *replica) judgeOrders(e entry, body []value) error {
	by, newestMs, oldestMs := map[string]bool{}, uint64(0), e.timeMs
	for _, envelope := range e.orders {
		order, err := r.inside("order", envelope)
		if err != nil {
			return err
		}
		f, digest := order.fields, hashOf(e.body)
		if join := of(body, 7).bytes; bodyName(e.kind) == "Admit" && join != nil {
			asked, err := r.inside("join", join)
			if err != nil {
				return err
			}
			digest = asked.hash
		}
		isOf := bytes.Equal(of(f, 3).bytes, order.signer) && of(f, 4).varint == e.kind && bytes.Equal(of(f, 5).bytes, digest)
		seen := of(f, 7).varint
		if !isOf || of(f, 6).varint != r.epoch || seen >= e.n || seen < r.about(e, body) {
			return errors.New("an order for something else, or by one who has not seen what is there")
		}
		if r.row("operators", order.signer) == nil || by[string(order.signer)] {
			return errors.New("an order of no operator, or two of one")
		}
		by[string(order.signer)] = true
		newestMs, oldestMs = max(newestMs, of(f, 8).varint), min(oldestMs, of(f, 8).varint)
	}
	isInTime := newestMs+skewMs >= e.timeMs && newestMs <= e.timeMs+skewMs && oldestMs+dayMs >= e.timeMs
	if len(by) > 0 && !isInTime {
		return errors.New("an order of another time")
	}
	return wants(len(by) >= r.due(e, body), "too few orders")
}

// due is how many orders an entry needs.
func (r *replica) due(e entry, body []value) int {
	if len(r.tables["operators"]) == 0 || (r.epoch > 0 && e.n <= r.forkN()+1+unwatched) {
		return 0
	}
	if slices.Contains(numbers(r.policy(), 15), e.kind) && r.isByPerson(e, body) {
		return 2
	}
	if slices.Contains([]string{"Grant", "Change", "Policy", "Operator"}, bodyName(e.kind)) {
		return 1
	}
	return 0
}

// isByPerson tells whether a person causes the entry, and no machine.
func (r *replica) isByPerson(e entry, body []value) bool {
	key := of(body, 1).bytes
	m := r.memberOf(key)
	switch bodyName(e.kind) {
	case "Admit":
		isSame := m != nil && m.name == string(of(body, 2).bytes) && m.role == of(body, 3).varint && slices.Equal(m.groups, ofAll(body, 9))
		return of(body, 5).varint == viaApproved && !isSame
	case "Revoke":
		for _, row := range r.tables["grants"] {
			_, grant := r.entryOf(row[:32])
			if name := of(grant, 6).bytes; name != nil && bytes.Equal(name, of(body, 3).bytes) {
				return false
			}
		}
	case "RegistrySet":
		return of(body, 3).varint == 1
	case "End":
		return of(body, 3).bytes == nil && (m == nil || m.ephemeralMs == 0)
	case "GrantEnd":
		if row := r.row("grants", key); row != nil {
			_, grant := r.entryOf(row[:32])
			return e.timeMs <= of(grant, 8).varint+dayMs+skewMs
		}
	case "Renew", "Rotate", "Delegate", "Authority", "Publish":
		return false
	}
	return true
}
