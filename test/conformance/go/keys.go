package main

import (
	"math/big"
	"slices"
)

var (
	prime, _  = new(big.Int).SetString("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 16)
	curveD, _ = new(big.Int).SetString("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3", 16)
	order8, _ = new(big.Int).SetString("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16)
	one       = big.NewInt(1)
)

// isKey is true for 32 bytes that are an Ed25519 key: y below p, on the curve, not of small order.
func isKey(key []byte) bool {
	if len(key) != 32 {
		return false
	}
	big32 := slices.Clone(key)
	slices.Reverse(big32)
	big32[0] &= 0x7f
	y := new(big.Int).SetBytes(big32)
	small := []*big.Int{new(big.Int), one, new(big.Int).Sub(prime, one), order8, new(big.Int).Sub(prime, order8)}
	for _, each := range small {
		if y.Cmp(each) == 0 {
			return false
		}
	}
	square := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(square, one)
	v := new(big.Int).Add(new(big.Int).Mul(curveD, square), one)
	product := new(big.Int).Mod(new(big.Int).Mul(u, v), prime)
	return y.Cmp(prime) < 0 && big.Jacobi(product, prime) == 1
}
