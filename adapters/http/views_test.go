package http

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/iran"
	"govahi/domain/notification"
	"govahi/queries"
)

// TestTheApplicantSeesWhoHasItAndWhatComesNext: and how it came there, in words
// (domain §2.5).
func TestTheApplicantSeesWhoHasItAndWhatComesNext(t *testing.T) {
	t.Parallel()
	l := tell(t)
	var p Progress
	l.get("applicant", "/requests/"+l.code).json(t, &p)
	if p.State != "controlled" || p.StateName != "بررسی‌شده" || p.Now == "" || p.Next == "" {
		t.Errorf("%+v", p)
	}
	if second := (Possible{"درستی اطلاعات را تأیید کرد", "مأمور دوم دفتر"}); !slices.Contains(p.Possible, second) {
		t.Errorf("possible: %+v", p.Possible)
	}
	var way []string
	var before time.Time
	for _, s := range p.Timeline {
		if s.Since.Before(before) || s.Name != enrollment.Status(s.State).Persian() {
			t.Errorf("%+v", s)
		}
		way, before = append(way, s.State), s.Since
	}
	if want := []string{"draft", "completed", "ready", "at-office", "under-control", "controlled"}; !slices.Equal(way, want) {
		t.Errorf("it came by %v, want %v", way, want)
	}
	if last := p.Timeline[len(p.Timeline)-1]; !last.Since.Equal(p.Since) {
		t.Errorf("it is there since %v, by its timeline since %v", p.Since, last.Since)
	}
	l.issued()
	l.get("applicant", "/requests/"+l.code).json(t, &p)
	if p.State != "active" || p.StateName != "فعال" || p.Next != "کاری نمانده است." {
		t.Errorf("%+v", p)
	}
}

// TestATokenThatAnAttorneyReceivedIsMarkedSo: to all who see the request by his
// power, by name to those alone who see the form, and the applicant is not told
// that he has it.
func TestATokenThatAnAttorneyReceivedIsMarkedSo(t *testing.T) {
	t.Parallel()
	l := tell(t)
	l.certifies("TOKEN1")
	const name, power = "وکیل نمونه", "۱۲۳/الف"
	_, after := l.done("officer-1", "/requests/"+l.code+"/delivery", map[string]any{
		"identityChecked": "national-card",
		"attorney":        map[string]string{"name": name, "power": power, "date": "1405/01/01", "notary": "دفترخانهٔ ۱"},
	})
	for _, persona := range []string{"applicant", "officer-1", "auditor"} {
		var p Progress
		a := l.get(persona, "/requests/"+l.code+"?"+after)
		a.json(t, &p)
		last := p.Timeline[len(p.Timeline)-1]
		if !p.ToAttorney || p.Attorney == nil || p.Attorney.Number != power || last.Name != "تحویل‌شده به وکیل" || last.Attorney == nil || *last.Attorney != *p.Attorney {
			t.Errorf("%s sees %s", persona, a.body)
		}
		if bytes.Contains(a.body, []byte(name)) || strings.Contains(p.Now, "نزد شماست") || !strings.Contains(p.Now, "توکن را وکیل شما گرفته است") {
			t.Errorf("%s is told %s", persona, a.body)
		}
	}
	for _, persona := range []string{"applicant", "officer-1"} {
		var f FormShown
		if l.get(persona, "/requests/"+l.code+"/form").json(t, &f); f.Attorney == nil || f.Attorney.Name != name || f.Surname == "" {
			t.Errorf("%s sees the form %+v", persona, f)
		}
		paper := l.get(persona, "/requests/"+l.code+"/form.html").page(t, 200)
		if !strings.Contains(paper, name) || !strings.Contains(paper, "تحویل به وکیل") {
			t.Errorf("%s's form on paper does not tell:\n%s", persona, paper)
		}
	}
	fields := url.Values{"trackingCode": {l.code}, "lastFour": {"1234"}}.Encode()
	if page := l.track(fields, browser...).page(t, 200); !strings.Contains(page, "توکن را وکیل شما گرفته است") || strings.Contains(page, name) {
		t.Errorf("the tracking page: %s", page)
	}
}

