package profile

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"govahi/domain/fault"
)

var (
	slug   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	oid    = regexp.MustCompile(`^[012](\.(0|[1-9][0-9]{0,9})){2,15}$`)
	suffix = regexp.MustCompile(`^\[[A-Z][A-Za-z]{0,14}\]$`)
)

// validate says everything that is wrong, not only what comes first.
func (p Profile) validate() error {
	w := &fault.Remarks{}
	for _, check := range []func(*fault.Remarks){
		p.validateName, p.validateHolder, p.validateUse, p.validateKeys, p.validateSubject, p.validateLife, p.validatePolicy,
	} {
		check(w)
	}
	return w.Err()
}

func (p Profile) validateName(w *fault.Remarks) {
	w.Need(slug.MatchString(p.Name) && len(p.Name) <= 40, "name",
		"%q پذیرفته نیست؛ حروف کوچک لاتین، رقم و خط تیرهٔ تک بنویسید، دست بالا ۴۰ نویسه.",
		"%q is not of lower-case letters, digits and single dashes, at most 40", p.Name)
	within(w, "version", p.Version, 1, 9999)
	w.Need(p.Title.Fa != "", "title.fa", "نام فارسی که مردم می‌خوانند نیامده است؛ آن را بنویسید.",
		"the name that people read, in Persian, is missing")
	w.Need(p.Title.En != "", "title.en", "نام انگلیسی که مردم می‌خوانند نیامده است؛ آن را بنویسید.",
		"the name that people read, in English, is missing")
	switch {
	case p.Requested():
		w.Need(slug.MatchString(p.Product) && len(p.Product) <= 40, "product",
			"%q نام محصول نیست؛ حروف کوچک لاتین، رقم و خط تیرهٔ تک بنویسید، دست بالا ۴۰ نویسه.",
			"%q is not a product's name: lower-case letters, digits and single dashes, at most 40", p.Product)
	default:
		w.Need(p.Product == "", "product", "گواهی دارندهٔ %s بی درخواست صادر می‌شود؛ این خانه را بردارید.",
			"holder %s is certified without a request: leave it out", p.Holder)
	}
}

// within wants a number between two others.
func within(w *fault.Remarks, field string, n, least, most int) {
	w.Need(n >= least && n <= most, field, "%d پذیرفته نیست؛ عددی از %d تا %d بنویسید.", "%d is not from %d to %d", n, least, most)
}

// among wants one of some words.
func among[T ~string](w *fault.Remarks, field string, value T, allowed []T) {
	w.Need(slices.Contains(allowed, value), field, "%q پذیرفته نیست؛ یکی از این‌ها را بنویسید: %s.", "%q is none of %s", value, list(allowed))
}

func (p Profile) validateHolder(w *fault.Remarks) {
	among(w, "holder", p.Holder, Holders)
	w.Need((p.Holder == Officer) == (p.Name == OfficersName), "name",
		"نام %q و دارندهٔ %s تنها با هم می‌آیند؛ سوابق دیگر مأمور را به این نام می‌شناسند.",
		"%q and holder %s go together: other records know an officer by it", OfficersName, Officer)
	switch p.Holder {
	case Person:
		w.Need(p.Sector == Unaffiliated, "sector", "%q پذیرفته نیست؛ برای دارندهٔ person بنویسید %s.",
			"%q cannot be: holder person is %s", p.Sector, Unaffiliated)
	case Member, Stamp, Officer:
		w.Need(p.Sector == Governmental || p.Sector == NonGovernmental, "sector", "%q پذیرفته نیست؛ برای دارندهٔ %s بنویسید %s یا %s.",
			"%q cannot be: holder %s is %s or %s", p.Sector, p.Holder, Governmental, NonGovernmental)
	case Responder:
		w.Need(p.Sector == "", "sector", "دارندهٔ %s چنین خانه‌ای ندارد؛ آن را بردارید.", "holder %s has none: leave it out", p.Holder)
	}
}

