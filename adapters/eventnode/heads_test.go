package eventnode

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever was written since a caller looked: what the heads tell the writer of a
// stream is where it stands, or they do not know.
func TestHeadsAreNeverOutOfDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, truth, last := newHeads(0), map[string]head{}, uint64(0)
		var looked []*appending
		streams := rapid.IntRange(1, 3*headsKept)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			for range rapid.IntRange(0, 3).Draw(t, "looks") {
				name := fmt.Sprint(streams.Draw(t, "looked at"))
				looked = append(looked, &appending{stream: name, seen: sighting{truth[name], h.written.Load()}})
			}
			after := map[string]head{}
			first := streams.Draw(t, "written")
			for i := range rapid.SampledFrom([]int{1, 3, headsKept / 2, headsKept}).Draw(t, "so many") {
				name := fmt.Sprint(first + i)
				last++
				after[name] = head{truth[name].revision + 1, last, true}
				truth[name] = after[name]
			}
			h.add(after, last)
			for _, a := range looked {
				at, ok := h.find(a)
				if ok && at != truth[a.stream] {
					t.Fatalf("%s stands at %v, and is said to stand at %v", a.stream, truth[a.stream], at)
				}
				if !ok && a.seen.at >= h.oldFrom {
					t.Fatalf("%s was looked at in time", a.stream)
				}
			}
		}
	})
}
