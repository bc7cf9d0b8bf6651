package profile

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	slug   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	oid    = regexp.MustCompile(`^[012](\.(0|[1-9][0-9]{0,9})){2,15}$`)
	suffix = regexp.MustCompile(`^\[[A-Z][A-Za-z]{0,14}\]$`)
)

// problems collects what is wrong with a profile: each names its field and says
// what is allowed there.
type problems struct{ all []error }

func (w *problems) need(ok bool, field, allowed string, args ...any) {
	if !ok {
		w.all = append(w.all, fmt.Errorf("  %s: %s", field, fmt.Sprintf(allowed, args...)))
	}
}

// validate says everything that is wrong, not only what comes first.
func (p Profile) validate() error {
	w := &problems{}
	for _, check := range []func(*problems){
		p.validateName, p.validateHolder, p.validateUse, p.validateKeys, p.validateSubject, p.validateLife, p.validatePolicy,
	} {
		check(w)
	}
	return errors.Join(w.all...)
}

func (p Profile) validateName(w *problems) {
	w.need(slug.MatchString(p.Name) && len(p.Name) <= 40, "name", "%q is not of lower-case letters, digits and single dashes, at most 40", p.Name)
	w.need(p.Version >= 1 && p.Version <= 9999, "version", "%d is not from 1 to 9999", p.Version)
	w.need(p.Title.Fa != "", "title.fa", "the name that people read, in Persian, is missing")
	w.need(p.Title.En != "", "title.en", "the name that people read, in English, is missing")
	switch {
	case p.Requested():
		w.need(slug.MatchString(p.Product) && len(p.Product) <= 40, "product", "%q is not a product's name: lower-case letters, digits and single dashes, at most 40", p.Product)
	default:
		w.need(p.Product == "", "product", "holder %s is certified without a request: leave it out", p.Holder)
	}
}

func (p Profile) validateHolder(w *problems) {
	w.need(slices.Contains(Holders, p.Holder), "holder", "%q is none of %s", p.Holder, list(Holders))
	w.need((p.Holder == Officer) == (p.Name == OfficersName), "name", "%q and holder %s go together: other records know an officer by it", OfficersName, Officer)
	switch p.Holder {
	case Person:
		w.need(p.Sector == Unaffiliated, "sector", "%q cannot be: holder person is %s", p.Sector, Unaffiliated)
	case Member, Stamp, Officer:
		w.need(p.Sector == Governmental || p.Sector == NonGovernmental, "sector", "%q cannot be: holder %s is %s or %s", p.Sector, p.Holder, Governmental, NonGovernmental)
	case Responder:
		w.need(p.Sector == "", "sector", "holder %s has none: leave it out", p.Holder)
	}
}

// validateUse keeps the uses apart (pki §2): a key that opens what others
// encrypted may have to be given to another one day, a key that signs never.
func (p Profile) validateUse(w *problems) {
	w.need(slices.Contains(Uses, p.Use), "use", "%q is none of %s", p.Use, list(Uses))
	w.need(p.Use != Mixed || p.Retired, "use", "%s is for retired profiles only: make one for signing and one for authentication", Mixed)
	w.need((p.Use == Answering) == (p.Holder == Responder), "use", "%s and holder %s go together, and neither with another", Answering, Responder)
	may, must := p.usages()
	each(w, "keyUsage", p.KeyUsage, may, fmt.Sprintf("for %s it is", p.Use))
	for _, u := range must {
		w.need(slices.Contains(p.KeyUsage, u), "keyUsage", "%s is missing, which %s needs with these keys", u, p.Use)
	}
	each(w, "extendedKeyUsage", p.ExtendedKeyUsage, extended[p.Use], fmt.Sprintf("for %s it is", p.Use))
	if p.Use == Encryption {
		w.need(p.Escrow == "none", "escrow", "%q cannot be: keys are born on the token and stay there, so say none", p.Escrow)
	} else {
		w.need(p.Escrow == "", "escrow", "it is for encryption only: leave it out")
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

func (p Profile) validateKeys(w *problems) { each(w, "keys", p.Keys, Keys, "it is") }

// each wants some of what is allowed, and nothing twice.
func each[T ~string](w *problems, field string, values, allowed []T, which string) {
	w.need(len(values) > 0, field, "nothing is said; %s some of %s", which, list(allowed))
	for i, v := range values {
		w.need(slices.Contains(allowed, v), field, "%q cannot be; %s some of %s", v, which, list(allowed))
		w.need(!slices.Contains(values[:i], v), field, "%q stands twice", v)
	}
}

func list[T ~string](values []T) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, string(v))
	}
	return strings.Join(texts, ", ")
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