// TestOfTwoWaysToSubmitOneIsTheChannels: the life of a request names both.
func TestOfTwoWaysToSubmitOneIsTheChannels(t *testing.T) {
	const toOffice, toUnit = "درخواست را به دفتر فرستاد", "درخواست را به واحد پژوهش و فناوری داد"
	for channel, way := range map[enrollment.Channel]string{enrollment.Outside: toOffice, enrollment.Inside: toUnit} {
		var ways []string
		for _, p := range possible(queries.Request{Channel: string(channel), State: string(enrollment.StatusReady)}) {
			if p.Name == toOffice || p.Name == toUnit {
				ways = append(ways, p.Name)
			}
		}
		if !slices.Equal(ways, []string{way}) {
			t.Errorf("%s: %v", channel, ways)
		}
	}
}

// TestMyMessagesHaveTitles: each template has one, and they are mine alone.
func TestMyMessagesHaveTitles(t *testing.T) {
	t.Parallel()
	l := tell(t)
	_, after := l.done("officer-1", "/requests/"+l.code+"/correction", map[string]any{"fields": []string{"post"}})
	var mine, others []queries.Message
	a := l.get("applicant", "/messages?"+after)
	a.json(t, &mine)
	var titles []string
	for _, m := range mine {
		titles = append(titles, m.Title)
		if m.TrackingCode != l.code || m.Means != notification.ByEmail {
			t.Errorf("%+v", m)
		}
	}
	if want := []string{"فرم نیازمند اصلاح است", "درخواست شما ثبت شد", "کد تأیید پست الکترونیک"}; !slices.Equal(titles, want) {
		t.Errorf("the messages are %q, want %q", titles, want)
	}
	if in := form(); bytes.Contains(a.body, []byte(in.Email)) || bytes.Contains(a.body, []byte(in.Surname)) {
		t.Errorf("personal data is shown: %s", a.body)
	}
	if l.get("officer-1", "/messages?"+after).json(t, &others); len(others) != 0 {
		t.Errorf("the officer has %+v", others)
	}
}

// TestTheCalendarTellsWhatEndsSoonestFirst: of each kind at least one.
func TestTheCalendarTellsWhatEndsSoonestFirst(t *testing.T) {
	t.Parallel()
	l := tell(t).issued()
	if err := l.publisher.Publish(t.Context(), commands.Caller{Policy: "daily-crl", Key: "1"}); err != nil {
		t.Fatal(err)
	}
	head, err := l.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var c Calendar
	l.get("ca-operator", "/calendar?after="+head.String()).json(t, &c)
	kinds := map[string]int{}
	var before time.Time
	for _, e := range c.Ends {
		if e.Until.Before(before) || endWords[e.Kind] == "" {
			t.Errorf("%+v after %v", e, before)
		}
		before = e.Until
		kinds[e.Kind]++
	}
	want := map[string]int{
		"crl": 1, "responder-certificate": 1, "office-licence": 2, "officer-certificate": 3, "issuer-certificate": 2, "root-certificate": 1,
	}
	if !maps.Equal(kinds, want) {
		t.Errorf("%v end, want %v", kinds, want)
	}
	if len(c.Holders) != 1 || c.Holders[0].Count != 1 {
		t.Errorf("holders %+v", c.Holders)
	}
	if page := l.get("manager", "/dashboard?after="+head.String()); !bytes.Contains(page.body, []byte("فهرست ابطال بعدی")) {
		t.Errorf("the dashboard does not say it: %s", page.body)
	}
}

// TestTheLogOfInquiriesIsReadByDays: of Tehran, the last one included.
func TestTheLogOfInquiriesIsReadByDays(t *testing.T) {
	t.Parallel()
	l := tell(t)
	today := iran.FromTime(now())
	for query, want := range map[string]int{
		"": 1, "?purpose=certificate-issuance": 1, "?purpose=certificate-reinquiry": 0,
		"?from=" + today.AddDays(-1).String() + "&to=" + today.AddDays(1).String(): 1,
		"?to=" + today.AddDays(-2).String():                                        0,
		"?from=" + today.AddDays(2).String():                                       0,
	} {
		var list []queries.Inquiry
		a := l.get("auditor", "/inquiries"+query)
		a.json(t, &list)
		if len(list) != want {
			t.Errorf("%q: %s", query, a.body)
		}
		for _, i := range list {
			if i.TrackingCode != l.code || value(i.RegistryCode) == "" || i.AnsweredAt == nil {
				t.Errorf("%+v", i)
			}
		}
	}
	for _, field := range []string{"from", "to"} {
		if p := l.get("auditor", "/inquiries?"+field+"=1405/13/01").problem(t); p.Status != 422 || p.Code != iran.ErrDate.Code || p.Field != field {
			t.Errorf("%+v", p)
		}
	}
}
