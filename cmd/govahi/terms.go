package main

import (
	"fmt"

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

// termsOf takes no name that it does not know: a mistyped term must not leave the
// default in force unnoticed.
func termsOf(file string) (commands.Terms, error) {
	t := commands.DefaultTerms()
	text, err := pkiprofiles.ReadPath(file)
	if err == nil {
		err = pkiprofiles.Decode(text, &t)
	}
	if err == nil {
		err = t.Check()
	}
	return t, err
}
