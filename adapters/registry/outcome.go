package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"govahi/commands"
	"govahi/domain/inquiry"
	"govahi/domain/iran"
)

// What is wrong with us, and not with the person asked about. Neither counts as
// an answer: the inquiry waits, and health says so.
var (
	// ErrAlarm reports credentials or rights that the registry does not accept.
	ErrAlarm = errors.New("registry: our credentials or rights are refused")
	// ErrQuestion reports a question that the registry cannot read, or an answer
	// that nobody here knows.
	ErrQuestion = errors.New("registry: question or answer not understood")
)

// Outcome is what a message code of the registry means (domain §5.3): it answers
// HTTP 200 also when it fails. The code of death is DeathStatus, which is a field
// and no message there.
func Outcome(code string, retryAt time.Time) (commands.RegistryAnswer, error) {
	switch code {
	case "err.record.not.found", "Nin.Not.Valid":
		return commands.RegistryAnswer{Finding: inquiry.NoRecord}, nil
	case "err.cancellation.nin":
		return commands.RegistryAnswer{Finding: inquiry.Cancelled}, nil
	case DeathStatus:
		return commands.RegistryAnswer{Finding: inquiry.Dead}, nil
	case "result.rec.review", "result.rec.return", "IS_EXCEPTED", "result.rec.invisible":
		return commands.RegistryAnswer{Inconclusive: code}, nil
	case "login.holyday.diny":
		return commands.RegistryAnswer{Deferred: inquiry.Holiday, RetryAt: retryAt}, nil
	case "login.time.diny":
		return commands.RegistryAnswer{Deferred: inquiry.OutOfHours, RetryAt: retryAt}, nil
	case "inquiry.outof.max.daily.request", "inquiry.outof.max.response":
		return commands.RegistryAnswer{Deferred: inquiry.Quota, RetryAt: retryAt}, nil
	case "inquiry.time.finished":
		return commands.RegistryAnswer{Deferred: inquiry.Down}, nil
	case "err.method.diny":
		return commands.RegistryAnswer{}, fmt.Errorf("%w: %s", ErrAlarm, code)
	}
	if strings.HasPrefix(code, "login.") {
		return commands.RegistryAnswer{}, fmt.Errorf("%w: %s", ErrAlarm, code)
	}
	return commands.RegistryAnswer{}, fmt.Errorf("%w: %s", ErrQuestion, code)
}

// DeathStatus stands for a record whose deathStatus is set.
const DeathStatus = "deathStatus"

// Hours are when a registry answers, by the clock of Tehran.
type Hours struct {
	From, To int                  // hours of a day; the same for all day
	Closed   func(time.Time) bool // whole days, such as Fridays and holidays; nil for none
}

// Deferral says why a registry does not answer at a moment, and when it will;
// false if it does.
func (h Hours) Deferral(now time.Time) (answer commands.RegistryAnswer, closed bool) {
	local := now.In(iran.Tehran())
	code := ""
	switch hour := local.Hour(); {
	case h.closedOn(local):
		code = "login.holyday.diny"
	case h.From != h.To && (hour < h.From || hour >= h.To):
		code = "login.time.diny"
	default:
		return answer, false
	}
	answer, _ = Outcome(code, h.opens(local))
	return answer, true
}

func (h Hours) closedOn(day time.Time) bool { return h.Closed != nil && h.Closed(day) }

// opens is the beginning of the next hours; nobody is closed for a month.
func (h Hours) opens(now time.Time) time.Time {
	for day := range 31 {
		at := time.Date(now.Year(), now.Month(), now.Day()+day, h.From, 0, 0, 0, now.Location())
		if at.After(now) && !h.closedOn(at) {
			return at.UTC()
		}
	}
	return time.Time{}
}