// validateUse keeps the uses apart (pki §2): a key that opens what others
// encrypted may have to be given to another one day, a key that signs never.
func (p Profile) validateUse(w *fault.Remarks) {
	among(w, "use", p.Use, Uses)
	w.Need(p.Use != Mixed || p.Retired, "use", "%s تنها از آن نمایه‌های بازنشسته است؛ یک نمایه برای امضا و یکی برای احراز هویت بسازید.",
		"%s is for retired profiles only: make one for signing and one for authentication", Mixed)
	w.Need((p.Use == Answering) == (p.Holder == Responder), "use", "%s و دارندهٔ %s تنها با هم می‌آیند و هیچ‌یک با دیگری نمی‌آید.",
		"%s and holder %s go together, and neither with another", Answering, Responder)
	may, must := p.usages()
	p.each(w, "keyUsage", texts(p.KeyUsage), texts(may))
	for _, u := range must {
		w.Need(slices.Contains(p.KeyUsage, u), "keyUsage", "%s نیامده است و %s با این کلیدها به آن نیاز دارد؛ آن را بیفزایید.",
			"%s is missing, which %s needs with these keys", u, p.Use)
	}
	p.each(w, "extendedKeyUsage", texts(p.ExtendedKeyUsage), texts(extended[p.Use]))
	if p.Use == Encryption {
		w.Need(p.Escrow == "none", "escrow", "%q پذیرفته نیست؛ کلید روی توکن زاده می‌شود و همان‌جا می‌ماند، پس بنویسید none.",
			"%q cannot be: keys are born on the token and stay there, so say none", p.Escrow)
	} else {
		w.Need(p.Escrow == "", "escrow", "این خانه تنها برای encryption است؛ آن را بردارید.", "it is for encryption only: leave it out")
	}
}

// extended are the purposes of each use.
var extended = map[Use][]Purpose{
	Signing: {EmailProtection}, Authentication: {ClientAuth}, Encryption: {EmailProtection}, Answering: {OCSPSigning},
	Mixed: {ClientAuth, EmailProtection},
}

// usages are the key usages that a use may have, and those that it must.
func (p Profile) usages() (may, must []KeyUsage) {
	switch p.Use {
	case Signing, Mixed:
		return []KeyUsage{DigitalSignature, NonRepudiation}, nil
	case Authentication, Answering:
		return []KeyUsage{DigitalSignature}, nil
	}
	if slices.ContainsFunc(p.Keys, Key.RSA) {
		must = append(must, KeyEncipherment)
	}
	if slices.ContainsFunc(p.Keys, func(k Key) bool { return !k.RSA() }) {
		must = append(must, KeyAgreement)
	}
	return must, must
}

func (p Profile) validateKeys(w *fault.Remarks) { p.each(w, "keys", texts(p.Keys), texts(Keys)) }

// each wants some of what is allowed for the use, and nothing twice.
func (p Profile) each(w *fault.Remarks, field string, values, allowed []string) {
	w.Need(len(values) > 0, field, "چیزی نوشته نشده است؛ برای %s از این‌ها بنویسید: %s.",
		"nothing is said; for %s it is some of %s", p.Use, list(allowed))
	for i, v := range values {
		w.Need(slices.Contains(allowed, v), field, "%q پذیرفته نیست؛ برای %s از این‌ها بنویسید: %s.",
			"%q cannot be; for %s it is some of %s", v, p.Use, list(allowed))
		w.Need(!slices.Contains(values[:i], v), field, "%q دو بار آمده است؛ یکی را بردارید.", "%q stands twice", v)
	}
}

func list[T ~string](values []T) string { return strings.Join(texts(values), ", ") }

