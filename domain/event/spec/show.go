package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"govahi/domain/event"
)

// show prints events for comparison: the stored name, then the JSON, indented,
// with personal data opened.
func (s Story[S]) show(events []stored) string {
	s.t.Helper()
	if len(events) == 0 {
		return "(no events)\n"
	}
	var out strings.Builder
	for _, e := range events {
		text, err := readable(s.keeper, e.data)
		if err != nil {
			s.t.Fatalf("%s: %v", e.name, err)
		}
		out.WriteString(e.name + " " + text + "\n")
	}
	return out.String()
}

func readable(keeper event.Keeper, data []byte) (string, error) {
	var value any
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber() // amounts must not become floating
	if err := in.Decode(&value); err != nil {
		return "", err
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(reveal(keeper, value))
	return strings.TrimSuffix(out.String(), "\n"), err
}

// reveal replaces sealed personal data, wherever it stands, by what it says.
func reveal(keeper event.Keeper, value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = reveal(keeper, value[i])
		}
	case map[string]any:
		if plain, ok := unseal(keeper, value); ok {
			return map[string]any{"subject": value["subject"], "personal": plain}
		}
		for key := range value {
			value[key] = reveal(keeper, value[key])
		}
	}
	return value
}

func unseal(keeper event.Keeper, object map[string]any) (plain any, ok bool) {
	if len(object) != 3 || object["sealed"] == nil {
		return nil, false
	}
	data, err := json.Marshal(object)
	if err != nil {
		return nil, false
	}
	var personal event.Personal[any]
	if err := json.Unmarshal(data, &personal); err != nil {
		return nil, false
	}
	plain, err = personal.Open(context.Background(), keeper)
	return plain, err == nil
}

// diff marks the lines that only one text has, by their longest common
// subsequence.
func diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	common := commonLines(a, b)
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out.WriteString("  " + a[i] + "\n")
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("- " + a[i] + "\n")
			i++
		default:
			out.WriteString("+ " + b[j] + "\n")
			j++
		}
	}
	return out.String()
}

// commonLines says, for each pair of places, how many lines the rests share.
func commonLines(a, b []string) [][]int {
	common := make([][]int, len(a)+1)
	common[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		common[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	return common
}
