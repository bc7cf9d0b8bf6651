package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/notification"
	"govahi/domain/office"
	"govahi/domain/revocation"
	"govahi/domain/tariff"
	"govahi/queries"
)

func TestTheManagementViewCounts(t *testing.T) {
	v := newViews(t)
	v.atOffice(trackingCode(1), sara, "office-1")
	v.now = noon.Add(time.Hour)
	v.atOffice(trackingCode(2), nima, "office-1")
	v.atOffice(trackingCode(3), nima, "office-2")
	tell(v, enrollment.Kind, trackingCode(3), enrollment.Rejected{Reason: enrollment.NotEntitled, By: officer, At: v.now})
	tell(v, enrollment.Kind, trackingCode(4), enrollment.Opened{TrackingCode: trackingCode(4), Channel: enrollment.Outside, OpenedBy: sara, At: v.now})
	v.accepted(trackingCode(5), sara, "67aa")
	tell(v, certificate.Kind, "67aa", certificate.Revoked{Serial: "67aa", Reason: certificate.KeyCompromise, At: v.now})
	tell(v, enrollment.Kind, trackingCode(5), enrollment.Revoked{Serial: "67aa", At: v.now})
	tell(v, certificate.Kind, "67bb", certificate.IssuanceAbandoned{Serial: "67bb"}, certificate.Revoked{Serial: "67bb", Reason: certificate.Superseded})
	for i := range 3 {
		number := fmt.Sprint(i)
		tell(v, revocation.Kind, number, revocation.InaccuracyReported{
			Case: number, Certificate: "67aa", Statement: event.About(sara, revocation.Statement{}), By: sara, At: noon,
		})
	}
	tell(v, revocation.Kind, "0", revocation.InaccuracyRefuted{Case: "0", Statement: event.About(officer, revocation.Statement{}), By: officer, At: noon})
	v.shown()
	at := noon.Add(3 * time.Hour)
	got := ok(v.Management(t.Context(), at))(t)
	want := queries.Management{
		At: at,
		States: []queries.StateCount{
			{Channel: "outside", State: "at-office", Count: 2},
			{Channel: "outside", State: "draft", Count: 1},
			{Channel: "outside", State: "rejected", Count: 1},
			{Channel: "outside", State: "revoked", Count: 1},
		},
		Provinces: []queries.Count{{Name: "تهران", Count: 4}},
		Offices:   []queries.Count{{Name: "office-1", Count: 3}, {Name: "office-2", Count: 1}},
		Waiting: []queries.Waiting{
			{State: "at-office", Count: 2, MedianSeconds: 2.5 * 3600, OldestSeconds: 3 * 3600},
			{State: "draft", Count: 1, MedianSeconds: 2 * 3600, OldestSeconds: 2 * 3600},
		},
		Rejections:  []queries.Count{{Name: "not-entitled", Count: 1}},
		Revocations: []queries.Count{{Name: "keyCompromise", Count: 1}}, // nobody ever held the abandoned one
		OpenCases:   2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAHouseWithoutARequestHasAManagementViewToo(t *testing.T) {
	v := newViews(t)
	v.shown()
	if m, err := v.Management(t.Context(), noon); err != nil || m.States == nil || m.Waiting == nil || m.Rejections == nil || m.OpenCases != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestDueInquiries(t *testing.T) {
	v := newViews(t)
	for i := range 5 {
		id := fmt.Sprint(i)
		tell(v, inquiry.Kind, id, inquiry.Requested{
			Inquiry: id, Request: enrollment.Kind.Stream(trackingCode(i)), Subject: sara, Purpose: "p", LegalBasis: "l", By: officer,
			At: noon.Add(-time.Duration(i) * time.Minute),
		})
	}
	tell(v, inquiry.Kind, "1", inquiry.Answered{Inquiry: "1", Matched: true, TrackingCode: "R1", At: noon})
	tell(v, inquiry.Kind, "2", inquiry.Inconclusive{Inquiry: "2", Code: "review", At: noon})
	tell(v, inquiry.Kind, "3", inquiry.Deferred{Inquiry: "3", Cause: inquiry.Down, Attempt: 1, RetryAt: noon.Add(time.Minute), At: noon})
	v.shown()
	due := func(at time.Time, limit int) []string { return ok(v.DueInquiries(t.Context(), at, limit))(t) }
	same(t, "at noon", due(noon, 10), []string{"4", "0"})
	same(t, "just before", due(noon.Add(time.Minute-time.Microsecond), 10), []string{"4", "0"})
	same(t, "a minute later", due(noon.Add(time.Minute), 10), []string{"4", "0", "3"})
	same(t, "one of them", due(noon.Add(time.Minute), 1), []string{"4"})
	tell(v, inquiry.Kind, "2", inquiry.Requested{Inquiry: "2", Request: enrollment.Kind.Stream(trackingCode(2)), Subject: sara, By: nima, At: noon.Add(-time.Hour)})
	tell(v, inquiry.Kind, "4", inquiry.Deferred{Inquiry: "4", Cause: inquiry.Down, Attempt: 1, RetryAt: noon.Add(time.Hour), At: noon})
	v.shown()
	same(t, "asked again", due(noon, 10), []string{"2", "0"})
}

func TestDueNotifications(t *testing.T) {
	v := newViews(t)
	for i := range 5 {
		id := fmt.Sprint(i)
		tell(v, notification.Kind, id, notification.Requested{
			ID: id, Template: notification.RequestSubmitted, Request: enrollment.Kind.Stream(trackingCode(1)),
			Message: event.About(sara, notification.Message{}), At: noon.Add(-time.Duration(i) * time.Minute),
		})
	}
	tell(v, notification.Kind, "0", notification.Sent{ID: "0", At: noon})
	tell(v, notification.Kind, "1", notification.Postponed{ID: "1", Attempt: 1, RetryAt: noon.Add(time.Second), At: noon})
	tell(v, notification.Kind, "2", notification.Failed{ID: "2", Cause: "mail-server", At: noon})
	v.shown()
	due := func(at time.Time) []string { return ok(v.DueNotifications(t.Context(), at, 10))(t) }
	same(t, "at noon", due(noon), []string{"4", "3"})
	same(t, "a second later", due(noon.Add(time.Second)), []string{"4", "3", "1"})
	tell(v, notification.Kind, "1", notification.Sent{ID: "1", At: noon})
	v.shown()
	same(t, "sent at last", due(noon.Add(time.Second)), []string{"4", "3"})
}

func TestOfficesAndTariffs(t *testing.T) {
	v := newViews(t)
	tell(v, office.Kind, "office-2", office.Opened{Code: "office-2", Name: "دو", Province: "خوزستان", City: "اهواز"})
	tell(v, office.Kind, "office-1", office.Opened{Code: "office-1", Name: "یک", Province: "تهران", City: "تهران"})
	for version, rial := range []int64{5, 7} {
		tell(v, tariff.Kind, "cpmis-signature", tariff.Published{
			Product: "cpmis-signature", Version: version + 1, TokenRial: 1, IssuanceRial: rial, ValidFrom: noon,
		})
	}
	v.shown()
	var names []string
	for _, o := range ok(v.Offices(t.Context()))(t) {
		names = append(names, o.Code+" "+o.Name+" "+o.City)
	}
	if len(names) != 2 || names[0] == names[1] {
		t.Errorf("offices %v", names)
	}
	list := ok(v.Tariffs(t.Context()))(t)
	if len(list) != 2 || list[0].Version != 2 || list[0].IssuanceRial != 7 || !list[1].ValidFrom.Equal(noon) {
		t.Errorf("tariffs %+v", list)
	}
}
