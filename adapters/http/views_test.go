package http

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"govahi/domain/enrollment"
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
