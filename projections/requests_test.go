package projections_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/person"
	"govahi/queries"
)

func TestTheQueueShowsWhoWaitsLongest(t *testing.T) {
	v := newViews(t)
	first, second, third, other := trackingCode(1), trackingCode(2), trackingCode(3), trackingCode(4)
	v.now = noon.Add(2 * time.Hour)
	v.atOffice(second, sara, "office-1")
	v.now = noon.Add(time.Hour)
	v.atOffice(first, nima, "office-1")
	v.atOffice(other, nima, "office-2")
	v.now = noon.Add(3 * time.Hour)
	v.atOffice(third, sara, "office-1")
	tell(v, enrollment.Kind, third, enrollment.DocumentSighted{Document: enrollment.NationalCard, By: officer, At: v.now})
	v.now = noon.Add(4 * time.Hour) // keeps its state, and so its place
	tell(v, enrollment.Kind, third, enrollment.DocumentSighted{Document: enrollment.BirthCertificate, By: officer, At: v.now})
	v.shown()
	all := ok(v.Queue(t.Context(), "office-1", queries.Search{}))(t)
	same(t, "office-1", codes(all), []string{first, second, third})
	if r := all[2]; !r.Since.Equal(noon.Add(3*time.Hour)) || len(r.Sighted) != 2 || r.State != "under-control" || r.Name != "سارا کریمی‌نژاد" || r.Revision != 6 {
		t.Errorf("the third is %+v", r)
	}
	same(t, "at the office", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{State: "at-office"}))(t)), []string{first, second})
	same(t, "under control", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{State: "under-control"}))(t)), []string{third})
	same(t, "rejected", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{State: "rejected"}))(t)), nil)
	same(t, "office-2", codes(ok(v.Queue(t.Context(), "office-2", queries.Search{}))(t)), []string{other})
	if none := ok(v.Queue(t.Context(), "office-3", queries.Search{}))(t); none == nil {
		t.Error("an empty queue is null")
	}
}

func TestARequestAtACounterIsInItsOfficesQueueBeforeItIsSubmitted(t *testing.T) {
	v := newViews(t)
	code := trackingCode(1)
	tell(v, enrollment.Kind, code, enrollment.Opened{
		TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: officer, Office: "office-1", At: noon,
	})
	v.shown()
	same(t, "at the counter", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{}))(t)), []string{code})
	same(t, "the officer's own", codes(ok(v.OfPerson(t.Context(), officer))(t)), nil)
	tell(v, enrollment.Kind, code, completed(sara))
	v.shown()
	same(t, "the visitor's own", codes(ok(v.OfPerson(t.Context(), sara))(t)), []string{code})
}

func TestOnesOwnRequestsNewestFirst(t *testing.T) {
	v := newViews(t)
	first, second := trackingCode(1), trackingCode(2)
	v.atOffice(first, sara, "office-1")
	v.now = noon.Add(time.Hour)
	tell(v, enrollment.Kind, second, enrollment.Opened{TrackingCode: second, Channel: enrollment.Outside, OpenedBy: sara, At: v.now})
	v.opened(trackingCode(3), nima)
	v.shown()
	same(t, "sara's", codes(ok(v.OfPerson(t.Context(), sara))(t)), []string{second, first})
}

