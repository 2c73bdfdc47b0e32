package main

import (
	"unicode"
	"unicode/utf8"
)

type textFile struct {
	Good, Bad []struct{ Name, Utf8 string }
}

// hidden are the characters that no text has: fixed, whatever a newer Unicode says of them.
var hidden = [][2]rune{{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff}, {0xfeff, 0xfeff}, {0xfff9, 0xffff}}

// assigned are the categories of what Unicode assigns; the tables of Go are those of 15.0.
var assigned = []*unicode.RangeTable{unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co}

// isText judges characters and length. The standard library has no normal form C.
func isText(b []byte) bool {
	if n := utf8.RuneCount(b); !utf8.Valid(b) || n < 1 || n > 64 {
		return false
	}
	for _, r := range string(b) {
		if !unicode.In(r, assigned...) {
			return false
		}
		for _, each := range hidden {
			if r >= each[0] && r <= each[1] {
				return false
			}
		}
	}
	return true
}

// byNormalForm are refused for their normal form alone.
var byNormalForm = map[string]bool{
	"a letter and a mark that compose": true, "marks out of order": true,
	"a character that normal form C replaces": true, "Hangul in parts": true,
}

func verifyTexts(f textFile) {
	for _, v := range f.Good {
		expect(isText(unhex(v.Utf8)), "text, %s", v.Name)
	}
	for _, v := range f.Bad {
		if !byNormalForm[v.Name] {
			expect(!isText(unhex(v.Utf8)), "text, %s, is taken", v.Name)
		}
	}
}
