package projections_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/audit"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/iran"
	"govahi/domain/notification"
	"govahi/domain/office"
	"govahi/domain/revocation"
	"govahi/domain/tariff"
	"govahi/queries"
)

func theManagementViewCounts(v *views) {
	v.atOffice(v.code(1), v.sara, v.office)
	v.now = noon.Add(time.Hour)
	v.atOffice(v.code(2), v.nima, v.office)
	v.atOffice(v.code(3), v.nima, v.other)
	tell(v, enrollment.Kind, v.code(3), enrollment.Rejected{Reason: enrollment.NotEntitled, By: officer, At: v.now})
	tell(v, enrollment.Kind, v.code(4), enrollment.Opened{TrackingCode: v.code(4), Channel: enrollment.Outside, OpenedBy: v.sara, At: v.now})
	v.accepted(v.code(5), v.sara, v.serial("aa"))
	tell(v, certificate.Kind, v.serial("aa"), certificate.Revoked{Serial: v.serial("aa"), Reason: certificate.KeyCompromise, At: v.now})
	tell(v, enrollment.Kind, v.code(5), enrollment.Revoked{Serial: v.serial("aa"), At: v.now})
	tell(v, certificate.Kind, v.serial("bb"), certificate.IssuanceAbandoned{Serial: v.serial("bb")}, certificate.Revoked{Serial: v.serial("bb"), Reason: certificate.Superseded})
	for n, code := range []int{1, 2} { // in force, until Ābān 1406
		v.issued(v.code(code), v.sara, v.serial(fmt.Sprintf("c%d", n)))
	}
	for i := range 3 {
		number := fmt.Sprint(i)
		tell(v, revocation.Kind, number, revocation.Opened{
			Source: revocation.Reported,
			Case:   number, Certificate: v.serial("aa"), Statement: event.About(v.sara, revocation.Statement{}), By: v.sara, At: noon,
		})
	}
	tell(v, revocation.Kind, "0", revocation.InaccuracyRefuted{Case: "0", Statement: event.About(officer, revocation.Statement{}), By: officer, At: noon})
	tell(v, audit.Kind, "2026-10-31", audit.Started{Handler: "one", At: noon.Add(-24 * time.Hour)},
		audit.Completed{Checked: 9, Differences: map[string]int{"fee": 9}, At: noon.Add(-23 * time.Hour)})
	tell(v, audit.Kind, "2026-11-01", audit.Started{Handler: "one", At: noon}, audit.Started{Handler: "other", At: noon.Add(time.Minute)}, audit.Completed{
		Checked: 3, Erased: 1, Differences: map[string]int{"lint": 1, "crl-date": 2, "custody": 1}, Handler: "other", At: noon.Add(2 * time.Minute),
	})
	tell(v, audit.Kind, "2026-11-02", audit.Started{Handler: "one", At: noon.Add(time.Hour)})
	v.shown()
	at := noon.Add(3 * time.Hour)
	got := ok(v.Management(v.Context(), at))(v)
	want := queries.Management{
		At: at,
		States: []queries.StateCount{
			{Channel: "outside", State: "at-office", Count: 2},
			{Channel: "outside", State: "draft", Count: 1},
			{Channel: "outside", State: "rejected", Count: 1},
			{Channel: "outside", State: "revoked", Count: 1},
		},
		Provinces: []queries.Count{{Name: "تهران", Count: 4}},
		Offices:   []queries.Count{{Name: v.office, Count: 3}, {Name: v.other, Count: 1}},
		Waiting: []queries.Waiting{
			{State: "at-office", Count: 2, MedianSeconds: 2.5 * 3600, OldestSeconds: 3 * 3600, Median: noon.Add(time.Hour / 2), Oldest: noon},
			{State: "draft", Count: 1, MedianSeconds: 2 * 3600, OldestSeconds: 2 * 3600, Median: noon.Add(time.Hour), Oldest: noon.Add(time.Hour)},
		},
		Rejections:  []queries.Count{{Name: "not-entitled", Count: 1}},
		Revocations: []queries.Count{{Name: "keyCompromise", Count: 1}}, // nobody ever held the abandoned one
		OpenCases:   2,
		Expiries:    []queries.Count{{Name: inMonth(v.now.AddDate(1, 0, 0)), Count: 2}},
		Audit: queries.Audit{
			Day: "2026-11-01", At: noon.Add(2 * time.Minute), Checked: 3, Erased: 1,
			Differences: []queries.Count{{Name: "crl-date", Count: 2}, {Name: "custody", Count: 1}, {Name: "lint", Count: 1}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		v.Error(diff)
	}
	later := ok(v.Management(v.Context(), at.Add(17*time.Minute)))(v)
	if cmp.Equal(got.Waiting, later.Waiting) {
		v.Error("nobody has waited longer")
	}
	if diff := cmp.Diff(got.Lasting(), later.Lasting()); diff != "" {
		v.Error("the clock alone changed what lasts:", diff)
	}
	if found := got.Audit.Found(); found != 4 {
		v.Errorf("%d differences", found)
	}
	for after, overdue := range map[time.Duration]bool{2 * 24 * time.Hour: false, 2*24*time.Hour + time.Second: true} {
		if a := ok(v.LatestAudit(v.Context(), noon.Add(2*time.Minute+after)))(v); a.Overdue != overdue {
			v.Errorf("overdue after %v: %v", after, a.Overdue)
		}
	}
}

func aHouseWithoutARequestHasAManagementViewToo(v *views) {
	v.shown()
	if m, err := v.Management(v.Context(), noon); err != nil || m.States == nil || m.Waiting == nil || m.Rejections == nil || m.OpenCases != 0 || m.Audit.Differences == nil || !m.Audit.Overdue {
		v.Errorf("%+v, %v", m, err)
	}
}

func dueInquiries(v *views) {
	for i := range 5 {
		id := fmt.Sprint(i)
		tell(v, inquiry.Kind, id, inquiry.Requested{
			Inquiry: id, Request: enrollment.Kind.Stream(v.code(i)), Subject: v.sara, Purpose: "p", LegalBasis: "l", By: officer,
			At: noon.Add(-time.Duration(i) * time.Minute),
		})
	}
	tell(v, inquiry.Kind, "1", inquiry.Answered{Inquiry: "1", Matched: true, TrackingCode: "R1", At: noon})
	tell(v, inquiry.Kind, "2", inquiry.Inconclusive{Inquiry: "2", Code: "review", At: noon})
	tell(v, inquiry.Kind, "3", inquiry.Deferred{Inquiry: "3", Cause: inquiry.Down, Attempt: 1, RetryAt: noon.Add(time.Minute), At: noon})
	v.shown()
	due := func(at time.Time, limit int) []string { return ok(v.DueInquiries(v.Context(), at, limit))(v) }
	same(v, "at noon", due(noon, 10), []string{"4", "0"})
	same(v, "just before", due(noon.Add(time.Minute-time.Microsecond), 10), []string{"4", "0"})
	same(v, "a minute later", due(noon.Add(time.Minute), 10), []string{"4", "0", "3"})
	same(v, "one of them", due(noon.Add(time.Minute), 1), []string{"4"})
	same(v, "the clock went back", due(noon.Add(-time.Hour), 10), []string{"4", "0", "3"})
	tell(v, inquiry.Kind, "2", inquiry.Requested{Inquiry: "2", Request: enrollment.Kind.Stream(v.code(2)), Subject: v.sara, By: v.nima, At: noon.Add(-time.Hour)})
	tell(v, inquiry.Kind, "4", inquiry.Deferred{Inquiry: "4", Cause: inquiry.Down, Attempt: 1, RetryAt: noon.Add(time.Hour), At: noon})
	v.shown()
	same(v, "asked again", due(noon, 10), []string{"2", "0"})
}

// theLogOfInquiries: by purpose and by day, the newest first, page after page.
func theLogOfInquiries(v *views) {
	ask := func(n int, purpose string, at time.Time) string {
		id := fmt.Sprint(v.code(n), "-1")
		tell(v, inquiry.Kind, id, inquiry.Requested{
			Inquiry: id, Request: enrollment.Kind.Stream(v.code(n)), Subject: v.sara, Purpose: purpose, LegalBasis: inquiry.CivilRegistrationAct, By: officer, At: at,
		})
		return id
	}
	issuing, again := "for-issuance-"+v.office, "again-"+v.office // of this story alone
	midnight := iran.FromTime(noon.AddDate(0, 0, 9)).Time()
	first, second := ask(1, issuing, midnight.Add(-time.Microsecond)), ask(2, again, midnight)
	third, fourth := ask(3, issuing, midnight.Add(24*time.Hour-time.Microsecond)), ask(4, issuing, midnight.Add(24*time.Hour))
	tell(v, inquiry.Kind, third, inquiry.Answered{Inquiry: third, Finding: inquiry.Matched, Matched: true, TrackingCode: "R3", At: noon})
	v.shown()
	from, until := midnight, midnight.Add(24*time.Hour)
	for _, c := range []struct {
		asked queries.Asked
		want  []string
	}{
		{queries.Asked{Purpose: issuing}, []string{fourth, third, first}},
		{queries.Asked{Purpose: again}, []string{second}},
		{queries.Asked{From: from, Until: until}, []string{third, second}},
		{queries.Asked{Purpose: issuing, From: from}, []string{fourth, third}},
		{queries.Asked{Purpose: issuing, Until: until}, []string{third, first}},
		{queries.Asked{Purpose: issuing, After: fourth}, []string{third, first}},
		{queries.Asked{Purpose: issuing, After: first}, nil},
		{queries.Asked{Purpose: issuing, After: "none"}, nil},
	} {
		var got []string
		for _, i := range ok(v.Inquiries(v.Context(), c.asked))(v) {
			got = append(got, i.Number)
		}
		same(v, fmt.Sprintf("%+v", c.asked), got, c.want)
	}
	i := ok(v.Inquiries(v.Context(), queries.Asked{Purpose: issuing, After: fourth}))(v)[0]
	if i.TrackingCode != v.code(3) || i.LegalBasis != inquiry.CivilRegistrationAct || i.AskedBy != string(officer) || *i.RegistryCode != "R3" || !i.AnsweredAt.Equal(noon) {
		v.Errorf("%+v", i)
	}
}

// whatEndsSoonestFirst: a licence that has ended is still told of, a certificate
// that has is not, and a list that was never signed promises nothing.
func whatEndsSoonestFirst(v *views) {
	at := noon.AddDate(0, 1, 0)
	tell(v, office.Kind, v.office, office.Opened{Code: v.office, Sort: office.Registration, Name: "یک", Province: "تهران", City: "تهران"},
		office.Licensed{Number: "P", Until: at.Add(-time.Hour)})
	tell(v, office.Kind, v.other, office.Opened{Code: v.other, Sort: office.Registration, Name: "دو", Province: "تهران", City: "تهران"})
	for n := range 3 {
		number := uint64(n + 1)
		tell(v, crl.Kind, v.issue, crl.Intended{Number: number, ThisUpdate: at, NextUpdate: at.Add(time.Duration(number) * time.Hour), TBSHash: "t"})
		if number < 3 {
			tell(v, crl.Kind, v.issue, crl.SigningStarted{Number: number}, crl.Signed{Number: number, Hash: "h", Size: 7, At: at})
		}
	}
	certify := func(serial, profile string, until time.Time, public []byte) {
		tell(v, certificate.Kind, v.serial(serial), certificate.IssuanceIntended{Serial: v.serial(serial), Profile: profile, NotAfter: until},
			certificate.Issued{Serial: v.serial(serial), Profile: profile, NotAfter: until, Public: public, Fingerprint: "f" + serial, At: noon})
	}
	certify("e1", "ocsp@1", at.Add(90*time.Minute), []byte("der"))
	certify("e2", "ocsp@1", at, []byte("der")) // just over
	certify("e3", certificate.OfficersProfile+"@1", at.Add(4*time.Hour), nil)
	certify("e4", "cpmis-signature@1", at.Add(4*time.Hour), nil) // a holder's: only counted
	v.shown()
	var got []string
	for _, e := range ok(v.Ends(v.Context(), at))(v) {
		if strings.HasPrefix(e.About, v.issue) || e.About == v.office || e.About == v.other {
			got = append(got, fmt.Sprint(e.Kind, " ", e.About, " ", e.Until.Sub(at)))
		}
	}
	same(v, "ends", got, []string{
		"office-licence " + v.office + " -1h0m0s", "responder-certificate " + v.serial("e1") + " 1h30m0s",
		"crl " + v.issue + " 2h0m0s", "officer-certificate " + v.serial("e3") + " 4h0m0s",
	})
}

func dueNotifications(v *views) {
	for i := range 5 {
		id := fmt.Sprint(i)
		tell(v, notification.Kind, id, notification.Requested{
			ID: id, Template: notification.RequestSubmitted, Request: enrollment.Kind.Stream(v.code(1)),
			Message: event.About(v.sara, notification.Message{}), At: noon.Add(-time.Duration(i) * time.Minute),
		})
	}
	tell(v, notification.Kind, "0", notification.Sent{ID: "0", At: noon})
	tell(v, notification.Kind, "1", notification.Postponed{ID: "1", Attempt: 1, RetryAt: noon.Add(time.Second), At: noon})
	tell(v, notification.Kind, "2", notification.Failed{ID: "2", Cause: "mail-server", At: noon})
	v.shown()
	due := func(at time.Time) []string { return ok(v.DueNotifications(v.Context(), at, 10))(v) }
	same(v, "at noon", due(noon), []string{"4", "3"})
	same(v, "a second later", due(noon.Add(time.Second)), []string{"4", "3", "1"})
	same(v, "the clock went back", due(noon.Add(-time.Hour)), []string{"4", "3", "1"})
	tell(v, notification.Kind, "1", notification.Sent{ID: "1", At: noon})
	v.shown()
	same(v, "sent at last", due(noon.Add(time.Second)), []string{"4", "3"})
}

// messagesToOneTellTheirFate: but of a code only that it came back, for whether
// it went out depends on what others asked for.
func messagesToOneTellTheirFate(v *views) {
	code := v.code(1)
	write := func(n int, to event.Subject, template notification.Template, then ...event.Event) {
		id := fmt.Sprint(code, "-", n)
		asked := notification.Requested{
			ID: id, Template: template, Request: enrollment.Kind.Stream(code),
			Message: event.About(to, notification.Message{}), At: noon.Add(time.Duration(n) * time.Minute),
		}
		tell(v, notification.Kind, id, append([]event.Event{asked}, then...)...)
	}
	id := func(n int) string { return fmt.Sprint(code, "-", n) }
	sent := noon.Add(time.Hour)
	write(1, v.sara, notification.EmailCode, notification.Sent{ID: id(1), At: sent})
	write(2, v.sara, notification.EmailCode, notification.Failed{ID: id(2), Cause: "address-limit", At: sent})
	write(3, v.sara, notification.EmailCode, notification.Sent{ID: id(3), At: sent}, notification.Bounced{ID: id(3), Status: "5.1.1", At: sent})
	write(4, v.sara, notification.RequestSubmitted, notification.Sent{ID: id(4), At: sent})
	write(5, v.sara, notification.CorrectionNeeded, notification.Failed{ID: id(5), Cause: "mail-server", At: sent})
	write(6, v.sara, notification.CertificateIssued, notification.Sent{ID: id(6), At: sent}, notification.Bounced{ID: id(6), Status: "5.2.1", At: sent})
	write(7, v.sara, notification.AccessDefined)
	write(8, v.nima, notification.RequestRejected)
	v.shown()
	var got []string
	for _, m := range ok(v.MessagesTo(v.Context(), v.sara))(v) {
		got = append(got, fmt.Sprint(m.Template, " ", m.State, " ", m.SentAt != nil && m.SentAt.Equal(sent)))
	}
	same(v, "messages", got, []string{
		"access-defined waiting false", "certificate-issued bounced true", "correction-needed failed false", "request-submitted sent true",
		"email-code bounced false", "email-code requested false", "email-code requested false",
	})
}

func officesAndTariffs(v *views) {
	tell(v, office.Kind, v.other, office.Opened{Code: v.other, Sort: office.Registration, Name: "دو", Province: "خوزستان", City: "اهواز"})
	tell(v, office.Kind, v.office, office.Opened{Code: v.office, Sort: office.Registration, Name: "یک", Province: "تهران", City: "تهران"})
	for version, rial := range []int64{5, 7} {
		tell(v, tariff.Kind, "cpmis-signature", tariff.Published{
			Product: "cpmis-signature", Version: version + 1, TokenRial: 1, IssuanceRial: rial, ValidFrom: noon,
		})
	}
	v.shown()
	var names []string
	for _, o := range ok(v.Offices(v.Context()))(v) {
		names = append(names, o.Code+" "+o.Name+" "+o.City)
	}
	if len(names) != 2 || names[0] == names[1] {
		v.Errorf("offices %v", names)
	}
	list := ok(v.Tariffs(v.Context()))(v)
	if len(list) != 2 || list[0].Version != 2 || list[0].IssuanceRial != 7 || !list[1].ValidFrom.Equal(noon) {
		v.Errorf("tariffs %+v", list)
	}
}

func inMonth(t time.Time) string {
	d := iran.FromTime(t)
	return fmt.Sprintf("%04d/%02d", d.Year, d.Month)
}
