package projections_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/person"
	"govahi/queries"
)

func theQueueShowsWhoWaitsLongest(v *views) {
	first, second, third, other := v.code(1), v.code(2), v.code(3), v.code(4)
	v.now = noon.Add(2 * time.Hour)
	v.atOffice(second, v.sara, v.office)
	v.now = noon.Add(time.Hour)
	v.atOffice(first, v.nima, v.office)
	v.atOffice(other, v.nima, v.other)
	v.now = noon.Add(3 * time.Hour)
	v.atOffice(third, v.sara, v.office)
	tell(v, enrollment.Kind, third, enrollment.DocumentSighted{Document: enrollment.NationalCard, By: officer, At: v.now})
	v.now = noon.Add(4 * time.Hour) // keeps its state, and so its place
	tell(v, enrollment.Kind, third, enrollment.DocumentSighted{Document: enrollment.BirthCertificate, By: officer, At: v.now})
	v.shown()
	all := ok(v.Queue(v.Context(), v.office, queries.Search{}))(v)
	same(v, v.office, codes(all), []string{first, second, third})
	if r := all[2]; !r.Since.Equal(noon.Add(3*time.Hour)) || len(r.Sighted) != 2 || r.State != "under-control" || r.Name != "سارا کریمی‌نژاد" || r.Revision != 6 {
		v.Errorf("the third is %+v", r)
	}
	same(v, "at the office", codes(ok(v.Queue(v.Context(), v.office, queries.Search{State: "at-office"}))(v)), []string{first, second})
	same(v, "under control", codes(ok(v.Queue(v.Context(), v.office, queries.Search{State: "under-control"}))(v)), []string{third})
	same(v, "rejected", codes(ok(v.Queue(v.Context(), v.office, queries.Search{State: "rejected"}))(v)), nil)
	same(v, v.other, codes(ok(v.Queue(v.Context(), v.other, queries.Search{}))(v)), []string{other})
	if none := ok(v.Queue(v.Context(), "nowhere", queries.Search{}))(v); none == nil {
		v.Error("an empty queue is null")
	}
}

func aRequestAtACounterIsInItsOfficesQueueBeforeItIsSubmitted(v *views) {
	code := v.code(1)
	tell(v, enrollment.Kind, code, enrollment.Opened{
		TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: officer, Office: v.office, At: noon,
	})
	v.shown()
	same(v, "at the counter", codes(ok(v.Queue(v.Context(), v.office, queries.Search{}))(v)), []string{code})
	same(v, "the officer's own", codes(ok(v.OfPerson(v.Context(), officer))(v)), nil)
	tell(v, enrollment.Kind, code, completed(v.sara))
	v.shown()
	same(v, "the visitor's own", codes(ok(v.OfPerson(v.Context(), v.sara))(v)), []string{code})
}

func onesOwnRequestsNewestFirst(v *views) {
	first, second := v.code(1), v.code(2)
	v.atOffice(first, v.sara, v.office)
	v.now = noon.Add(time.Hour)
	tell(v, enrollment.Kind, second, enrollment.Opened{TrackingCode: second, Channel: enrollment.Outside, OpenedBy: v.sara, At: v.now})
	v.opened(v.code(3), v.nima)
	v.shown()
	same(v, "sara's", codes(ok(v.OfPerson(v.Context(), v.sara))(v)), []string{second, first})
}

