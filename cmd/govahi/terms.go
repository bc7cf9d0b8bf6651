package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"govahi/commands"
)

// terms are those of the file, or the defaults where it says nothing.
func (s settings) terms() (commands.Terms, error) {
	t := commands.DefaultTerms()
	if s.Terms == "" {
		return t, nil
	}
	f, err := os.Open(s.Terms)
	if err != nil {
		return t, fmt.Errorf("GOVAHI_TERMS: %w", err)
	}
	defer f.Close()
	return readTerms(f)
}

// readTerms takes no name that it does not know, and no second document: a
// mistyped term must not leave the default in force unnoticed.
func readTerms(r io.Reader) (commands.Terms, error) {
	t := commands.DefaultTerms()
	d := yaml.NewDecoder(r)
	d.KnownFields(true)
	if err := d.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return t, fmt.Errorf("GOVAHI_TERMS is YAML with the names of docs/operations.md: %w", err)
	}
	if err := d.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return t, errors.New("GOVAHI_TERMS holds more than one YAML document: leave one")
	}
	if err := t.Check(); err != nil {
		return t, fmt.Errorf("GOVAHI_TERMS: %w", err)
	}
	return t, nil
}
