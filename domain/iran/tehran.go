package iran

import (
	"time"
	_ "time/tzdata" // a container may have no zone data of its own
)

var tehran = loadTehran()

// Tehran is the zone in which days begin and deadlines end.
func Tehran() *time.Location { return tehran }

// loadTehran stops the program rather than end every summer deadline an hour
// early: the system's own zone data comes before the embedded, and may be older
// than the law of 2022 that ended summer time (tzdata 2022b).
func loadTehran() *time.Location {
	zone, err := time.LoadLocation("Asia/Tehran")
	if err != nil {
		panic("iran: no zone data for Asia/Tehran: " + err.Error())
	}
	if !endedSummerTime(zone) {
		panic("iran: the system's zone data for Asia/Tehran is older than 2022b; update it")
	}
	return zone
}

func endedSummerTime(zone *time.Location) bool {
	_, offset := time.Date(2023, time.July, 1, 0, 0, 0, 0, time.UTC).In(zone).Zone()
	return offset == 3*3600+1800
}