func (p Profile) validateSubject(w *problems) {
	known := names[p.Holder]
	count := map[Type]int{}
	for i, a := range p.Subject {
		count[a.Type]++
		p.validateAttribute(w, fmt.Sprintf("subject[%d]", i), a)
	}
	for _, t := range known.must {
		w.need(count[t] > 0, "subject", "%s is missing, which holder %s needs (domain §4.3)", t, p.Holder)
	}
	for t, n := range count {
		most := 1
		if t == OrganizationalUnit {
			most = 3
		}
		w.need(n <= most, "subject", "%s stands %d times, and may %d", t, n, most)
	}
	w.need(slices.Contains(Emails, p.Email), "email", "%q is none of %s", p.Email, list(Emails))
	w.need(p.Email == EmailNone || p.Holder != Responder, "email", "holder %s has no address: none", Responder)
}

func (p Profile) validateAttribute(w *problems, field string, a Attribute) {
	known := names[p.Holder]
	allowed := slices.Concat(known.must, known.may)
	w.need(slices.Contains(allowed, a.Type), field+".type", "%q cannot be; holder %s has %s", a.Type, p.Holder, list(allowed))
	w.need((a.Value == "") != (a.From == ""), field, "%s needs either a value or from, and not both", a.Type)
	if a.From != "" {
		w.need(slices.Contains(sources[a.Type], a.From), field+".from", "%q cannot be; for %s it is one of: %s", a.From, a.Type, list(sources[a.Type]))
	}
	switch a.Type {
	case Country:
		w.need(a.Value == "IR", field+".value", "%q cannot be: C is IR", a.Value)
	case Organization:
		w.need((a.From == FromSector) == (p.Holder != Responder), field+".from", "O is the sector, and for holder %s the issuer's", Responder)
	case OrganizationalUnit:
	case CommonName:
		p.validateCommonName(w, field, a)
	default:
		w.need(a.Value == "", field+".value", "%s differs from person to person: take it from somewhere", a.Type)
	}
	w.need(a.Suffix == "" || a.Type == CommonName, field+".suffix", "only CN has one")
}

func (p Profile) validateCommonName(w *problems, field string, a Attribute) {
	from := FromLatinName
	switch p.Holder {
	case Stamp:
		from = FromLatinOrganizationName
	case Responder:
		from = ""
		w.need(a.Suffix == "", field+".suffix", "the responder's name has none")
	}
	w.need(a.From == from, field+".from", "%q cannot be: for holder %s it is %q", a.From, p.Holder, from)
	w.need(p.Holder == Responder || suffix.MatchString(a.Suffix), field+".suffix", "%q is not a word in brackets, such as [Sign]", a.Suffix)
}

func (p Profile) validateLife(w *problems) {
	v := p.Validity
	w.need((v.Years == 0) != (v.Days == 0), "validity", "say either years or days")
	w.need(v.Years >= 0 && v.Years <= 5, "validity.years", "%d is not from 1 to 5", v.Years)
	w.need(v.Days >= 0 && v.Days <= 1826, "validity.days", "%d is not from 1 to 1826", v.Days)
	s := p.Suspension
	w.need(!s.Allowed || s.Days >= 1 && s.Days <= 366, "suspension.days", "%d is not from 1 to 366", s.Days)
	w.need(s.Allowed || s.Days == 0, "suspension.days", "it is not allowed: leave the days out")
	most := 366*v.Years + v.Days
	if p.Requested() {
		w.need(p.AcceptanceDays >= 1 && p.AcceptanceDays <= 366, "acceptanceDays", "%d is not from 1 to 366", p.AcceptanceDays)
		w.need(p.RenewalDays >= 1 && p.RenewalDays <= most, "renewalDays", "%d is not from 1 to %d, within the validity", p.RenewalDays, most)
		return
	}
	w.need(p.AcceptanceDays == 0, "acceptanceDays", "holder %s accepts nothing: leave it out", p.Holder)
	w.need(p.RenewalDays >= 0 && p.RenewalDays <= most, "renewalDays", "%d is not from 0 to %d, within the validity", p.RenewalDays, most)
}

// validatePolicy wants none of the responder: its certificate is part of the
// issuer's answers, and about nobody.
func (p Profile) validatePolicy(w *problems) {
	if p.Holder == Responder {
		w.need(p.Policy == "" && p.CPS == "", "policy", "holder %s has neither policy nor cps: leave them out", p.Holder)
		w.need(p.Level == 0, "level", "holder %s has none: leave it out", p.Holder)
		w.need(!p.Suspension.Allowed, "suspension.allowed", "holder %s is not suspended: false", p.Holder)
		return
	}
	w.need(oid.MatchString(p.Policy), "policy", "%q is not an OID, such as 2.16.364.101.1", p.Policy)
	w.need(p.Level >= 1 && p.Level <= 4, "level", "%d is not from 1 (bronze) to 4 (platinum)", p.Level)
	if p.CPS != "" {
		u, err := url.Parse(p.CPS)
		w.need(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(p.CPS) <= 200, "cps", "%q is not an http or https URL", p.CPS)
	}
}
