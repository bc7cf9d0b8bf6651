package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	pkiprofiles "govahi/adapters/pki/profiles"
)

// renewable writes the program's own certificate profiles, and one version more:
// by that the story's certificate may be renewed from its first day on. Nobody
// waits eleven months for the end of a story.
func renewable(dir string) error {
	files := pkiprofiles.Files()
	text, err := fs.ReadFile(files, "cpmis-signature@2.yaml")
	if err != nil {
		return err
	}
	text = bytes.Replace(text, []byte("\nversion: 2\n"), []byte("\nversion: 3\n"), 1)
	text = bytes.Replace(text, []byte("\nrenewalDays: 30\n"), []byte("\nrenewalDays: 366\n"), 1)
	return errors.Join(os.CopyFS(dir, files), os.WriteFile(filepath.Join(dir, "cpmis-signature@3.yaml"), text, 0o644))
}

// untilRenewed is the next year's certificate, for the same key on the holder's
// own token (RFC 3647 §4.6). The one before it ends when this one is delivered.
func (s *story) untilRenewed() []step {
	return append([]step{
		{s.holder, "asks for a renewal; the form is filled in", s.renew, "completed"},
		{s.holder, "proves the e-mail address by the code sent there", s.proveEmail, "completed"},
		{s.holder, "accepts the liability notice", s.acceptLiability, "ready"},
		{s.holder, "submits the renewal to the office", func(ctx context.Context) error {
			return s.say(s.holder, "submission", map[string]string{"office": sampleOffice})(ctx)
		}, "at-office"},
		{"officer-1", "sights the originals; the registry matches", s.verify, "under-control"},
		{"officer-1", "records the payment: the issuance, and no token", s.payDue, "controlled"},
		s.confirmation(),
		{"officer-1", "renews on the holder's token, for the same key", s.personaliseOwn, "issued"},
	}, s.delivered()...)
}

func (s *story) renew(ctx context.Context) error {
	s.name += "-renewal" // what follows is said of another request
	var opened struct{ TrackingCode string }
	err := s.post(ctx, s.holder, s.name+"-open", "/certificates/"+s.serial+"/renewal", map[string]string{"basis": "renewal"}, &opened)
	s.renews, s.code = s.serial, opened.TrackingCode
	return err
}

// payDue pays what the house asks for.
func (s *story) payDue(ctx context.Context) error {
	var due struct{ AmountRial int64 }
	if err := s.get(ctx, "officer-1", "/requests/"+s.code+"/fee", &due); err != nil {
		return err
	}
	return s.say("officer-1", "payment", map[string]any{
		"provider": "samplebank", "terminal": "10000001", "rrn": s.code, "trace": "000124", "amountRial": due.AmountRial,
	})(ctx)
}

// personaliseOwn runs the workstation on the token that the holder brought: one
// command from the key to the certificate read back.
func (s *story) personaliseOwn(ctx context.Context) error {
	bearer, err := s.client.token("officer-1")
	if err != nil {
		return err
	}
	file := filepath.Join(s.tokens, "officer-1.bearer")
	if err := os.WriteFile(file, []byte(bearer), 0o600); err != nil {
		return err
	}
	if _, err := s.workstation(ctx, "personalise", s.code, "--token", s.token, "--server", s.base, "--bearer", file); err != nil {
		return err
	}
	return s.issued(ctx)
}
