package profiles

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// allWhole refuses a fraction, a power or a text where a whole number belongs. The
// decoder takes them, and cuts off what is behind the point: years: 1.9 would be
// one year, and nobody would know.
func allWhole(text []byte, into any) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return err
	}
	for _, doc := range file.Docs {
		if err := whole(reflect.TypeOf(into), doc.Body); err != nil {
			return err
		}
	}
	return nil
}

func whole(t reflect.Type, n ast.Node) error {
	switch t.Kind() {
	case reflect.Pointer:
		return whole(t.Elem(), n)
	case reflect.Struct, reflect.Map:
		return wholeFields(t, n)
	case reflect.Slice:
		return wholeItems(t.Elem(), n)
	}
	if t.Kind() < reflect.Int || t.Kind() > reflect.Uint64 || n.Type() == ast.IntegerType || n.Type() == ast.NullType {
		return nil
	}
	return &yaml.TypeError{DstType: t, SrcType: reflect.TypeFor[float64](), Token: n.GetToken()}
}

func wholeFields(t reflect.Type, n ast.Node) error {
	fields, ok := n.(ast.MapNode)
	if !ok {
		return nil
	}
	for f := fields.MapRange(); f.Next(); {
		if of := fieldOf(t, f.Key().GetToken().Value); of != nil {
			if err := whole(of, f.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}

func wholeItems(t reflect.Type, n ast.Node) error {
	items, ok := n.(ast.ArrayNode)
	if !ok {
		return nil
	}
	for i := items.ArrayRange(); i.Next(); {
		if err := whole(t, i.Value()); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is the type of what stands under a name, as the decoder finds it.
func fieldOf(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	for n := range t.NumField() {
		f := t.Field(n)
		called, _, _ := strings.Cut(cmp.Or(f.Tag.Get("yaml"), f.Tag.Get("json")), ",")
		if cmp.Or(called, strings.ToLower(f.Name)) == name {
			return f.Type
		}
	}
	return nil
}
