package http

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/web"
	"govahi/queries"
)

// TestTheDashboardNamesAStateOnce: the channels are counted apart, beside it.
func TestTheDashboardNamesAStateOnce(t *testing.T) {
	d := dashboard(queries.Management{States: []queries.StateCount{
		{Channel: "inside", State: "active", Count: 2},
		{Channel: "inside", State: "draft", Count: 1},
		{Channel: "outside", State: "active", Count: 40},
		{Channel: "outside", State: "revoked", Count: 3},
	}})
	if diff := cmp.Diff([]web.Count{{Label: "فعال", N: 42}, {Label: stateLabel("draft"), N: 1}, {Label: stateLabel("revoked"), N: 3}}, d.States); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{43, 3}, []int{d.Channels[0].N, d.Channels[1].N}); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
}