// theQueueOfTheCA has what lies there and what was given back, until that is
// issued or over.
func theQueueOfTheCA(v *views) {
	asked := func(n int, then ...event.Event) string {
		code := v.code(n)
		v.now = noon.Add(-time.Duration(n) * time.Hour)
		v.atOffice(code, v.sara, v.office)
		tell(v, enrollment.Kind, code, append([]event.Event{
			enrollment.InformationConfirmed{Certificate: "67", Signature: "c2ln", By: officer, Office: v.office},
			enrollment.IssuanceRequested{Token: "T" + code, KeyHash: code, Request: event.About(v.sara, enrollment.SigningInfo{}), By: officer},
		}, then...)...)
		return code
	}
	attempt := enrollment.IssuanceAttempted{Serial: "01"}
	failed := enrollment.IssuanceFailed{Code: "key-too-weak"}
	lies, tried := asked(1), asked(2, attempt, enrollment.IssuanceAttempted{Serial: "02"})
	back, again := asked(3, attempt, failed), asked(4, failed,
		enrollment.IssuanceRequested{Token: "T", KeyHash: "other", Request: event.About(v.sara, enrollment.SigningInfo{}), By: officer})
	asked(5, failed, enrollment.Rejected{Reason: enrollment.NotEntitled, By: officer})
	asked(6, failed, enrollment.Withdrawn{By: v.sara})
	asked(7, failed, enrollment.IssuanceRequested{Token: "T", KeyHash: "other", Request: event.About(v.sara, enrollment.SigningInfo{}), By: officer},
		attempt, enrollment.Issued{Serial: "01", Fingerprint: "f01"})
	v.atOffice(v.code(8), v.nima, v.office)
	v.shown()
	var got []string
	for _, r := range ok(v.Issuances(v.Context()))(v) {
		if *r.Office == v.office {
			why := ""
			if r.Failure != nil {
				why = *r.Failure
			}
			got = append(got, fmt.Sprintln(r.TrackingCode, r.State, r.Attempts, why))
		}
	}
	same(v, "the CA's queue", got, []string{
		fmt.Sprintln(again, "at-ca", 0, "key-too-weak"), fmt.Sprintln(back, "confirmed", 1, "key-too-weak"),
		fmt.Sprintln(tried, "at-ca", 2, ""), fmt.Sprintln(lies, "at-ca", 0, ""),
	})
}

func aRequestsTimelineHasEachStateOnce(v *views) {
	code, other := v.code(1), v.code(2)
	v.opened(code, v.sara)
	v.opened(other, v.nima)
	for i, e := range []event.Event{
		enrollment.Submitted{Office: v.office, FormVersion: 1},
		enrollment.DocumentSighted{Document: enrollment.NationalCard, By: officer},
		enrollment.DocumentSighted{Document: enrollment.BirthCertificate, By: officer},
		enrollment.CorrectionRequested{By: officer},
		completed(v.sara),
	} {
		v.now = noon.Add(time.Duration(i+1) * time.Hour)
		tell(v, enrollment.Kind, code, e)
	}
	v.shown()
	at := func(hour int) time.Time { return noon.Add(time.Duration(hour) * time.Hour) }
	want := []queries.Step{
		{State: "draft", Since: noon},
		{State: "completed", Since: noon},
		{State: "ready", Since: noon},
		{State: "at-office", Since: at(1)},
		{State: "under-control", Since: at(2)},
		{State: "needs-correction", Since: at(4)},
		{State: "under-control", Since: at(5)},
	}
	if diff := cmp.Diff(want, ok(v.Steps(v.Context(), code))(v)); diff != "" {
		v.Error(diff)
	}
	if none := ok(v.Steps(v.Context(), v.code(9)))(v); none == nil || len(none) != 0 {
		v.Errorf("what is not there has the timeline %v", none)
	}
}

// aStepBackFromTheCAHasItsCause, and no other step.
func aStepBackFromTheCAHasItsCause(v *views) {
	code := v.code(1)
	v.atOffice(code, v.sara, v.office)
	tell(v, enrollment.Kind, code,
		enrollment.InformationConfirmed{Certificate: "67", Signature: "c2ln", By: officer, Office: v.office},
		enrollment.IssuanceRequested{Token: "T" + code, KeyHash: code, Request: event.About(v.sara, enrollment.SigningInfo{}), By: officer},
		enrollment.IssuanceAttempted{Serial: "01"}, enrollment.IssuanceFailed{Code: "key-weak"})
	v.shown()
	var causes []string
	for _, s := range ok(v.Steps(v.Context(), code))(v) {
		if s.Failure != nil {
			causes = append(causes, s.State+" "+*s.Failure)
		}
	}
	same(v, "steps with a cause", causes, []string{"confirmed key-weak"})
}

func trackingNeedsTheSecondFactor(v *views) {
	code, other := v.code(1), v.code(2)
	v.atOffice(code, v.sara, v.office)
	v.atOffice(other, v.nima, v.office)
	v.shown()
	for _, last := range []string{"4567", "۴۵۶۷", "٤٥٦٧", "45 67"} {
		if got, err := v.Track(v.Context(), code, last); err != nil || got.State != "at-office" || *got.Office != v.office {
			v.Errorf("%q: %+v, %v", last, got, err)
		}
	}
	for _, c := range [][2]string{{code, "0000"}, {code, ""}, {code, "14567"}, {code, "09121234567"}, {other, "4567"}, {v.code(9), "4567"}, {"none", ""}} {
		if _, err := v.Track(v.Context(), c[0], c[1]); !errors.Is(err, enrollment.ErrNotFound) {
			v.Errorf("%v: %v", c, err)
		}
	}
}

