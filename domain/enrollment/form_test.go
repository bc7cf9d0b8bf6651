package enrollment

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestFormFieldsAreThoseOfTheForm(t *testing.T) {
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Form]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	same(t, fields, FormFields)
}

// The letter stands in clear in the log, so it has no room for prose.
func TestALetterIsShort(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Letter]()) {
		if limit, err := strconv.Atoi(f.Tag.Get("maxLength")); err != nil || limit < 1 || limit > 40 {
			t.Errorf("%s may be %q long", f.Name, f.Tag.Get("maxLength"))
		}
	}
}
