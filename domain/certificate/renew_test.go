package certificate

import (
	"errors"
	"testing"
	"time"

	"govahi/domain/event/spec"
)

func TestWhatMayBeRenewed(t *testing.T) {
	valid := Certificate{Status: Valid, Issued: Issued{Serial: "a1", Request: "enrollment-1", NotAfter: noon.Add(time.Hour)}}
	if err := valid.Renewable(noon); err != nil {
		t.Error(err)
	}
	for want, change := range map[error]func(*Certificate){
		ErrExpired:        func(c *Certificate) { c.Issued.NotAfter = noon },
		ErrOfficers:       func(c *Certificate) { c.Issued.Request = "" },
		ErrOnHold:         func(c *Certificate) { c.Status = OnHold },
		ErrAlreadyRevoked: func(c *Certificate) { c.Status = Withdrawn },
		ErrNotIssued:      func(c *Certificate) { c.Issued = Issued{} },
	} {
		c := valid
		change(&c)
		if err := c.Renewable(noon); !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
	}
}

func TestARenewalHasTheKeyAfterItsCertificate(t *testing.T) {
	first, second, third := KeyClaimed{"enrollment-1", noon}, KeyClaimed{"enrollment-2", noon}, RenewKey{"enrollment-2", "enrollment-3", noon}
	renew := RenewKey{"enrollment-1", "enrollment-2", noon}
	spec.Given(t, Key, first).When(renew).Then(second)
	spec.Given(t, Key, first, second).When(renew).ThenNothing()
	spec.Given(t, Key, first).When(third).ThenFault(ErrKeyReused)
	spec.Given(t, Key).When(renew).ThenFault(ErrKeyReused)
	spec.Given(t, Key, first, second).When(ClaimKey(first)).ThenFault(ErrKeyReused)
}