func texts[T ~string](values []T) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// names are the attributes that each holder's subject has, and those that it may
// have besides (domain §4.3).
var names = map[Holder]struct{ must, may []Type }{
	Person: {must: []Type{Country, Organization, Province, Locality, Surname, GivenName, SerialNumber, CommonName}},
	Member: {must: []Type{
		Country, Organization, OrganizationalUnit, OrganizationIdentifier, Province, Locality, Post, Surname, GivenName, SerialNumber, CommonName,
	}},
	Stamp:     {must: []Type{Country, Organization, OrganizationalUnit, OrganizationIdentifier, Province, Locality, CommonName}},
	Officer:   {must: []Type{Country, Organization, OrganizationalUnit, Post, Surname, GivenName, SerialNumber, CommonName}, may: []Type{Province, Locality}},
	Responder: {must: []Type{Country, CommonName}, may: []Type{Organization}},
}

func (p Profile) validateSubject(w *fault.Remarks) {
	known := names[p.Holder]
	count := map[Type]int{}
	for i, a := range p.Subject {
		count[a.Type]++
		p.validateAttribute(w, fmt.Sprintf("subject[%d]", i), a)
	}
	for _, t := range known.must {
		w.Need(count[t] > 0, "subject", "%s نیامده است و دارندهٔ %s به آن نیاز دارد (domain §4.3)؛ آن را بیفزایید.",
			"%s is missing, which holder %s needs (domain §4.3)", t, p.Holder)
	}
	for t, n := range count {
		most := 1
		if t == OrganizationalUnit {
			most = 3
		}
		w.Need(n <= most, "subject", "%s %d بار آمده است و دست بالا %d بار رواست.", "%s stands %d times, and may %d", t, n, most)
	}
	among(w, "email", p.Email, Emails)
	w.Need(p.Email == EmailNone || p.Holder != Responder, "email", "دارندهٔ %s نشانی ندارد؛ بنویسید none.",
		"holder %s has no address: none", Responder)
}

func (p Profile) validateAttribute(w *fault.Remarks, field string, a Attribute) {
	known := names[p.Holder]
	allowed := slices.Concat(known.must, known.may)
	w.Need(slices.Contains(allowed, a.Type), field+".type", "%q پذیرفته نیست؛ دارندهٔ %s این‌ها را دارد: %s.",
		"%q cannot be; holder %s has %s", a.Type, p.Holder, list(allowed))
	w.Need((a.Value == "") != (a.From == ""), field, "برای %s یا value بنویسید یا from، و نه هر دو را.",
		"%s needs either a value or from, and not both", a.Type)
	if a.From != "" {
		w.Need(slices.Contains(sources[a.Type], a.From), field+".from", "%q پذیرفته نیست؛ برای %s یکی از این‌ها را بنویسید: %s.",
			"%q cannot be; for %s it is one of: %s", a.From, a.Type, list(sources[a.Type]))
	}
	switch a.Type {
	case Country:
		w.Need(a.Value == "IR", field+".value", "%q پذیرفته نیست؛ مقدار C همان IR است.", "%q cannot be: C is IR", a.Value)
	case Organization:
		w.Need((a.From == FromSector) == (p.Holder != Responder), field+".from", "مقدار O از sector می‌آید، و تنها برای دارندهٔ %s از نام صادرکننده.",
			"O is the sector, and for holder %s the issuer's", Responder)
	case OrganizationalUnit:
	case CommonName:
		p.validateCommonName(w, field, a)
	default:
		w.Need(a.Value == "", field+".value", "مقدار %s در هر شخص متفاوت است؛ به جای value در from بنویسید از کجا گرفته شود.",
			"%s differs from person to person: take it from somewhere", a.Type)
	}
	w.Need(a.Suffix == "" || a.Type == CommonName, field+".suffix", "پسوند تنها از آن CN است؛ این خانه را بردارید.", "only CN has one")
}

