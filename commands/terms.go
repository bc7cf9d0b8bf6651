package commands

import (
	"fmt"
	"time"

	"govahi/domain/fault"
	"govahi/domain/token"
)

// Terms are the times of a certificate's life, as the policy of the CA sets them
// (domain §4.6). A file may set others.
type Terms struct {
	SuspensionDays int   `yaml:"suspensionDays"` // the longest suspension
	AcceptanceDays int   `yaml:"acceptanceDays"` // from delivery to acceptance, where no profile says
	ReminderDays   []int `yaml:"reminderDays"`   // before expiry, falling
	ReinquiryDays  int   `yaml:"reinquiryDays"`  // between two inquiries about a holder

	Custody Custody `yaml:"custodyDays"` // how long a token may be on its way, and wait
}

// Custody are the terms of a token's custody (§2.4, policy 4): days until an
// alarm is raised, and days until the token and its certificate end.
type Custody struct {
	Receipt    []int `yaml:"receipt"`    // of a hand-over
	Delivery   []int `yaml:"delivery"`   // from the personalised token on
	Activation []int `yaml:"activation"` // from delivery on
}

// Times are the terms as the token's machine counts them.
func (c Custody) Times() token.Terms {
	term := func(t []int) token.Term { return token.Term{Alarm: days(t[0]), End: days(t[1])} }
	return token.Terms{Receipt: term(c.Receipt), Delivery: term(c.Delivery), Activation: term(c.Activation)}
}

// DefaultTerms are those of domain §4.6, and for custody and reminders our own.
func DefaultTerms() Terms {
	return Terms{
		SuspensionDays: 30, AcceptanceDays: 30, ReminderDays: []int{30, 14, 7, 1}, ReinquiryDays: 180,
		Custody: Custody{Receipt: []int{7, 21}, Delivery: []int{30, 60}, Activation: []int{14, 30}},
	}
}

// longestTerm is ten years: more is a mistake of whoever wrote the file.
const longestTerm = 3650

// Check refuses terms that nobody can have meant, all at once.
func (t Terms) Check() error {
	w := &fault.Remarks{}
	span := func(field string, days int) {
		w.Need(days >= 1 && days <= longestTerm, field, "%d پذیرفته نیست؛ شمار روزها را از 1 تا %d بنویسید.", "%d is not days from 1 to %d", days, longestTerm)
	}
	span("suspensionDays", t.SuspensionDays)
	span("acceptanceDays", t.AcceptanceDays)
	span("reinquiryDays", t.ReinquiryDays)
	w.Need(len(t.ReminderDays) > 0, "reminderDays", "چیزی نوشته نشده است؛ روزهای پیش از انقضا را بنویسید، مانند [30, 14, 7, 1].",
		"nothing is said: give days before expiry, such as [30, 14, 7, 1]")
	for i, days := range t.ReminderDays {
		field := fmt.Sprintf("reminderDays[%d]", i)
		span(field, days)
		w.Need(i == 0 || days < t.ReminderDays[i-1], field, "%d از عدد پیش از خود کمتر نیست؛ روزها را از زیاد به کم بنویسید.",
			"%d is not less than the one before", days)
	}
	t.Custody.check(w)
	return w.Err()
}

func (c Custody) check(w *fault.Remarks) {
	for _, term := range []struct {
		name string
		days []int
	}{{"receipt", c.Receipt}, {"delivery", c.Delivery}, {"activation", c.Activation}} {
		two := len(term.days) == 2
		w.Need(two && term.days[0] >= 1 && term.days[1] > term.days[0] && term.days[1] <= longestTerm, "custodyDays."+term.name,
			"%v پذیرفته نیست؛ روزهای تا هشدار و سپس، بیش از آن، روزهای تا پایان را بنویسید، از 1 تا %d.",
			"%v cannot be: give days until the alarm and, more of them, until the end, from 1 to %d", term.days, longestTerm)
	}
}

// days is a term as a time span. A day is 24 hours here: the terms are counted
// from a moment to a moment, and are no deadlines of a calendar.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
