package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"govahi/domain/fault"
)

func TestAllListsTheFaultsInOrder(t *testing.T) {
	wrong := fault.New(fault.Invalid, "wrong", "نادرست", "wrong")
	a, b, c := wrong.At("a"), wrong.At("b"), wrong.At("c")
	joined := fmt.Errorf("deep: %w", errors.Join(errors.Join(a, errors.New("not a fault"), b), fmt.Errorf("more: %w", c)))
	all := fault.All(joined)
	if len(all) != 3 || all[0] != a || all[1] != b || all[2] != c {
		t.Errorf("got %v", all)
	}
	if first, _ := fault.Of(joined); first != all[0] {
		t.Errorf("Of gives %v, All begins with %v", first, all[0])
	}
	for _, none := range []error{nil, errors.New("another"), errors.Join(nil)} {
		if got := fault.All(none); len(got) != 0 {
			t.Errorf("%v has %v", none, got)
		}
	}
}