func peopleAreFoundHoweverTheyAreWritten(v *views) {
	code, other := v.code(1), v.code(2)
	v.atOffice(code, v.sara, v.office)
	v.atOffice(other, v.nima, v.office)
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
		same(v, fmt.Sprintf("%+v", s), codes(ok(v.Queue(v.Context(), v.office, s))(v)), []string{code})
		if found := ok(v.Queue(v.Context(), v.other, s))(v); len(found) != 0 {
			v.Errorf("%+v is found from another office", s)
		}
	}
	for _, s := range []queries.Search{
		{PersonCode: "9992009099"},
		{PersonCode: "09121234567"},
		{Mobile: "9992009098"},
		{Surname: "کریمی"},
		{Surname: "سارا"},
		{Surname: "کریمی‌نژاد", Mobile: "09351230000"},
		{PersonCode: "9992009098", State: "draft"},
	} {
		if found := ok(v.Queue(v.Context(), v.office, s))(v); len(found) != 0 {
			v.Errorf("%+v found %v", s, codes(found))
		}
	}
}

func aCorrectedFormReplacesTheOld(v *views) {
	code := v.code(1)
	v.atOffice(code, v.sara, v.office)
	tell(v, enrollment.Kind, code,
		enrollment.IdentityInquired{Inquiry: code + "-1", FormVersion: 1, By: officer},
		enrollment.IdentityAnswered{Inquiry: code + "-1", FormVersion: 1, TrackingCode: "R1"},
		enrollment.FeeSettled{Order: code, AmountRial: 5}, enrollment.CorrectionRequested{By: officer})
	v.shown()
	if r := ok(v.Request(v.Context(), code))(v); *r.Identity != "mismatch" || *r.RegistryCode != "R1" || *r.FeeRial != 5 || r.State != "needs-correction" {
		v.Errorf("before: %+v", r)
	}
	mended := formOf(v.sara)
	mended.Surname, mended.Mobile = "مرادی", "09121110000"
	form := completed(v.sara)
	form.Version, form.EmailChanged, form.Form = 2, true, event.About(v.sara, mended)
	tell(v, enrollment.Kind, code, form)
	v.shown()
	r := ok(v.Request(v.Context(), code))(v)
	if r.Identity != nil || r.RegistryCode != nil || r.Email || r.FormVersion != 2 || r.Name != "سارا مرادی" || *r.FeeRial != 5 {
		v.Errorf("after: %+v", r)
	}
	if found := ok(v.Queue(v.Context(), v.office, queries.Search{Surname: "کریمی‌نژاد"}))(v); len(found) != 0 {
		v.Error("the old name still finds it")
	}
	if _, err := v.Track(v.Context(), code, "4567"); !errors.Is(err, enrollment.ErrNotFound) {
		v.Errorf("the old mobile still tracks it: %v", err)
	}
	if got := ok(v.Form(v.Context(), r))(v); got.Mobile != "09121110000" {
		v.Errorf("the form is %+v", got)
	}
}

func (v *views) state(code string) string {
	v.Helper()
	v.shown()
	return ok(v.Request(v.Context(), code))(v).State
}

func theEffectiveStateIsOfAllThatIsKnown(v *views) {
	code, serial := v.code(1), v.serial("aa")
	v.accepted(code, v.sara, serial)
	if got := v.state(code); got != "accepted" {
		v.Errorf("with a certificate it is %s", got)
	}
	tell(v, access.Kind, string(v.sara), v.user(string(v.sara), v.sara, code, serial))
	if got := v.state(code); got != "active" {
		v.Errorf("with an access it is %s", got)
	}
	same(v, "active", codes(ok(v.Queue(v.Context(), v.office, queries.Search{State: "active"}))(v)), []string{code})
	same(v, "accepted", codes(ok(v.Queue(v.Context(), v.office, queries.Search{State: "accepted"}))(v)), nil)
	tell(v, access.Kind, string(v.sara), access.Suspended{UserName: string(v.sara), Certificate: serial, At: noon})
	if got := v.state(code); got != "accepted" {
		v.Errorf("without it again it is %s", got)
	}
	tell(v, access.Kind, string(v.sara), v.user(string(v.sara), v.sara, code, serial))
	tell(v, certificate.Kind, serial, certificate.Revoked{Serial: serial, Reason: certificate.KeyCompromise, By: "sara", At: noon})
	if got := v.state(code); got != "revoked" { // before any policy came so far
		v.Errorf("revoked it is %s", got)
	}
	if got := ok(v.Track(v.Context(), code, "4567"))(v); got.State != "revoked" {
		v.Errorf("the tracking page says %s", got.State)
	}
}

