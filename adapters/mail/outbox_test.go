package mail_test

import (
	"os"
	"path/filepath"
	"testing"

	"govahi/adapters/mail"
	"govahi/commands"
)

func TestASecondSendIsTheSameFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbox")
	o, err := mail.OpenOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := commands.Mail{ID: "one", To: "sample@example.ir", Subject: "نمونه", Body: "سلام\n\n۱۲۳۴۵\n\nپایان"}
	for range 2 {
		if err := o.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	all, err := o.Messages()
	if err != nil || len(all) != 1 || all[0].Mail != m {
		t.Fatalf("outbox holds %+v, %v", all, err)
	}
	if got := all[0].Code(); got != "۱۲۳۴۵" {
		t.Errorf("code %q", got)
	}
	info, err := os.Stat(filepath.Join(dir, "one.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("message is readable by others: %v, %v", info.Mode(), err)
	}
}
