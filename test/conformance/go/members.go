package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
)

// isFree tells whether a name waits for nobody. One's own, which is in `names`, is not asked for.
func (r *replica) isFree(e entry, name string) bool {
	held, isHeld := r.held[name]
	return !isHeld || e.timeMs >= held.timeMs+of(r.policy(), 7).varint
}

func (r *replica) judgeAdmit(e entry, body []value, isRevoked bool) error {
	key, name, via := of(body, 1).bytes, string(of(body, 2).bytes), of(body, 5).varint
	groups, ephemeralMs := ofAll(body, 9), of(body, 10).varint
	owner := r.row("names", []byte(name))
	if isRevoked || (owner != nil && !bytes.Equal(owner, key)) {
		return errors.New("revoked, or the name is another member's")
	}
	if via == viaFounder && (len(r.tables["members"]) > 0 || len(r.tables["revoked"]) > 0) {
		return errors.New("a founder of what is there")
	}
	if of(body, 4).varint > e.timeMs+of(r.policy(), 2).varint+skewMs {
		return errors.New("a membership that is too long")
	}
	join, err := signed{}, error(nil)
	if via != viaFounder {
		if join, err = r.judgeJoin(body); err != nil {
			return err
		}
	}
	var grant []value
	if via == viaInvite {
		if grant, err = r.judgeUse(e, body, join); err != nil {
			return err
		}
	}
	isGiven := slices.Equal(groups, ofAll(grant, 5)) && ephemeralMs == of(grant, 10).varint
	if via != viaApproved && !isGiven {
		return errors.New("groups or an end that nobody gave")
	}
	isReplaced := via == viaInvite && string(of(grant, 6).bytes) == name
	goesOver := via == viaApproved && r.held[name].n == e.n-1
	return wants(owner != nil || isReplaced || goesOver || r.isFree(e, name), "the name of a revoked member")
}

// judgeJoin opens the join and the receipt.
func (r *replica) judgeJoin(body []value) (join signed, err error) {
	if join, err = r.inside("join", of(body, 7).bytes); err != nil {
		return join, err
	}
	f := join.fields
	isSame := bytes.Equal(join.signer, of(body, 1).bytes) && bytes.Equal(of(f, 3).bytes, join.signer) &&
		bytes.Equal(of(f, 4).bytes, of(body, 2).bytes) && of(f, 5).varint == of(body, 3).varint
	if !isSame {
		return join, errors.New("a join of another key, name or role")
	}
	if envelope := of(body, 8).bytes; envelope != nil {
		receipt, err := r.inside("receipt", envelope)
		if err != nil || !bytes.Equal(of(receipt.fields, 3).bytes, join.hash) {
			return join, fmt.Errorf("a receipt of another join: %v", err)
		}
	}
	return join, nil
}

// judgeUse gives the body of the grant by which somebody is admitted.
func (r *replica) judgeUse(e entry, body []value, join signed) ([]value, error) {
	key, id := of(body, 1).bytes, of(body, 6).bytes
	row := r.row("grants", id)
	if row == nil || r.spent[string(key)+string(id)] {
		return nil, errors.New("no grant is open, or it was taken by this key before")
	}
	_, grant := r.entryOf(row[:32])
	f, inviteKey := join.fields, of(grant, 2).bytes
	proof := slices.Concat([]byte("trustnet/invite/v1"), r.networkID, key, id)
	fits := bytes.Equal(of(f, 6).bytes, id) && bytes.Equal(of(f, 7).bytes, inviteKey) && of(f, 5).varint == of(grant, 3).varint &&
		ed25519.Verify(inviteKey, proof, of(f, 8).bytes)
	if name := of(grant, 4).bytes; !fits || (name != nil && !bytes.Equal(name, of(body, 2).bytes)) {
		return nil, errors.New("a join that does not fit the grant")
	}
	receivedMs := e.timeMs
	if envelope := of(body, 8).bytes; envelope != nil {
		receipt, _ := r.inside("receipt", envelope)
		receivedMs = of(receipt.fields, 4).varint
		if r.row("registries", receipt.signer) == nil || receivedMs > e.timeMs+skewMs || receivedMs+dayMs < e.timeMs {
			return nil, errors.New("a receipt of nobody in the set, or of another day")
		}
	}
	if receivedMs > of(grant, 8).varint {
		return nil, errors.New("after the end of the grant")
	}
	replaced := r.row("names", of(grant, 6).bytes)
	return grant, wants(replaced == nil || bytes.Equal(replaced, key), "in the place of a member")
}

func (r *replica) judgeRenew(e entry, body []value, isRevoked bool) error {
	m, until := r.memberOf(of(body, 1).bytes), of(body, 2).varint
	if isRevoked || m == nil {
		return errors.New("no member")
	}
	request, err := r.inside("renew", of(body, 3).bytes)
	if err != nil || !bytes.Equal(request.signer, of(body, 1).bytes) || of(request.fields, 4).varint != m.notAfterMs {
		return fmt.Errorf("a request of another key, or for another membership: %v", err)
	}
	return wants(until >= m.notAfterMs && until <= e.timeMs+of(r.policy(), 2).varint+skewMs, "shorter, or too long")
}

func (r *replica) isRootHere(key []byte) bool {
	root, n := r.rootOf()
	return n > r.forkN() && root == string(key)
}

func (r *replica) judgeRevoke(key []byte, name string, isRevoked bool) error {
	want := ""
	if m := r.memberOf(key); m != nil {
		want = m.name
	}
	return wants(!isRevoked && name == want && !r.isRootHere(key), "revoked, the root, or another name")
}

func (r *replica) judgeRotate(body []value, isRevoked bool) error {
	from, to := of(body, 1).bytes, of(body, 2).bytes
	if isRevoked || r.row("revoked", to) != nil || r.memberOf(from) == nil || r.memberOf(to) != nil {
		return errors.New("not from a member to a key of nobody")
	}
	before, err := r.inside("rotate", of(body, 3).bytes)
	if err != nil {
		return err
	}
	after, err := r.inside("rotate", of(body, 4).bytes)
	if err != nil {
		return err
	}
	isSame := bytes.Equal(before.signer, from) && bytes.Equal(after.signer, to) && bytes.Equal(before.hash, after.hash) &&
		bytes.Equal(of(before.fields, 3).bytes, from) && bytes.Equal(of(before.fields, 4).bytes, to)
	return wants(isSame, "one of the keys has not signed")
}
