package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	pkiprofiles "govahi/adapters/pki/profiles"
	"govahi/commands"
)

// terms are those of the file, or the defaults where it says nothing.
func (s settings) terms() (commands.Terms, error) {
	if s.Terms == "" {
		return commands.DefaultTerms(), nil
	}
	t, err := termsOf(s.Terms)
	if err != nil {
		err = fmt.Errorf("مهلت‌ها به کار نمی‌آیند و چیزی تغییر نکرد؛ پرونده، خانه و علت:\nGOVAHI_TERMS cannot be used, and nothing was changed:\n%s:\n%w", s.Terms, err)
	}
	return t, err
}

func termsOf(file string) (commands.Terms, error) {
	f, err := os.Open(file)
	if err != nil {
		return commands.Terms{}, pkiprofiles.Refusal{
			Fa: "خوانده نمی‌شود؛ بودن آن و دسترسی‌اش را بازبینی کنید.",
			En: "it cannot be read: check that it is there, and its permissions", Cause: err,
		}
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
		return t, pkiprofiles.Refusal{
			Fa: "این پرونده YAML با نام‌های docs/operations.md نیست؛ علت، با شمارهٔ سطر، به انگلیسی در پی می‌آید.",
			En: "it is no YAML with the names of docs/operations.md", Cause: err,
		}
	}
	if err := d.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return t, pkiprofiles.Refusal{Fa: "سند دومی در پی می‌آید؛ تنها یکی بگذارید.", En: "it holds more than one YAML document: leave one"}
	}
	return t, t.Check()
}
