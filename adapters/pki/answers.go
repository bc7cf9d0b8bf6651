package pki

import (
	"crypto"
	"sync"
	"time"
)

// maxKept bounds the memory of kept answers: some 200 MB.
const maxKept = 100_000

type answerKey struct {
	serial string
	hash   crypto.Hash
}

// keptAnswer is a signed answer and the status that it states.
type keptAnswer struct {
	status                 Status
	body                   []byte
	thisUpdate, nextUpdate time.Time
	etag, lastModified     string
}

type keptAnswers struct {
	mu sync.RWMutex
	by map[answerKey]keptAnswer
}

// get finds an answer that states exactly this status and lasts until then.
// Comparing the status makes an answer from before a revocation impossible,
// however the news of it travels.
func (k *keptAnswers) get(key answerKey, status Status, until time.Time) (keptAnswer, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	a, ok := k.by[key]
	return a, ok && a.status.same(status) && until.Before(a.nextUpdate)
}

// full tells whether there is no place for answers that nobody asked for.
func (k *keptAnswers) full() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.by) >= maxKept
}

// put keeps an answer; in a full store any other makes room.
func (k *keptAnswers) put(key answerKey, a keptAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil {
		k.by = map[answerKey]keptAnswer{}
	}
	for other := range k.by {
		if len(k.by) < maxKept {
			break
		}
		delete(k.by, other)
	}
	k.by[key] = a
}

func (k *keptAnswers) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by = nil
}

// cachedFor is how long caches between us and who asks may keep an answer: with
// what this process may have missed, a revocation is seen within a minute.
const cachedFor = 30 * time.Second

// at adds what caches may know (RFC 9919, HTTP proxies).
func (a keptAnswer) at(now time.Time) Answer {
	age := min(a.nextUpdate.Sub(now), cachedFor).Truncate(time.Second)
	return Answer{Body: a.body, ETag: a.etag, MaxAge: age, LastModified: a.lastModified, Expires: now.Add(age)}
}
