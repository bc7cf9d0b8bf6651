package http

import (
	"testing"

	"govahi/queries"
	"govahi/queries/auditor"
)

func TestEachKindOfDifferenceHasItsWords(t *testing.T) {
	said := map[string]string{}
	for _, kind := range auditor.Kinds {
		words := differenceWords[kind]
		if words == "" || said[words] != "" {
			t.Errorf("%s is called %q, as %q is", kind, words, said[words])
		}
		said[words] = kind
	}
	if len(differenceWords) != len(auditor.Kinds) {
		t.Errorf("%d kinds have words, %d are found", len(differenceWords), len(auditor.Kinds))
	}
	got := auditCard(queries.Audit{Checked: 2, Differences: []queries.Count{{Name: "lint", Count: 2}, {Name: "of tomorrow", Count: 1}}})
	if got.Found != 3 || got.Differences[0].Label != differenceWords["lint"] || got.Differences[1].Label != "of tomorrow" {
		t.Errorf("%+v", got)
	}
}
