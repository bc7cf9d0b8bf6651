package iran

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"govahi/domain/fault"
)

// ErrDate reports what is no day of the Jalali calendar.
var ErrDate = fault.New(fault.Invalid, "date-invalid",
	"تاریخ درست نیست. تاریخ هجری شمسی را به شکل سال/ماه/روز، مانند ۱۴۰۵/۰۹/۰۱، وارد کنید.",
	"The date is wrong. Enter a Jalali date as year/month/day, such as 1405/09/01.")

// The years that are accepted. In them the 33-year cycle gives the official leap
// years as far as they are published, the gap of five years before 1408 among
// them, and Borkowski's table beyond. The 2820-year rule does not: it calls 1404
// a leap year (domain §3.8).
const (
	FirstYear = 1210
	LastYear  = 1600
)

// nowruz1405 is the cycle's number of 1 Farvardin 1405, which is 2026-03-21.
const nowruz1405 = (12053*1405 + 21) / 33

// Date is a day of the Jalali calendar. The zero value is no day.
type Date struct{ Year, Month, Day int }

// FromTime is the day on which an instant falls in Tehran.
func FromTime(t time.Time) Date {
	year, month, day := t.In(Tehran()).Date()
	return fromDayNumber(int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400))
}

// ParseDate reads 1405/09/01, with dashes or Persian digits too, or returns
// ErrDate.
func ParseDate(input string) (Date, error) {
	text := strings.Map(asciiDigit, strings.TrimSpace(Canonical(input)))
	parts := dateForm.FindStringSubmatch(text)
	if parts == nil {
		return Date{}, ErrDate
	}
	var numbers [3]int
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(parts[i+1]) // at most four digits: cannot fail
	}
	d := Date{numbers[0], numbers[1], numbers[2]}
	if !d.Valid() {
		return Date{}, ErrDate
	}
	return d, nil
}

var dateForm = regexp.MustCompile(`^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$`)

// Valid reports whether the calendar has such a day, from FirstYear to LastYear.
func (d Date) Valid() bool {
	return d.Year >= FirstYear && d.Year <= LastYear &&
		d.Month >= 1 && d.Month <= 12 && d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// Time is the instant at which the day starts in Tehran.
func (d Date) Time() time.Time {
	civil := time.Unix(int64(d.dayNumber())*86400, 0).UTC()
	midnight := time.Date(civil.Year(), civil.Month(), civil.Day(), 0, 0, 0, 0, Tehran())
	before := midnight.Add(-1)
	switch {
	case FromTime(midnight) != d: // no 00:00: the clocks went forward just then
		_, midnight = midnight.ZoneBounds()
	case FromTime(before) == d: // 00:00 came twice: the clocks went back at 01:00
		midnight = midnight.Add(-offset(before) + offset(midnight))
	}
	return midnight
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// AddDays counts days of the local calendar, whatever their length in hours.
func (d Date) AddDays(n int) Date { return fromDayNumber(d.dayNumber() + n) }

// Compare is negative if d is before other, zero if it is the same day.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Weekday(floorMod(d.dayNumber()+int(time.Thursday), 7)) // 1970-01-01 was a Thursday
}

// String is the stored form: 1405/09/01.
func (d Date) String() string { return fmt.Sprintf("%04d/%02d/%02d", d.Year, d.Month, d.Day) }

// Long is the form for people, with the weekday: شنبه ۳۰ آبان ۱۴۰۵. The date
// must be valid.
func (d Date) Long() string {
	return PersianDigits(fmt.Sprintf("%s %d %s %d", weekdays[d.Weekday()], d.Day, months[d.Month-1], d.Year))
}

// MarshalText writes the stored form; the zero date is empty.
func (d Date) MarshalText() ([]byte, error) {
	if d == (Date{}) {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDate reads, and nothing as the zero date.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d = Date{}
	if len(text) > 0 {
		*d, err = ParseDate(string(text))
	}
	return err
}

// IsLeap reports whether Esfand of the year has 30 days.
func IsLeap(year int) bool { return floorMod(8*year+21, 33) >= 25 }

var (
	weekdays = [...]string{"یکشنبه", "دوشنبه", "سه\u200cشنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه"}
	months   = [...]string{
		"فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
	}
)

func daysIn(year, month int) int {
	switch {
	case month <= 6:
		return 31
	case month < 12 || IsLeap(year):
		return 30
	}
	return 29
}

// dayNumber counts days from 1970-01-01. Eight leap years in 33 make 12053
// days, so the years before this one have ⌊(12053·year+21)/33⌋.
func (d Date) dayNumber() int {
	inYear := 31*(d.Month-1) - max(0, d.Month-7) + d.Day - 1
	return floorDiv(12053*d.Year+21, 33) + inYear - nowruz1405 + unixNowruz1405
}

// unixNowruz1405 is 2026-03-21 in days from 1970-01-01.
const unixNowruz1405 = 20533

func fromDayNumber(n int) Date {
	n += nowruz1405 - unixNowruz1405
	year := floorDiv(33*n+11, 12053)
	day := n - floorDiv(12053*year+21, 33)
	if day < 186 {
		return Date{year, day/31 + 1, day%31 + 1}
	}
	day -= 186
	return Date{year, day/30 + 7, day%30 + 1}
}

func floorMod(a, b int) int { return ((a % b) + b) % b }

func floorDiv(a, b int) int { return (a - floorMod(a, b)) / b }
