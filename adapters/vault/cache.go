package vault

import (
	"container/list"
	"sync"
	"time"
)

// cache holds opened keys: at most many, the longest unused go first, and none
// beyond its life.
type cache[K comparable, V any] struct {
	many  int
	life  time.Duration
	clock func() time.Time

	mu      sync.Mutex
	entries map[K]*list.Element
	order   *list.List // of *entry[K, V], the last used in front
	drops   uint64
}

type entry[K comparable, V any] struct {
	key   K
	value V
	since time.Time
}

func newCache[K comparable, V any](many int, life time.Duration, clock func() time.Time) *cache[K, V] {
	return &cache[K, V]{many: many, life: life, clock: clock, entries: map[K]*list.Element{}, order: list.New()}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	now := c.clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		var none V
		return none, false
	}
	e := element.Value.(*entry[K, V])
	if age := now.Sub(e.since); age < 0 || age >= c.life {
		c.remove(element)
		var none V
		return none, false
	}
	c.order.MoveToFront(element)
	return e.value, true
}

// generation counts what was dropped. Whoever loads a value takes it first.
func (c *cache[K, V]) generation() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drops
}

// put stores a value that was loaded since the generation. If anything was
// dropped meanwhile it does not: this might be what was dropped.
func (c *cache[K, V]) put(key K, value V, generation uint64) {
	now := c.clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.drops {
		return
	}
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
	c.entries[key] = c.order.PushFront(&entry[K, V]{key, value, now})
	if c.order.Len() > c.many {
		c.remove(c.order.Back())
	}
}

func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

func (c *cache[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	clear(c.entries)
	c.order.Init()
}

func (c *cache[K, V]) remove(element *list.Element) {
	delete(c.entries, element.Value.(*entry[K, V]).key)
	c.order.Remove(element)
}
