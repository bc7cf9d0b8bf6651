package fault_test

import (
	"errors"
	"testing"

	"govahi/domain/fault"
	"govahi/domain/fault/faulttest"
)

func TestARemarkIsInBothLanguages(t *testing.T) {
	var r fault.Remarks
	if r.Need(true, "a", "خوب", "good"); r.Err() != nil {
		t.Errorf("of what is well: %v", r.Err())
	}
	r.Need(false, "b", "%[2]d به جای %[1]q", "%q stands for %d", "x", 1)
	r.Need(false, "c", "نیست", "missing")
	const want = "  b: 1 به جای \"x\"\n  b: \"x\" stands for 1\n  c: نیست\n  c: missing"
	if got := r.Err().Error(); got != want {
		t.Errorf("got\n%s", got)
	}
	if err := faulttest.Remarked(want, "b"); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"another field": want, "Persian alone": "  x: نیست", "English alone": "  x: missing", "English first": "  x: missing\n  x: نیست",
		"no values": "  x: %!d(MISSING) نیست\n  x: missing", "two of one": "  x: نیست\n  x: نیست", "nothing": "  x: نیست\n  x: ",
	} {
		if faulttest.Remarked(text, "x") == nil {
			t.Errorf("%s passes", name)
		}
	}
	const whole = "file:\n  پرونده خالی است\n  the file is empty"
	if err := errors.Join(faulttest.Remarked(whole, "خالی"), faulttest.Translated(whole, "is empty")); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "file:\n  خالی", "file:\n  is empty", "  is empty\n  خالی", "  خالی\n\n  is empty"} {
		if faulttest.Remarked(text, "خالی") == nil || faulttest.Translated(text, "is empty") == nil {
			t.Errorf("%q passes", text)
		}
	}
}
