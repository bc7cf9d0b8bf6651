package memlog

import (
	"context"
	"sync"

	"govahi/domain/crl"
)

// Shelf holds published revocation lists in memory.
type Shelf struct {
	mu    sync.Mutex
	lists map[string]crl.List
}

// NewShelf is empty.
func NewShelf() *Shelf { return &Shelf{lists: map[string]crl.List{}} }

// Put lays a list there, unless it or a later one lies there already.
func (s *Shelf) Put(_ context.Context, issuer string, l crl.List) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists[issuer].Number < l.Number {
		s.lists[issuer] = l
	}
	return nil
}

// Number is that of the list that lies there; 0 if none does.
func (s *Shelf) Number(_ context.Context, issuer string) (uint64, error) {
	return s.List(issuer).Number, nil
}

// List is the list that lies there.
func (s *Shelf) List(issuer string) crl.List {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists[issuer]
}

// Drop loses everything.
func (s *Shelf) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.lists)
}