func (p Profile) validateCommonName(w *fault.Remarks, field string, a Attribute) {
	from := FromLatinName
	switch p.Holder {
	case Stamp:
		from = FromLatinOrganizationName
	case Responder:
		from = ""
		w.Need(a.Suffix == "", field+".suffix", "نام پاسخ‌گوی وضعیت گواهی پسوند ندارد؛ این خانه را بردارید.", "the responder's name has none")
	}
	w.Need(a.From == from, field+".from", "%q پذیرفته نیست؛ برای دارندهٔ %s بنویسید %q.", "%q cannot be: for holder %s it is %q", a.From, p.Holder, from)
	w.Need(p.Holder == Responder || suffix.MatchString(a.Suffix), field+".suffix", "%q پذیرفته نیست؛ یک واژهٔ لاتین در کروشه بنویسید، مانند [Sign].",
		"%q is not a word in brackets, such as [Sign]", a.Suffix)
}

func (p Profile) validateLife(w *fault.Remarks) {
	v := p.Validity
	w.Need((v.Years == 0) != (v.Days == 0), "validity", "یا years بنویسید یا days، و نه هر دو را.", "say either years or days")
	if v.Years != 0 {
		within(w, "validity.years", v.Years, 1, 5)
	}
	if v.Days != 0 {
		within(w, "validity.days", v.Days, 1, 1826)
	}
	s := p.Suspension
	if s.Allowed {
		within(w, "suspension.days", s.Days, 1, 366)
	}
	w.Need(s.Allowed || s.Days == 0, "suspension.days", "تعلیق روا دانسته نشده است؛ days را بردارید.", "it is not allowed: leave the days out")
	least := 0
	if p.Requested() {
		least = 1
		within(w, "acceptanceDays", p.AcceptanceDays, 1, 366)
	} else {
		w.Need(p.AcceptanceDays == 0, "acceptanceDays", "دارندهٔ %s پذیرش ندارد؛ این خانه را بردارید.",
			"holder %s accepts nothing: leave it out", p.Holder)
	}
	most := 366*v.Years + v.Days
	w.Need(p.RenewalDays >= least && p.RenewalDays <= most, "renewalDays", "%d پذیرفته نیست؛ عددی از %d تا %d بنویسید، درون مدت اعتبار.",
		"%d is not from %d to %d, within the validity", p.RenewalDays, least, most)
}

// validatePolicy wants none of the responder: its certificate is part of the
// issuer's answers, and about nobody.
func (p Profile) validatePolicy(w *fault.Remarks) {
	if p.Holder == Responder {
		w.Need(p.Policy == "" && p.CPS == "", "policy", "دارندهٔ %s نه policy دارد و نه cps؛ هر دو را بردارید.",
			"holder %s has neither policy nor cps: leave them out", p.Holder)
		w.Need(p.Level == 0, "level", "دارندهٔ %s سطح اطمینان ندارد؛ این خانه را بردارید.", "holder %s has none: leave it out", p.Holder)
		w.Need(!p.Suspension.Allowed, "suspension.allowed", "گواهی دارندهٔ %s معلق نمی‌شود؛ بنویسید false.", "holder %s is not suspended: false", p.Holder)
		return
	}
	w.Need(oid.MatchString(p.Policy), "policy", "%q شناسهٔ سیاست (OID) نیست؛ آن را مانند 2.16.364.101.1 بنویسید.",
		"%q is not an OID, such as 2.16.364.101.1", p.Policy)
	w.Need(p.Level >= 1 && p.Level <= 4, "level", "%d پذیرفته نیست؛ عددی از 1 (برنزی) تا 4 (پلاتینی) بنویسید.",
		"%d is not from 1 (bronze) to 4 (platinum)", p.Level)
	if p.CPS != "" {
		u, err := url.Parse(p.CPS)
		w.Need(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(p.CPS) <= 200, "cps",
			"%q نشانی http یا https نیست؛ نشانی کامل آن را بنویسید.", "%q is not an http or https URL", p.CPS)
	}
}
