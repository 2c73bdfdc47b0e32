package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

type cosignatureFile struct {
	NetworkID, Checkpoint string
	Good                  []struct{ Name, Cosignature, Line, VerifierKey string }
	Bad                   []struct{ Name, Error, Cosignature string }
}

// A time after the year 9999 is none.
const lastSecond = 253402300799

// isCosigned says whether the witness has signed the note with this text, and refuses what is no cosignature.
func isCosigned(cosignature []byte, text string) (bool, error) {
	if len(cosignature) != 104 || !isKey(cosignature[:32]) {
		return false, errors.New("no cosignature")
	}
	seconds := binary.BigEndian.Uint64(cosignature[32:40])
	if seconds > lastSecond {
		return false, errors.New("no time")
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, text)
	return ed25519.Verify(cosignature[:32], []byte(message), cosignature[40:]), nil
}

// openCosigned verifies a line of a note as C2SP tlog-cosignature says, by the verifier key of the witness.
func openCosigned(verifierKey, line, text string) error {
	parts := strings.SplitN(verifierKey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 3 || len(key) != 33 || key[0] != 4 {
		return errors.New("no key of a witness")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if hex.EncodeToString(id[:4]) != parts[1] || len(fields) != 3 || fields[0] != "\u2014" || fields[1] != parts[0] {
		return errors.New("the line is of another key")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(blob) != 76 || !bytes.Equal(blob[:4], id[:4]) {
		return errors.New("the line has no cosignature")
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(blob[4:12]), text)
	if !ed25519.Verify(key[1:], []byte(message), blob[12:]) {
		return errors.New("the witness has not signed the note")
	}
	return nil
}

func verifyCosignatures(m messages, f cosignatureFile, origin string) {
	text, err := noteText(m, f.Checkpoint, f.NetworkID, origin)
	expect(err == nil, "checkpoint of the cosignatures: %v", err)
	for _, v := range f.Good {
		signed, err := isCosigned(unhex(v.Cosignature), text)
		expect(signed && err == nil, "cosignature %s: %v", v.Name, err)
		err = openCosigned(v.VerifierKey, v.Line, text)
		expect(err == nil, "line of the cosignature %s: %v", v.Name, err)
		expect(openCosigned(v.VerifierKey, v.Line, text+"x") != nil, "the line %s is taken for another text", v.Name)
	}
	for _, v := range f.Bad {
		signed, err := isCosigned(unhex(v.Cosignature), text)
		expect(!signed && (err != nil) == (v.Error == "InvalidPayloadError"), "cosignature %s is taken: %v", v.Name, err)
	}
}