func anAbandonedSerialIsNotTheRequests(v *views) {
	code := v.code(1)
	v.accepted(code, v.sara, v.serial("aa"))
	tell(v, certificate.Kind, v.serial("bb"), certificate.IssuanceAbandoned{Serial: v.serial("bb"), Cause: "interrupted", At: noon},
		certificate.Revoked{Serial: v.serial("bb"), Request: enrollment.Kind.Stream(code), Reason: certificate.Superseded, At: noon})
	if got := v.state(code); got != "accepted" {
		v.Errorf("it is %s", got)
	}
}

func anErasedPersonHasNoNameAndIsNotFound(v *views) {
	code, other := v.code(1), v.code(2)
	v.accepted(code, v.sara, v.serial("aa"))
	v.atOffice(other, v.nima, v.office)
	v.shown()
	v.keeper.Forget(v.sara)
	tell(v, person.Kind, string(v.sara), person.ErasureOrdered{Subject: v.sara, LegalBasis: "حکم", At: noon})
	v.shown()
	nameless := func(when string) {
		v.Helper()
		r := ok(v.Request(v.Context(), code))(v)
		if r.Name != "" || r.State != "accepted" {
			v.Errorf("%s: %q, %s", when, r.Name, r.State)
		}
		if _, err := v.Form(v.Context(), r); !errors.Is(err, event.ErrErased) {
			v.Errorf("%s: the form: %v", when, err)
		}
		c := ok(v.Certificate(v.Context(), v.serial("aa")))(v)
		if _, err := v.DER(v.Context(), c); !errors.Is(err, event.ErrErased) {
			v.Errorf("%s: the certificate: %v", when, err)
		}
		if list := ok(v.Queue(v.Context(), v.office, queries.Search{}))(v); len(list) != 2 {
			v.Errorf("%s: the queue holds %d", when, len(list))
		}
	}
	nameless("between order and deed")
	tell(v, person.Kind, string(v.sara), person.Erased{Subject: v.sara, At: noon})
	v.shown()
	nameless("after the deed")
	for _, s := range []queries.Search{{PersonCode: "9992009098"}, {Mobile: "09121234567"}, {Surname: "کریمی‌نژاد"}} {
		if found := ok(v.Queue(v.Context(), v.office, s))(v); len(found) != 0 {
			v.Errorf("%+v still finds %v", s, codes(found))
		}
	}
	if _, err := v.Track(v.Context(), code, "4567"); !errors.Is(err, enrollment.ErrNotFound) {
		v.Errorf("tracking: %v", err)
	}
	if r := ok(v.Request(v.Context(), other))(v); r.Name == "" {
		v.Error("another's name went too")
	}
	var left int
	err := v.Pool.QueryRow(v.Context(), `SELECT count(*) FROM requests.requests r WHERE code = $1
		AND (form IS NOT NULL OR person_term IS NOT NULL OR mobile_term IS NOT NULL OR surname_term IS NOT NULL OR last4_term IS NOT NULL)`, code).Scan(&left)
	if err != nil || left != 0 {
		v.Errorf("columns are left: %d, %v", left, err)
	}
}

