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
}

type keptAnswers struct {
	mu sync.Mutex
	by map[answerKey]keptAnswer
}

// get finds an answer that states exactly this status and has some life left.
// Comparing the status makes an answer from before a revocation impossible,
// however the news of it travels.
func (k *keptAnswers) get(key answerKey, status Status, now time.Time) (keptAnswer, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.by[key]
	return a, ok && a.status.same(status) && now.Before(a.nextUpdate.Add(-renewBefore))
}

// put keeps an answer; a full store is emptied, for it refills itself.
func (k *keptAnswers) put(key answerKey, a keptAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil || len(k.by) >= maxKept {
		k.by = map[answerKey]keptAnswer{}
	}
	k.by[key] = a
}

func (k *keptAnswers) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by = nil
}

// at adds what caches may know (RFC 9919, HTTP proxies).
func (a keptAnswer) at(now time.Time) Answer {
	return Answer{
		Body:         a.body,
		ETag:         `"` + sha256Hex(a.body) + `"`,
		MaxAge:       a.nextUpdate.Sub(now).Truncate(time.Second),
		LastModified: a.thisUpdate,
		Expires:      a.nextUpdate,
	}
}
