package iran_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jalaali/go-jalaali"

	"govahi/domain/iran"
)

func TestDateVectors(t *testing.T) {
	for jalali, gregorian := range map[string]string{
		"1403/12/30": "2025-03-20",
		"1405/01/01": "2026-03-21",
		"1406/01/01": "2027-03-21",
		"1407/01/01": "2028-03-20",
		"1409/01/01": "2030-03-21",
		"1405/06/31": "2026-09-22",
		"1396/10/05": "2017-12-26",
		"1393/06/10": "2014-09-01",
		"1395/12/28": "2017-03-18",
	} {
		d, err := iran.ParseDate(jalali)
		if err != nil || d.Time().Format(time.DateOnly) != gregorian {
			t.Errorf("%s is %s, want %s (%v)", jalali, d.Time(), gregorian, err)
		}
		day, _ := time.ParseInLocation(time.DateOnly, gregorian, iran.Tehran())
		if got := iran.FromTime(day.Add(12 * time.Hour)).String(); got != jalali {
			t.Errorf("%s is %s, want %s", gregorian, got, jalali)
		}
	}
}

func TestDayBeginsInTehran(t *testing.T) {
	for instant, want := range map[string]string{
		"2026-11-21T20:29:59Z": "1405/08/30",
		"2026-11-21T20:30:00Z": "1405/09/01",
	} {
		at, _ := time.Parse(time.RFC3339, instant)
		if got := iran.FromTime(at).String(); got != want {
			t.Errorf("%s is %s, want %s", instant, got, want)
		}
	}
}

func TestLeapYears(t *testing.T) {
	leap := map[int]bool{
		1395: true, 1399: true, 1403: true, 1408: true, 1412: true, 1416: true,
		1420: true, 1424: true, 1428: true, 1432: true, 1436: true,
	}
	for year := 1395; year <= 1436; year++ {
		if iran.IsLeap(year) != leap[year] {
			t.Errorf("IsLeap(%d) = %v", year, !leap[year])
		}
	}
}

// TestEveryDay walks through all supported years: each day starts where the day
// before ends, in Tehran's zone of that time, and go-jalaali agrees.
func TestEveryDay(t *testing.T) {
	d, last := iran.Date{Year: iran.FirstYear, Month: 1, Day: 1}, iran.Date{Year: iran.LastYear + 1, Month: 1, Day: 1}
	weekday := d.Weekday()
	for ; d != last; d = d.AddDays(1) {
		start := d.Time()
		if !d.Valid() || iran.FromTime(start) != d || iran.FromTime(start.Add(-1)) != d.AddDays(-1) {
			t.Fatalf("%v starts at %v, which is %v", d, start, iran.FromTime(start))
		}
		if d.Weekday() != weekday || start.Weekday() != weekday {
			t.Fatalf("%v is a %v, not a %v", d, weekday, d.Weekday())
		}
		weekday = (weekday + 1) % 7
		year, month, day, err := jalaali.ToJalaali(start.Date())
		if err != nil || d != (iran.Date{Year: year, Month: int(month), Day: day}) {
			t.Fatalf("%v is %d/%d/%d to go-jalaali (%v)", d, year, month, day, err)
		}
	}
}

func TestValidAgreesWithGoJalaali(t *testing.T) {
	for year := 1300; year <= 1500; year++ {
		for month := 0; month <= 13; month++ {
			for day := 0; day <= 32; day++ {
				d := iran.Date{Year: year, Month: month, Day: day}
				if d.Valid() != jalaali.IsValidDate(year, month, day) {
					t.Errorf("%v: Valid is %v", d, d.Valid())
				}
			}
		}
	}
}

func TestParseDate(t *testing.T) {
	want := iran.Date{Year: 1405, Month: 9, Day: 1}
	for _, in := range []string{"1405/09/01", "1405-09-01", "1405/9/1", "۱۴۰۵/۰۹/۰۱", "١٤٠٥-٠٩-٠١", " \u200f۱۴۰۵/۹/۱\u200e "} {
		if d, err := iran.ParseDate(in); d != want || err != nil {
			t.Errorf("%+q: %v, %v", in, d, err)
		}
	}
	for _, in := range []string{
		"", "1404/12/30", "1405/07/31", "1405/13/01", "1405/00/01", "1405/01/00", "1405/01/32", "05/09/01",
		"2026/11/22", "1209/12/29", "1601/01/01", "1405/09/01x", "1405/09", "14050901", "1405//1", "1405/-9/1",
	} {
		if d, err := iran.ParseDate(in); d != (iran.Date{}) || !errors.Is(err, iran.ErrDate) {
			t.Errorf("%+q: %v, %v", in, d, err)
		}
	}
}

