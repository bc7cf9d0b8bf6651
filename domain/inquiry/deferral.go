package inquiry

import (
	"fmt"
	"time"

	"govahi/domain/fault"
	"govahi/domain/iran"
)

// Deferral is what an officer sees while the registry has not answered: why, and
// when it is asked again by itself. It says nothing about the person asked about
// (invariant 11).
type Deferral struct {
	Cause Cause     `json:"cause" doc:"holiday, out-of-hours, quota or down"`
	Until time.Time `json:"until" doc:"When the registry is asked again"`
	Fa    string    `json:"fa" doc:"For the officer, Persian"`
	En    string    `json:"en" doc:"For the officer, English"`
}

// Explain puts a deferral into words.
func Explain(cause Cause, until time.Time) Deferral {
	text := why[cause]
	local := until.In(iran.Tehran())
	when := iran.FromTime(until).Long() + "، ساعت " + iran.PersianDigits(local.Format("15:04"))
	return Deferral{
		Cause: cause, Until: until.UTC(),
		Fa: fmt.Sprintf("%s؛ استعلام %s خودبه‌خود فرستاده می‌شود. این مغایرت نیست و کار دیگری لازم ندارد.", text.Fa, when),
		En: fmt.Sprintf("%s; the inquiry is sent by itself on %s (Tehran). This is no mismatch, and nothing need be done.", text.En, local.Format("2006-01-02 at 15:04")),
	}
}

var why = map[Cause]fault.Text{
	Holiday:    {Fa: "ثبت احوال امروز تعطیل است", En: "The civil registry is closed today"},
	OutOfHours: {Fa: "ساعت کار ثبت احوال نیست", En: "The civil registry is outside its hours"},
	Quota:      {Fa: "سهمیهٔ استعلام از ثبت احوال پر شده است", En: "The quota of inquiries to the civil registry is used up"},
	Down:       {Fa: "ثبت احوال پاسخ نمی‌دهد", En: "The civil registry does not answer"},
}

// Deferral is why the question was not answered yet; nil if nothing is deferred.
func (s Inquiry) Deferral() *Deferral {
	if s.Status != Due || s.Cause == "" {
		return nil
	}
	w := Explain(s.Cause, s.DueAt)
	return &w
}
