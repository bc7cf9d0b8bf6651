package main

import (
	"errors"
	"testing"

	"govahi/domain/fault"
	"govahi/domain/fault/faulttest"
)

// TestAWrongRowSaysWhatWhereAndWhatToDo in both languages, whatever it was that
// found it.
func TestAWrongRowSaysWhatWhereAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		fa, en string
	}{
		"English alone": {errors.New("token: no such key"), "here: " + rootRow.remedy.Fa, "token: no such key; " + rootRow.remedy.En},
		"a fault":       {fault.New(fault.Internal, "x", "چنین", "so"), "here: چنین " + rootRow.remedy.Fa, "so; " + rootRow.remedy.En},
		"a remark":      {fault.Remark("f", "بد", "bad"), "here: f: بد " + rootRow.remedy.Fa, "f: bad; " + rootRow.remedy.En},
	} {
		var r report
		r.line(rootRow.of(seat{"", 2}), "here", c.err, alike("not said"))
		if f := r.Findings[0]; f.Sound || f.DetailFa != c.fa || f.Detail != c.en || f.What != "2: root certificate" || f.WhatFa != "۲: گواهی ریشه" {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, w := range []row{rootRow, issuerRow, chainRow, endRow, datesRow, lintRow, belongsRow, certifiedRow, profilesRow, responderRow, transcriptsRow, keyRow("x")} {
		for _, text := range []fault.Text{w.name, w.remedy} {
			if !faulttest.HasPersian(text.Fa) || text.En == "" || faulttest.HasPersian(text.En) {
				t.Errorf("%q says %+v", w.name.En, text)
			}
		}
	}
}
