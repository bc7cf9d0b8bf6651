package sso

import "slices"

// Persona is an invented person who may sign in during development. The
// national codes begin with 999, which no issuing office is known to use, and
// their check digits are right (domain §3.1).
type Persona struct {
	Name         string // how commands and the demo call him
	Display      string // Persian; says that he is a sample
	NationalCode string
}

// Personas is the whole cast. What each may do is not written here: it follows
// from appointments, as for real people.
func Personas() []Persona { return slices.Clone(cast) }

var cast = []Persona{
	{"admin", "مدیر سامانهٔ نمونه", "9992001011"},
	{"manager", "مدیر ارشد نمونه", "9992002026"},
	{"auditor", "حسابرس نمونه", "9992003030"},
	{"ca-operator", "کارشناس مرکز صدور نمونه", "9992004045"},
	{"ca-operator-2", "کارشناس دوم مرکز صدور نمونه", "9992025255"},
	{"officer-1", "مأمور نخست نمونهٔ دفتر یک", "9992005051"},
	{"officer-2", "مأمور دوم نمونهٔ دفتر یک", "9992006064"},
	{"officer-other", "مأمور نمونهٔ دفتر دیگر", "9992007079"},
	{"research-officer", "کارشناس نمونهٔ پژوهش و فناوری", "9992008083"},
	{"applicant", "متقاضی نمونه", "9992009098"},
	{"applicant-2", "متقاضی نمونهٔ دوم", "9992010101"},
	{"employee", "کارمند نمونهٔ شرکت", "9992024240"},
	{"inside-officer", "کارشناس نمونهٔ پژوهش و فناوری شرکت", "9992020202"},
	{"courier", "مأمور نمونهٔ مرجع طرف قرارداد", "9992022221"},
	{"company-officer", "مأمور نمونهٔ تحویل شرکت", "9992023236"},
	{"stranger", "ناآشنای نمونه", "9992011114"},
}

func find(name string) (Persona, bool) {
	i := slices.IndexFunc(cast, func(p Persona) bool { return p.Name == name })
	if i < 0 {
		return Persona{}, false
	}
	return cast[i], true
}

func names() []string {
	var all []string
	for _, p := range cast {
		all = append(all, p.Name)
	}
	return all
}
