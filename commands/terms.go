package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"govahi/domain/token"
)

// Terms are the times of a certificate's life, as the policy of the CA sets them
// (domain §4.6). A file may set others.
type Terms struct {
	SuspensionDays int   `yaml:"suspensionDays"` // the longest suspension
	AcceptanceDays int   `yaml:"acceptanceDays"` // from delivery to acceptance
	ReminderDays   []int `yaml:"reminderDays"`   // before expiry, falling
	ReinquiryDays  int   `yaml:"reinquiryDays"`  // between two inquiries about a holder

	Custody token.Terms `yaml:"-"` // how long a token may be on its way, and wait
}

// DefaultTerms are those of domain §4.6, and for custody and reminders our own.
func DefaultTerms() Terms {
	return Terms{SuspensionDays: 30, AcceptanceDays: 30, ReminderDays: []int{30, 14, 7, 1}, ReinquiryDays: 180, Custody: DefaultCustody}
}

// longestTerm is ten years: more is a mistake of whoever wrote the file.
const longestTerm = 3650

// Check refuses terms that nobody can have meant, all at once.
func (t Terms) Check() error {
	var wrong []error
	for name, days := range map[string]int{
		"suspensionDays": t.SuspensionDays, "acceptanceDays": t.AcceptanceDays, "reinquiryDays": t.ReinquiryDays,
	} {
		if days < 1 || days > longestTerm {
			wrong = append(wrong, fmt.Errorf("%s is %d: give days, from 1 to %d", name, days, longestTerm))
		}
	}
	if len(t.ReminderDays) == 0 {
		wrong = append(wrong, errors.New("reminderDays is empty: give days before expiry, such as [30, 14, 7, 1]"))
	}
	for i, days := range t.ReminderDays {
		if days < 1 || days > longestTerm || i > 0 && days >= t.ReminderDays[i-1] {
			wrong = append(wrong, fmt.Errorf("reminderDays has %d at place %d: give days from 1 to %d, each less than the one before", days, i+1, longestTerm))
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong...)
}

// days is a term as a time span. A day is 24 hours here: the terms are counted
// from a moment to a moment, and are no deadlines of a calendar.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
