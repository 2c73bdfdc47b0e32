package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

type noteFile struct {
	NetworkID, Origin, VerifierKey string
	Good, Bad                      []struct{ Name, Checkpoint, Note string }
}

// openNote verifies a note as C2SP signed-note says: the text, an empty line, and a line of the key that is known.
func openNote(verifierKey, note string) (text string, err error) {
	parts := strings.SplitN(verifierKey, "+", 3)
	if len(parts) != 3 {
		return "", errors.New("no verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 1 {
		return "", errors.New("no Ed25519 key")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if hex.EncodeToString(id[:4]) != parts[1] {
		return "", errors.New("the hash of the key is another")
	}
	at := strings.LastIndex(note, "\n\n")
	if at < 0 {
		return "", errors.New("no empty line")
	}
	text = note[:at+1]
	for _, line := range strings.Split(strings.TrimSuffix(note[at+2:], "\n"), "\n") {
		fields := strings.Split(line, " ")
		if len(fields) != 3 || fields[0] != "\u2014" || fields[1] != parts[0] {
			continue
		}
		signature, err := base64.StdEncoding.DecodeString(fields[2])
		if err == nil && len(signature) == 68 && bytes.Equal(signature[:4], id[:4]) && ed25519.Verify(key[1:], []byte(text), signature[4:]) {
			return text, nil
		}
	}
	return "", errors.New("no signature of the key")
}

// noteText makes the five lines of a checkpoint's note.
func noteText(m messages, checkpoint, networkID, origin string) (string, error) {
	payload, err := open(m, kinds["checkpoint"], unhex(checkpoint), unhex(networkID))
	fields, _ := m.decode("Checkpoint", payload)
	var epoch, n uint64
	var head []byte
	for _, field := range fields {
		switch field.number {
		case 3:
			epoch = field.varint
		case 4:
			n = field.varint
		case 5:
			head = field.bytes
		}
	}
	hash := sha256.Sum256(payload)
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s\n%s\n%s\nepoch %d\ncheckpoint %s\n", origin, strconv.FormatUint(n+1, 10), b64(head), epoch, b64(hash[:])), err
}

// verifyNotes compares each note with the checkpoint that it is of.
func verifyNotes(m messages, f noteFile) {
	for _, v := range f.Good {
		text, err := openNote(f.VerifierKey, v.Note)
		want, openErr := noteText(m, v.Checkpoint, f.NetworkID, f.Origin)
		expect(err == nil && openErr == nil && text == want, "note %s: %v %v", v.Name, err, openErr)
	}
	for _, v := range f.Bad {
		_, err := openNote(f.VerifierKey, v.Note)
		expect(err != nil, "note %s is taken", v.Name)
	}
}