func TestLong(t *testing.T) {
	for d, want := range map[iran.Date]string{
		{Year: 1405, Month: 8, Day: 30}:  "شنبه ۳۰ آبان ۱۴۰۵",
		{Year: 1405, Month: 9, Day: 3}:   "سه\u200cشنبه ۳ آذر ۱۴۰۵",
		{Year: 1403, Month: 12, Day: 30}: "پنجشنبه ۳۰ اسفند ۱۴۰۳",
		{Year: 1348, Month: 10, Day: 10}: "چهارشنبه ۱۰ دی ۱۳۴۸",
	} {
		if got := d.Long(); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// TestConsultationWindows are §3.8's windows: fourteen whole days in Tehran.
func TestConsultationWindows(t *testing.T) {
	published := iran.Date{Year: 1405, Month: 9, Day: 1}
	if closes := published.AddDays(15).Time(); !closes.Equal(time.Date(2026, 12, 6, 20, 30, 0, 0, time.UTC)) {
		t.Errorf("closes at %v", closes.UTC())
	}
	if closes := published.AddDays(14).Time(); !closes.Equal(time.Date(2026, 12, 5, 20, 30, 0, 0, time.UTC)) {
		t.Errorf("with the day of publication counted, closes at %v", closes.UTC())
	}
	if last := (iran.Date{Year: 1405, Month: 12, Day: 28}).AddDays(13); last.String() != "1406/01/12" {
		t.Errorf("the window over Nowruz ends on %v", last)
	}
}

func TestFourteenDaysAreNotAlways336Hours(t *testing.T) {
	start := iran.FromTime(time.Date(2022, 9, 15, 12, 0, 0, 0, iran.Tehran()))
	if hours := start.AddDays(14).Time().Sub(start.Time()).Hours(); hours != 337 {
		t.Errorf("over the end of summer time: %v hours", hours)
	}
	start = iran.FromTime(time.Date(2026, 9, 15, 12, 0, 0, 0, iran.Tehran()))
	if hours := start.AddDays(14).Time().Sub(start.Time()).Hours(); hours != 336 {
		t.Errorf("today: %v hours", hours)
	}
}

func TestTehranOffsets(t *testing.T) {
	for year, want := range map[int]int{2022: 4*3600 + 1800, 2023: 3*3600 + 1800} {
		if _, offset := time.Date(year, 7, 1, 0, 0, 0, 0, time.UTC).In(iran.Tehran()).Zone(); offset != want {
			t.Errorf("July %d: %d s, want %d s", year, offset, want)
		}
	}
}

func TestDateInJSON(t *testing.T) {
	type fact struct{ Born, Died iran.Date }
	data, err := json.Marshal(fact{Born: iran.Date{Year: 1360, Month: 1, Day: 1}})
	if err != nil || string(data) != `{"Born":"1360/01/01","Died":""}` {
		t.Fatalf("%s, %v", data, err)
	}
	back := fact{Died: iran.Date{Year: 1400, Month: 1, Day: 1}}
	if err := json.Unmarshal(data, &back); err != nil || back.Born.String() != "1360/01/01" || back.Died != (iran.Date{}) {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"Born":"1404/12/30"}`), &back); !errors.Is(err, iran.ErrDate) {
		t.Errorf("an impossible date was read: %v", err)
	}
}

func TestCompare(t *testing.T) {
	d := iran.Date{Year: 1405, Month: 9, Day: 15}
	for n, want := range map[int]int{-400: 1, -40: 1, -1: 1, 0: 0, 1: -1, 40: -1, 400: -1} {
		if got := d.Compare(d.AddDays(n)); got != want {
			t.Errorf("Compare with %d days later: %d", n, got)
		}
	}
}
