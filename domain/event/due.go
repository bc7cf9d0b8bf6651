package event

import "time"

// Apart is how far apart the clocks of two machines may be. Within it a moment
// that is still to come is another machine's present.
const Apart = 15 * time.Second

// IsDue tells whether a time has come, or was chosen by a clock that has gone
// back since: nobody waits an hour for a clock that was put right. What another
// machine, or another process a moment ago, put off stays put off.
func IsDue(now, due, chosen time.Time) bool { return !due.After(now) || chosen.Sub(now) > Apart }