func TestTrackingNeedsTheSecondFactor(t *testing.T) {
	v := newViews(t)
	code, other := trackingCode(1), trackingCode(2)
	v.atOffice(code, sara, "office-1")
	v.atOffice(other, nima, "office-1")
	v.shown()
	for _, last := range []string{"4567", "۴۵۶۷", "٤٥٦٧", "45 67"} {
		if got, err := v.Track(t.Context(), code, last); err != nil || got.State != "at-office" || *got.Office != "office-1" {
			t.Errorf("%q: %+v, %v", last, got, err)
		}
	}
	for _, c := range [][2]string{{code, "0000"}, {code, ""}, {code, "14567"}, {code, "09121234567"}, {other, "4567"}, {trackingCode(9), "4567"}, {"none", ""}} {
		if _, err := v.Track(t.Context(), c[0], c[1]); !errors.Is(err, enrollment.ErrNotFound) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestPeopleAreFoundHoweverTheyAreWritten(t *testing.T) {
	v := newViews(t)
	code, other := trackingCode(1), trackingCode(2)
	v.atOffice(code, sara, "office-1")
	v.atOffice(other, nima, "office-1")
	v.shown()
	for _, s := range []queries.Search{
		{PersonCode: "9992009098"},
		{PersonCode: "۹۹۹۲۰۰۹۰۹۸"},
		{PersonCode: "999-200 ٩٠٩٨"},
		{Mobile: "09121234567"},
		{Mobile: "+98 912 123 4567"},
		{Mobile: "۰۹۱۲۱۲۳۴۵۶۷"},
		{Surname: "کریمی‌نژاد"},
		{Surname: "كريمي‌نژاد"},
		{Surname: "کریمی نژاد"},
		{Surname: "کریمی‌نژاد", Mobile: "9121234567", PersonCode: "9992009098", State: "at-office"},
	} {
		same(t, fmt.Sprintf("%+v", s), codes(ok(v.Queue(t.Context(), "office-1", s))(t)), []string{code})
		if found := ok(v.Queue(t.Context(), "office-2", s))(t); len(found) != 0 {
			t.Errorf("%+v is found from another office", s)
		}
	}
	for _, s := range []queries.Search{
		{PersonCode: "9992009099"}, {PersonCode: "09121234567"}, {Mobile: "9992009098"}, {Surname: "کریمی"}, {Surname: "سارا"},
		{Surname: "کریمی‌نژاد", Mobile: "09351230000"}, {PersonCode: "9992009098", State: "draft"},
	} {
		if found := ok(v.Queue(t.Context(), "office-1", s))(t); len(found) != 0 {
			t.Errorf("%+v found %v", s, codes(found))
		}
	}
}

func TestACorrectedFormReplacesTheOld(t *testing.T) {
	v := newViews(t)
	code := trackingCode(1)
	v.atOffice(code, sara, "office-1")
	tell(v, enrollment.Kind, code,
		enrollment.IdentityInquired{Inquiry: code + "-1", FormVersion: 1, By: officer},
		enrollment.IdentityAnswered{Inquiry: code + "-1", FormVersion: 1, TrackingCode: "R1"},
		enrollment.FeeSettled{Order: code, AmountRial: 5}, enrollment.CorrectionRequested{By: officer})
	v.shown()
	if r := ok(v.Request(t.Context(), code))(t); *r.Identity != "mismatch" || *r.RegistryCode != "R1" || *r.FeeRial != 5 || r.State != "needs-correction" {
		t.Errorf("before: %+v", r)
	}
	mended := formOf(sara)
	mended.Surname, mended.Mobile = "مرادی", "09121110000"
	form := completed(sara)
	form.Version, form.EmailChanged, form.Form = 2, true, event.About(sara, mended)
	tell(v, enrollment.Kind, code, form)
	v.shown()
	r := ok(v.Request(t.Context(), code))(t)
	if r.Identity != nil || r.RegistryCode != nil || r.Email || r.FormVersion != 2 || r.Name != "سارا مرادی" || *r.FeeRial != 5 {
		t.Errorf("after: %+v", r)
	}
	if found := ok(v.Queue(t.Context(), "office-1", queries.Search{Surname: "کریمی‌نژاد"}))(t); len(found) != 0 {
		t.Error("the old name still finds it")
	}
	if _, err := v.Track(t.Context(), code, "4567"); !errors.Is(err, enrollment.ErrNotFound) {
		t.Errorf("the old mobile still tracks it: %v", err)
	}
	if got := ok(v.Form(t.Context(), r))(t); got.Mobile != "09121110000" {
		t.Errorf("the form is %+v", got)
	}
}

func (v *views) state(code string) string {
	v.Helper()
	v.shown()
	return ok(v.Request(v.Context(), code))(v).State
}

func TestTheEffectiveStateIsOfAllThatIsKnown(t *testing.T) {
	v := newViews(t)
	code, serial := trackingCode(1), "67aa"
	v.accepted(code, sara, serial)
	if got := v.state(code); got != "accepted" {
		t.Errorf("with a certificate it is %s", got)
	}
	tell(v, access.Kind, "sara1", v.user("sara1", sara, code, serial))
	if got := v.state(code); got != "active" {
		t.Errorf("with an access it is %s", got)
	}
	same(t, "active", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{State: "active"}))(t)), []string{code})
	same(t, "accepted", codes(ok(v.Queue(t.Context(), "office-1", queries.Search{State: "accepted"}))(t)), nil)
	tell(v, access.Kind, "sara1", access.Suspended{UserName: "sara1", Certificate: serial, At: noon})
	if got := v.state(code); got != "accepted" {
		t.Errorf("without it again it is %s", got)
	}
	tell(v, access.Kind, "sara1", v.user("sara1", sara, code, serial))
	tell(v, certificate.Kind, serial, certificate.Revoked{Serial: serial, Reason: certificate.KeyCompromise, By: "sara", At: noon})
	if got := v.state(code); got != "revoked" { // before any policy came so far
		t.Errorf("revoked it is %s", got)
	}
	if got := ok(v.Track(t.Context(), code, "4567"))(t); got.State != "revoked" {
		t.Errorf("the tracking page says %s", got.State)
	}
}

