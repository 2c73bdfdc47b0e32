package main

import (
	"errors"
	"fmt"
	"io"
)

// readFrame reads a length and as many bytes; the length is judged before any byte behind it.
func readFrame(r io.Reader, most uint64) ([]byte, error) {
	var head []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, one); err != nil {
			return nil, err
		}
		if head = append(head, one[0]); one[0] < 0x80 {
			break
		}
		if len(head) == 4 {
			return nil, errors.New("a length of more than 4 bytes")
		}
	}
	size, n := varint(head)
	if n == 0 || size == 0 || size > most {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}