// anAttorneyWhoReceivedTheTokenIsMarked: by his power, in clear nowhere; the mark
// outlives the applicant's data.
func anAttorneyWhoReceivedTheTokenIsMarked(v *views) {
	code, other := v.code(1), v.code(2)
	sara := enrollment.Attorney{Name: "وکیل نمونه", Power: "۱۲۳/الف", Date: "1405/08/01", Notary: "دفترخانهٔ نمونه"}
	v.handed(code, v.sara, v.serial("aa"), event.About(v.sara, sara))
	v.accepted(other, v.nima, v.serial("bb"))
	v.shown()
	r := ok(v.Request(v.Context(), code))(v)
	if want := (queries.Power{Number: sara.Power, Date: sara.Date, Notary: sara.Notary}); !r.ToAttorney || r.Attorney == nil || *r.Attorney != want {
		v.Errorf("to the attorney: %+v", r)
	}
	if a := ok(v.AttorneyOf(v.Context(), r))(v); a == nil || *a != sara {
		v.Errorf("the attorney is %+v", a)
	}
	if !ok(v.Track(v.Context(), code, "4567"))(v).ToAttorney {
		v.Error("the tracking page does not tell")
	}
	if r := ok(v.Request(v.Context(), other))(v); r.ToAttorney || r.Attorney != nil || ok(v.AttorneyOf(v.Context(), r))(v) != nil {
		v.Errorf("to the applicant: %+v", r)
	}
	count := func(what string, want int) {
		v.Helper()
		var got int
		if err := v.Pool.QueryRow(v.Context(), `SELECT count(*) FROM requests.requests t WHERE code = $1 AND `+what, code).Scan(&got); err != nil || got != want {
			v.Errorf("%s: %d, %v", what, got, err)
		}
	}
	count(`t::text LIKE '%نمونه%'`, 0)
	count(`attorney IS NOT NULL`, 1)
	v.keeper.Forget(v.sara)
	tell(v, person.Kind, string(v.sara), person.Erased{Subject: v.sara, At: noon})
	v.shown()
	count(`attorney IS NULL`, 1)
	if r := ok(v.Request(v.Context(), code))(v); !r.ToAttorney || r.Attorney != nil {
		v.Errorf("erased: %+v", r)
	}
}

func nothingPersonalStandsInClearInTheViews(v *views) {
	v.accepted(v.code(1), v.sara, v.serial("aa"))
	v.shown()
	f := formOf(v.sara)
	for _, table := range []string{
		"requests.requests", "certificates.certificates", "accesses.accesses", "cases.cases", "inquiries.inquiries", "notifications.notifications",
	} {
		for _, secret := range []string{f.Surname, f.PersonCode, f.Mobile, f.Email, f.Mobile[7:]} {
			var hits int
			err := v.Pool.QueryRow(v.Context(), `SELECT count(*) FROM `+table+` t WHERE t::text LIKE '%' || $1 || '%'`, secret).Scan(&hits)
			if err != nil || hits != 0 {
				v.Errorf("%s holds personal data in clear (%v)", table, err)
			}
		}
	}
}

func theApplicantSeesWhatToMend(v *views) {
	code := v.code(1)
	v.atOffice(code, v.sara, v.office)
	tell(v, enrollment.Kind, code, enrollment.CorrectionRequested{Fields: []string{"email", "postalCode"}, By: officer, At: noon})
	v.shown()
	same(v, "to mend", ok(v.Request(v.Context(), code))(v).Corrections, []string{"email", "postalCode"})
	tell(v, enrollment.Kind, code, completed(v.sara))
	v.shown()
	same(v, "mended", ok(v.Request(v.Context(), code))(v).Corrections, nil)
}

// trackingTellsWhereDossierAndTokenAre: on the way up and on the way down.
func trackingTellsWhereDossierAndTokenAre(v *views) {
	code := v.code(1)
	v.opened(code, v.sara)
	where := func(dossier, to, token string, events ...event.Event) {
		v.Helper()
		tell(v, enrollment.Kind, code, events...)
		v.shown()
		got := ok(v.Track(v.Context(), code, "4567"))(v)
		text := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		same(v, "dossier, its destination, token", []string{text(got.Dossier), text(got.DossierTo), text(got.TokenAt)}, []string{dossier, to, token})
	}
	where(v.unit, "", "", enrollment.SubmittedToUnit{Unit: v.unit, FormVersion: 1, At: v.now})
	where(v.unit, "authority", "", enrollment.DossierApproved{Unit: v.unit, By: officer, At: v.now},
		enrollment.DossierDispatched{Consignment: "1", From: v.unit, To: "authority", At: v.now})
	where("authority", "", "", enrollment.DossierReceived{Consignment: "1", From: v.unit, Place: "authority", At: v.now})
	where("authority", "", "authority", enrollment.TokenArrived{Place: "authority", At: v.now})
	where("authority", "", v.unit, enrollment.TokenArrived{Place: v.unit, At: v.now})
	where("authority", "", "", enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: v.now})
}
