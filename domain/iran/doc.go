// Package iran knows what Iranian people and organisations are named and
// numbered by, how Persian text is folded, and the Jalali calendar.
//
// Every parser takes what a person typed, in Persian, Arabic or ASCII digits,
// and returns the one form that is stored. A check digit is a filter for typing
// errors and never proof of identity: only an inquiry is.
package iran