func TestAnAbandonedSerialIsNotTheRequests(t *testing.T) {
	v := newViews(t)
	code := trackingCode(1)
	v.accepted(code, sara, "67aa")
	tell(v, certificate.Kind, "67bb", certificate.IssuanceAbandoned{Serial: "67bb", Cause: "interrupted", At: noon},
		certificate.Revoked{Serial: "67bb", Request: enrollment.Kind.Stream(code), Reason: certificate.Superseded, At: noon})
	if got := v.state(code); got != "accepted" {
		t.Errorf("it is %s", got)
	}
}

func TestAnErasedPersonHasNoNameAndIsNotFound(t *testing.T) {
	v := newViews(t)
	code, other := trackingCode(1), trackingCode(2)
	v.accepted(code, sara, "67aa")
	v.atOffice(other, nima, "office-1")
	v.shown()
	v.keeper.Forget(sara)
	tell(v, person.Kind, string(sara), person.ErasureOrdered{Subject: sara, LegalBasis: "حکم", At: noon})
	v.shown()
	nameless := func(when string) {
		t.Helper()
		r := ok(v.Request(t.Context(), code))(t)
		if r.Name != "" || r.State != "accepted" {
			t.Errorf("%s: %q, %s", when, r.Name, r.State)
		}
		if _, err := v.Form(t.Context(), r); !errors.Is(err, event.ErrErased) {
			t.Errorf("%s: the form: %v", when, err)
		}
		c := ok(v.Certificate(t.Context(), "67aa"))(t)
		if _, err := v.DER(t.Context(), c); !errors.Is(err, event.ErrErased) {
			t.Errorf("%s: the certificate: %v", when, err)
		}
		if list := ok(v.Queue(t.Context(), "office-1", queries.Search{}))(t); len(list) != 2 {
			t.Errorf("%s: the queue holds %d", when, len(list))
		}
	}
	nameless("between order and deed")
	tell(v, person.Kind, string(sara), person.Erased{Subject: sara, At: noon})
	v.shown()
	nameless("after the deed")
	for _, s := range []queries.Search{{PersonCode: "9992009098"}, {Mobile: "09121234567"}, {Surname: "کریمی‌نژاد"}} {
		if found := ok(v.Queue(t.Context(), "office-1", s))(t); len(found) != 0 {
			t.Errorf("%+v still finds %v", s, codes(found))
		}
	}
	if _, err := v.Track(t.Context(), code, "4567"); !errors.Is(err, enrollment.ErrNotFound) {
		t.Errorf("tracking: %v", err)
	}
	if r := ok(v.Request(t.Context(), other))(t); r.Name == "" {
		t.Error("another's name went too")
	}
	var left int
	err := v.Pool.QueryRow(t.Context(), `SELECT count(*) FROM requests.requests r WHERE code = $1
		AND (form IS NOT NULL OR person_term IS NOT NULL OR mobile_term IS NOT NULL OR surname_term IS NOT NULL OR last4_term IS NOT NULL)`, code).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("columns are left: %d, %v", left, err)
	}
}

func TestNothingPersonalStandsInClearInTheViews(t *testing.T) {
	v := newViews(t)
	v.accepted(trackingCode(1), sara, "67aa")
	v.shown()
	f := formOf(sara)
	for _, table := range []string{
		"requests.requests", "certificates.certificates", "accesses.accesses", "cases.cases", "inquiries.inquiries", "notifications.notifications",
	} {
		for _, secret := range []string{f.Surname, f.PersonCode, f.Mobile, f.Email, f.Mobile[7:]} {
			var hits int
			err := v.Pool.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` t WHERE t::text LIKE '%' || $1 || '%'`, secret).Scan(&hits)
			if err != nil || hits != 0 {
				t.Errorf("%s holds personal data in clear (%v)", table, err)
			}
		}
	}
}
