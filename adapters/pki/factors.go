package pki

import (
	"crypto/sha256"
	"math/big"
	"sync"
)

// sound are moduli that do not give their factors away. A key comes with its
// request, at the check of the form and to be certified: to look for its factors
// takes as long as half a signature.
type sound struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]struct{}
}

// soundSeen is how many are remembered.
const soundSeen = 4096

// keeps tells whether a modulus keeps its factors.
func (s *sound) keeps(n *big.Int) bool {
	id := sha256.Sum256(n.Bytes())
	s.mu.Lock()
	_, known := s.seen[id]
	s.mu.Unlock()
	if known {
		return true
	}
	if factorable(n) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= soundSeen {
		s.seen = map[[sha256.Size]byte]struct{}{}
	}
	s.seen[id] = struct{}{}
	return true
}

// factorable tells a modulus that is known to give its factors away.
func factorable(n *big.Int) bool {
	return n.Bit(0) == 0 || smallFactor(n) || near(n) || infineon(n)
}

// smallFactor looks for those below 752 (CA/B BR §6.1.6).
func smallFactor(n *big.Int) bool {
	for _, p := range smallPrimes {
		if residue(n, p) == 0 {
			return true
		}
	}
	return false
}

var smallPrimes = primesBelow(752)

func primesBelow(limit uint64) []uint64 {
	var primes []uint64
	for p := uint64(2); p < limit; p++ {
		if big.NewInt(int64(p)).ProbablyPrime(0) {
			primes = append(primes, p)
		}
	}
	return primes
}

// fermatRounds is what CA/B BR §6.1.1.3 asks for.
const fermatRounds = 100

// near tells factors that lie too near to each other, by Fermat's method: n is
// a² - b² for an a close above its root.
func near(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	rest := new(big.Int).Mul(a, a) // a² - n
	rest.Sub(rest, n)
	step := new(big.Int).Lsh(a, 1) // from a² to (a + 1)²
	step.Add(step, one)
	b := new(big.Int)
	for range fermatRounds {
		if rest.Sign() >= 0 && mayBeSquare(rest) {
			if b.Sqrt(rest); new(big.Int).Mul(b, b).Cmp(rest) == 0 {
				return true
			}
		}
		rest.Add(rest, step)
		step.Add(step, two)
	}
	return false
}

// mayBeSquare spares most roots: squares have only twelve residues modulo 64.
func mayBeSquare(n *big.Int) bool { return n.Sign() == 0 || squares>>(n.Bits()[0]&63)&1 == 1 }

var squares = func() (residues uint64) {
	for k := range uint64(64) {
		residues |= 1 << (k * k & 63)
	}
	return residues
}()

var one, two = big.NewInt(1), big.NewInt(2)

// infineon tells the keys of a flawed library of smart cards and tokens (ROCA,
// CVE-2017-15361): their residues modulo small primes are all powers of 65537.
// Of good keys one in 2¹⁵⁴ is refused with them.
func infineon(n *big.Int) bool {
	for _, p := range smallPrimes {
		if p > 2 && p <= 167 && !powerOf65537(residue(n, p), p) {
			return false
		}
	}
	return true
}

func powerOf65537(r, p uint64) bool {
	for power, i := uint64(1), uint64(0); i < p; i++ {
		if power == r {
			return true
		}
		power = power * 65537 % p
	}
	return false
}

func residue(n *big.Int, p uint64) uint64 {
	return new(big.Int).Mod(n, new(big.Int).SetUint64(p)).Uint64()
}
