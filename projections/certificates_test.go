package projections_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/notification"
	"govahi/domain/revocation"
	"govahi/domain/token"
	"govahi/projections"
	"govahi/queries"
)

// issued tells a certificate's story up to its issue.
func (v *views) issued(code string, person event.Subject, serial string) {
	v.Helper()
	record := certificate.Citation{Stream: enrollment.Kind.Stream(code)}
	tell(v, certificate.Kind, serial,
		certificate.IssuanceIntended{
			Serial: serial, Record: &record, Subject: person, Profile: "cpmis-signature@1", NotBefore: v.now, NotAfter: v.now.AddDate(1, 0, 0),
			Token: "T" + code, TBS: event.About(person, certificate.DER{DER: []byte("tbs")}), At: v.now,
		},
		certificate.SigningStarted{Signer: "s", At: v.now},
		certificate.Issued{
			Serial: serial, Request: record.Stream, Subject: person, Fingerprint: "f" + serial, NotBefore: v.now, NotAfter: v.now.AddDate(1, 0, 0),
			Certificate: event.About(person, certificate.DER{DER: []byte("der of " + serial)}), At: v.now,
		})
}

func serials(list []queries.Certificate) []string {
	var all []string
	for _, c := range list {
		all = append(all, c.Serial)
	}
	return all
}

func aCertificatesLife(v *views) {
	code, serial := v.code(1), v.serial("aa")
	tell(v, certificate.Kind, serial, certificate.IssuanceIntended{
		Serial: serial, Record: &certificate.Citation{Stream: enrollment.Kind.Stream(code)}, Subject: v.sara, Profile: "p@1",
		TBS: event.About(v.sara, certificate.DER{}), NotAfter: noon.AddDate(1, 0, 0),
	})
	is := func(status string) queries.Certificate {
		v.Helper()
		v.shown()
		c := ok(v.Certificate(v.Context(), serial))(v)
		if c.Status != status {
			v.Errorf("it is %s, want %s", c.Status, status)
		}
		return c
	}
	if _, err := v.DER(v.Context(), is("intended")); !errors.Is(err, certificate.ErrNotIssued) {
		v.Errorf("an intent has a certificate: %v", err)
	}
	tell(v, certificate.Kind, serial, certificate.SigningStarted{Signer: "s"})
	is("signing")
	tell(v, certificate.Kind, serial, certificate.Issued{
		Serial: serial, Fingerprint: "f1", Certificate: event.About(v.sara, certificate.DER{DER: []byte("der")}), At: noon,
	})
	c := is("valid")
	if der := ok(v.DER(v.Context(), c))(v); string(der) != "der" || *c.Fingerprint != "f1" || *c.Request != code || !c.IssuedAt.Equal(noon) {
		v.Errorf("issued %+v", c)
	}
	tell(v, certificate.Kind, serial, certificate.Revoked{
		Serial: serial, Reason: certificate.PrivilegeWithdrawn, Case: event.NewStream("revocation", "9"), By: "policy:x", At: noon.Add(time.Hour),
	})
	if c := is("revoked"); *c.Reason != "privilegeWithdrawn" || !c.RevokedAt.Equal(noon.Add(time.Hour)) || !strings.HasSuffix(*c.Case, "9") {
		v.Errorf("revoked %+v", c)
	}
	if _, err := v.Certificate(v.Context(), v.serial("ff")); !errors.Is(err, certificate.ErrNotIssued) {
		v.Errorf("an unknown serial: %v", err)
	}
}

func certificatesByStatusNewestFirst(v *views) {
	v.issued(v.code(1), v.sara, v.serial("01"))
	v.now = noon.Add(time.Hour)
	v.issued(v.code(2), v.nima, v.serial("02"))
	tell(v, certificate.Kind, v.serial("03"), certificate.IssuanceAbandoned{Serial: v.serial("03"), Cause: "lint-refused"},
		certificate.Revoked{Serial: v.serial("03"), Reason: certificate.Superseded})
	tell(v, certificate.Kind, v.serial("04"), certificate.IssuanceIntended{Serial: v.serial("04"), Profile: "ocsp-responder@1", PublicTBS: []byte("t")},
		certificate.SigningStarted{}, certificate.Issued{Serial: v.serial("04"), Public: []byte("public"), Fingerprint: "f", At: noon.Add(2 * time.Hour)})
	v.shown()
	same(v, "all", serials(ok(v.Certificates(v.Context(), ""))(v)), []string{v.serial("04"), v.serial("02"), v.serial("01"), v.serial("03")})
	same(v, "valid", serials(ok(v.Certificates(v.Context(), "valid"))(v)), []string{v.serial("04"), v.serial("02"), v.serial("01")})
	same(v, "revoked", serials(ok(v.Certificates(v.Context(), "revoked"))(v)), []string{v.serial("03")})
	own := ok(v.Certificate(v.Context(), v.serial("04")))(v)
	if der := ok(v.DER(v.Context(), own))(v); string(der) != "public" || own.Request != nil || own.Person != nil {
		v.Errorf("the CA's own is %+v", own)
	}
}

func aSuspendedCertificateIsShownAsOne(v *views) {
	v.issued(v.code(1), v.sara, v.serial("01"))
	until := noon.AddDate(0, 1, 0)
	suspended := certificate.Suspended{Serial: v.serial("01"), Until: until, At: noon}
	tell(v, certificate.Kind, v.serial("01"), suspended)
	v.shown()
	if c := ok(v.Certificate(v.Context(), v.serial("01")))(v); c.Status != "suspended" || !c.HeldAt.Equal(noon) || !c.HeldUntil.Equal(until) {
		v.Errorf("suspended: %+v", c)
	}
	same(v, "suspended", serials(ok(v.Certificates(v.Context(), "suspended"))(v)), []string{v.serial("01")})
	tell(v, certificate.Kind, v.serial("01"), certificate.SuspensionLifted{Serial: v.serial("01"), At: noon})
	v.shown()
	if c := ok(v.Certificate(v.Context(), v.serial("01")))(v); c.Status != "valid" || c.HeldAt != nil || c.HeldUntil != nil {
		v.Errorf("lifted: %+v", c)
	}
	tell(v, certificate.Kind, v.serial("01"), suspended, certificate.Revoked{Serial: v.serial("01"), Reason: certificate.KeyCompromise, At: until})
	v.shown()
	c := ok(v.Certificate(v.Context(), v.serial("01")))(v)
	if c.Status != "revoked" || c.HeldAt != nil || !c.RevokedAt.Equal(until) {
		v.Errorf("revoked: %+v", c)
	}
	if found := ok(v.ByFingerprint(v.Context(), *c.Fingerprint))(v); found.Serial != c.Serial {
		v.Errorf("by its fingerprint: %+v", found)
	}
}

func (v *views) user(name string, person event.Subject, code, serial string) access.UserDefined {
	return access.UserDefined{
		UserName: name, Level: access.Viewer, Person: person, Request: enrollment.Kind.Stream(code), Certificate: serial,
		Fingerprint: "f" + serial, Unit: v.unit, By: officer, At: v.now,
	}
}

func anAccessIsActiveOnlyWhileItsCertificateIsValid(v *views) {
	code := v.code(1)
	v.issued(code, v.sara, v.serial("aa"))
	tell(v, access.Kind, string(v.sara), v.user(string(v.sara), v.sara, code, v.serial("aa")))
	tell(v, access.Kind, string(v.nima), v.user(string(v.nima), v.nima, v.code(2), v.serial("ff"))) // a certificate that the view does not know
	v.shown()
	active := func(name string, at time.Time) bool {
		v.Helper()
		one := ok(v.Access(v.Context(), name, at))(v)
		for _, a := range ok(v.Accesses(v.Context(), v.unit, at))(v) {
			if a.UserName == name && a.Active != one.Active {
				v.Errorf("the list says %v of %s", a.Active, name)
			}
		}
		return one.Active
	}
	end := noon.AddDate(1, 0, 0)
	if !active(string(v.sara), noon) || !active(string(v.sara), end.Add(-time.Second)) || active(string(v.sara), end) || active(string(v.sara), end.Add(time.Hour)) {
		v.Error("the access does not end with the certificate")
	}
	if active(string(v.nima), noon) {
		v.Error("an access without a certificate is active")
	}
	tell(v, certificate.Kind, v.serial("aa"), certificate.Revoked{Serial: v.serial("aa"), Reason: certificate.KeyCompromise, At: noon})
	v.shown()
	if active(string(v.sara), noon) { // the cascade has not come so far
		v.Error("the access outlives the revocation")
	}
	v.issued(v.code(3), v.sara, v.serial("bb"))
	tell(v, access.Kind, string(v.sara), access.Suspended{UserName: string(v.sara), Certificate: v.serial("aa"), At: noon}, v.user(string(v.sara), v.sara, v.code(3), v.serial("bb")))
	v.shown()
	if !active(string(v.sara), noon) || len(ok(v.Accesses(v.Context(), v.unit, noon))(v)) != 2 {
		v.Error("the new certificate does not count")
	}
	if list := ok(v.Accesses(v.Context(), "unit-other", noon))(v); len(list) != 0 {
		v.Errorf("another unit sees %+v", list)
	}
	if _, err := v.Access(v.Context(), "nobody", noon); !errors.Is(err, access.ErrNotFound) {
		v.Errorf("an unknown user: %v", err)
	}
}

func eachListIsShownAndTheLatestLiesOnTheShelf(v *views) {
	list := func(number uint64, signed bool) {
		tell(v, crl.Kind, v.issue, crl.Intended{Number: number, ThisUpdate: noon, NextUpdate: noon.Add(48 * time.Hour), TBSHash: "t"})
		if signed {
			tell(v, crl.Kind, v.issue, crl.SigningStarted{Number: number}, crl.Signed{Number: number, Hash: "h", Size: 7, At: noon})
		}
		v.shown()
	}
	list(1, false)
	list(2, true)
	list(3, false)
	for i, got := range ok(v.CRLs(v.Context(), v.issue))(v) {
		if signed := got.SHA256 != nil && *got.Size == 7; got.Number != int64(3-i) || signed != (got.Number == 2) {
			v.Errorf("number %d is shown as %+v", 3-i, got)
		}
	}
	shelf := projections.NewShelf(v.Pool)
	if n := ok(shelf.Number(v.Context(), v.issue))(v); n != 0 {
		v.Errorf("list %d lies on the empty shelf", n)
	}
	put := func(number uint64) error {
		return shelf.Put(v.Context(), v.issue, crl.List{Number: number, ThisUpdate: noon, NextUpdate: noon.Add(48 * time.Hour), DER: []byte{byte(number)}})
	}
	for _, c := range []struct{ put, want uint64 }{{2, 2}, {5, 5}, {4, 5}, {5, 5}, {6, 6}} {
		if err := put(c.put); err != nil {
			v.Fatal(err)
		}
		for range 2 { // fetched, and kept
			if got := ok(v.List(v.Context(), v.issue))(v); got.Number != c.want || got.DER[0] != byte(c.want) || !got.ThisUpdate.Equal(noon) {
				v.Errorf("after %d the list is %d", c.put, got.Number)
			}
		}
	}
	if _, err := v.List(v.Context(), "another"); !errors.Is(err, crl.ErrNone) {
		v.Errorf("another issuer's: %v", err)
	}
	if _, err := v.Pool.Exec(v.Context(), `DROP SCHEMA shelf CASCADE`); err != nil {
		v.Fatal(err)
	}
	if got := ok(v.List(v.Context(), v.issue))(v); got.Number != 6 {
		v.Errorf("without the shelf the list is %d", got.Number)
	}
	if err := put(7); err != nil || ok(shelf.Number(v.Context(), v.issue))(v) != 7 {
		v.Errorf("on a new shelf: %v", err)
	}
}

func casesAreReadByWhoMayOpenThem(v *views) {
	say := func(by event.Subject, text string) *event.Personal[revocation.Statement] {
		return event.About(by, revocation.Statement{Text: text})
	}
	tell(v, revocation.Kind, "2", revocation.Opened{Source: revocation.Reported, Case: "2", Certificate: v.serial("aa"), Statement: say(v.nima, "نیست"), By: v.nima, At: noon.Add(time.Hour)})
	tell(v, revocation.Kind, "1", revocation.Opened{Source: revocation.Reported, Case: "1", Certificate: v.serial("aa"), Statement: say(v.sara, "نادرست"), By: v.sara, At: noon},
		revocation.InaccuracyEstablished{Finding: revocation.FalseInformation, Case: "1", Certificate: v.serial("aa"), Statement: say(officer, "چنین است"), By: officer, At: noon})
	tell(v, revocation.Kind, "3", revocation.Opened{Source: revocation.Reported, Case: "3", Certificate: v.serial("bb"), Statement: say(v.sara, "نادرست"), By: v.sara, At: noon.Add(2 * time.Hour)},
		revocation.InaccuracyRefuted{Case: "3", Statement: say(officer, "درست است"), By: officer, At: noon})
	v.shown()
	numbers := func(status string) []string {
		var all []string
		for _, c := range ok(v.Cases(v.Context(), status))(v) {
			all = append(all, c.Number+" "+c.Status+" "+c.Statement+" "+c.Verdict)
		}
		return all
	}
	same(v, "all", numbers(""), []string{"1 established نادرست چنین است", "2 open نیست ", "3 refuted نادرست درست است"})
	same(v, "open", numbers("open"), []string{"2 open نیست "})
	v.keeper.Forget(v.sara)
	same(v, "of an erased reporter", numbers("established"), []string{"1 established  چنین است"})
}

// tokensThatAreDue: for an alarm, and after it for their end.
func tokensThatAreDue(v *views) {
	hour := func(n time.Duration) time.Time { return v.now.Add(n * time.Hour) }
	terms := token.Terms{
		Receipt: token.Term{Alarm: time.Hour, End: 2 * time.Hour}, Delivery: token.Term{Alarm: 3 * time.Hour, End: 4 * time.Hour},
		Activation: token.Term{Alarm: 5 * time.Hour, End: 6 * time.Hour},
	}
	id := func(name string) string { return name + v.code(1) }
	made := func(name string, then ...event.Event) {
		tell(v, token.Kind, id(name), token.ReceivedInStock{Serial: id(name), Office: v.office}, token.Reserved{Request: enrollment.Kind.Stream(v.code(1))},
			token.Personalised{Certificate: v.serial("d" + name), At: v.now})
		tell(v, token.Kind, id(name), then...)
	}
	made("here")
	made("sent", token.HandedOver{From: v.office, To: v.other, At: v.now})
	made("held", token.Delivered{To: v.sara, At: v.now})
	due := func(now time.Time) (mine []string) {
		v.shown()
		for _, serial := range ok(v.DueTokens(terms)(v.Context(), now, 1000))(v) {
			if name, of := strings.CutSuffix(serial, v.code(1)); of {
				mine = append(mine, name)
			}
		}
		slices.Sort(mine)
		return mine
	}
	made("back", token.HandedOver{From: v.office, To: v.other, At: v.now}, token.Recalled{Cause: token.Revoked, At: v.now})
	made("over", token.Recalled{Cause: token.Revoked, At: v.now})
	same(v, "too early", due(hour(1).Add(-time.Second)), nil)
	same(v, "not received", due(hour(1)), []string{"back", "sent"})
	same(v, "not delivered", due(hour(3)), []string{"back", "here", "sent"})
	same(v, "not activated", due(hour(5)), []string{"back", "held", "here", "sent"})
	for _, name := range []string{"here", "sent", "held", "back"} {
		tell(v, token.Kind, id(name), token.AlarmRaised{At: hour(5)})
	}
	same(v, "for their end", due(hour(5)), []string{"here", "sent"})
	same(v, "for their end, all", due(hour(6)), []string{"held", "here", "sent"})
}

func anOfficesTokens(v *views) {
	code := v.code(1)
	for _, serial := range []string{"T1", "T2"} {
		tell(v, token.Kind, serial, token.ReceivedInStock{Serial: serial, Model: "SoftHSM", Office: v.office, At: noon})
	}
	tell(v, token.Kind, "T3", token.ReceivedInStock{Serial: "T3", Office: v.other, At: noon})
	statuses := func() (all []string) {
		v.shown()
		for _, tok := range ok(v.Tokens(v.Context(), v.office))(v) {
			all = append(all, tok.Serial+" "+tok.Status)
		}
		return all
	}
	same(v, "in stock", statuses(), []string{"T1 in-stock", "T2 in-stock"})
	tell(v, token.Kind, "T2", token.Reserved{Request: enrollment.Kind.Stream(code), At: noon}, token.Personalised{Certificate: v.serial("aa"), At: noon},
		token.Delivered{To: v.sara, At: noon})
	same(v, "delivered", statuses(), []string{"T2 delivered", "T1 in-stock"})
	tell(v, token.Kind, "T1", token.Reserved{Request: enrollment.Kind.Stream(code), At: noon}, token.Personalised{Certificate: v.serial("ab"), At: noon},
		token.HandedOver{From: v.office, To: v.other, At: noon}, token.Recalled{Cause: token.Revoked, At: noon}, token.AlarmRaised{Kind: token.NotReceived, At: noon})
	tell(v, token.Kind, "T1", token.Received{Place: v.other, SealIntact: true, At: noon})
	same(v, "recalled, and received", statuses(), []string{"T2 delivered", "T1 recalled"})
	if got := ok(v.Tokens(v.Context(), v.office))(v)[1]; *got.Holder != v.other || got.Alarm != nil {
		v.Errorf("T1 is %+v", got)
	}
	if got := ok(v.Tokens(v.Context(), v.office))(v)[0]; *got.Request != code || *got.Certificate != v.serial("aa") {
		v.Errorf("T2 is %+v", got)
	}
}

func aSuspensionThatIsDue(v *views) {
	code, serial := v.code(1), v.serial("aa")
	v.issued(code, v.sara, serial)
	until := v.now.Add(time.Hour)
	due := func(now time.Time) bool {
		return slices.Contains(ok(v.DueSuspensions(v.Context(), now, 1000))(v), serial)
	}
	tell(v, certificate.Kind, serial, certificate.Suspended{Serial: serial, Until: until, By: "sara", At: v.now})
	v.shown()
	c := ok(v.Certificate(v.Context(), serial))(v)
	if c.Status != "suspended" || c.HeldUntil == nil || !c.HeldUntil.Equal(until) || due(until.Add(-time.Second)) || !due(until) {
		v.Errorf("on hold it is %+v", c)
	}
	tell(v, certificate.Kind, serial, certificate.SuspensionLifted{Serial: serial, By: "sara", At: v.now})
	v.shown()
	if c := ok(v.Certificate(v.Context(), serial))(v); c.Status != "valid" || c.HeldUntil != nil || due(until) {
		v.Errorf("lifted it is %+v", c)
	}
	tell(v, certificate.Kind, serial, certificate.Suspended{Serial: serial, Until: until, By: "sara", At: v.now},
		certificate.Revoked{Serial: serial, Reason: certificate.KeyCompromise, Ground: certificate.TokenStolen, At: v.now})
	v.shown()
	if c := ok(v.Certificate(v.Context(), serial))(v); c.Status != "revoked" || c.HeldUntil != nil || *c.Ground != "token-stolen" || due(until) {
		v.Errorf("revoked it is %+v", c)
	}
}

// certificatesAtTheCounter are found without their serials, and by one person's
// particulars only.
func certificatesAtTheCounter(v *views) {
	code, other, abandoned := v.code(1), v.code(2), v.code(3)
	v.atOffice(code, v.sara, v.office)
	v.atOffice(other, v.nima, v.office)
	v.atOffice(abandoned, v.sara, v.office)
	v.issued(code, v.sara, v.serial("aa"))
	v.issued(other, v.nima, v.serial("bb"))
	tell(v, certificate.Kind, v.serial("cc"), certificate.IssuanceIntended{
		Serial: v.serial("cc"), Record: &certificate.Citation{Stream: enrollment.Kind.Stream(abandoned)}, Subject: v.sara, Profile: "p@1",
		TBS: event.About(v.sara, certificate.DER{}),
	})
	v.shown()
	found := func(p queries.Particulars, office string) []string {
		return serials(ok(v.Candidates(v.Context(), office, p))(v))
	}
	for _, p := range []queries.Particulars{{TrackingCode: code}, {PersonCode: "۹۹۹۲۰۰۹۰۹۸", Mobile: "+98 912 123 4567"}} {
		same(v, "at the counter", found(p, v.office), []string{v.serial("aa")})
		same(v, "elsewhere", found(p, v.other), nil)
	}
	same(v, "another mobile", found(queries.Particulars{PersonCode: "9992009098", Mobile: "09120000000"}, v.office), nil)
	for _, p := range []queries.Particulars{{}, {PersonCode: "9992009098"}, {Mobile: "09121234567"}} {
		if _, err := v.Candidates(v.Context(), v.office, p); !errors.Is(err, queries.ErrParticulars) {
			v.Errorf("%+v: %v", p, err)
		}
	}
}

func remindersThatAreDue(v *views) {
	code, serial := v.code(1), v.serial("aa")
	v.issued(code, v.sara, serial)
	end := v.now.AddDate(1, 0, 0)
	due := func(before time.Duration) (mine []string) {
		v.shown()
		for _, item := range ok(v.DueReminders(v.Context(), end.Add(-before), []int{30, 14, 7, 1}, 1000))(v) {
			if strings.HasPrefix(item, serial+"/") {
				mine = append(mine, strings.TrimPrefix(item, serial+"/"))
			}
		}
		return mine
	}
	const day = 24 * time.Hour
	same(v, "early", due(30*day+time.Second), nil)
	same(v, "first", due(30*day), []string{"30"})
	same(v, "the nearest", due(5*day), []string{"7"})
	same(v, "over", due(0), nil)
	tell(v, notification.Kind, "expiry-"+serial+"-7", notification.Requested{
		ID: "expiry-" + serial + "-7", Request: enrollment.Kind.Stream(code), Message: event.About(v.sara, notification.Message{}), At: v.now,
	})
	same(v, "claimed", due(5*day), nil)
	same(v, "the last", due(day), []string{"1"})
	tell(v, certificate.Kind, serial, certificate.Suspended{Serial: serial, Until: end, At: v.now})
	same(v, "on hold", due(day), []string{"1"})
	tell(v, certificate.Kind, serial, certificate.Revoked{Serial: serial, Reason: certificate.KeyCompromise, At: v.now})
	same(v, "revoked", due(day), nil)
}

// officersThatNobodyAsksAfter: an officer's certificate stands on no request, whose
// holder is written to or asked about.
func officersThatNobodyAsksAfter(v *views) {
	serial, end := v.serial("0f"), v.now.AddDate(0, 0, 1)
	tell(v, certificate.Kind, serial, certificate.IssuanceIntended{
		Serial: serial, Record: &certificate.Citation{Stream: credential.Kind.Stream("credential-1")}, Subject: v.sara,
		Profile: certificate.OfficersProfile + "@1", NotAfter: end, TBS: event.About(v.sara, certificate.DER{}),
	}, certificate.SigningStarted{}, certificate.Issued{
		Serial: serial, Profile: certificate.OfficersProfile + "@1", Subject: v.sara, NotAfter: end, Fingerprint: "f" + serial, At: v.now,
		Certificate: event.About(v.sara, certificate.DER{}),
	})
	v.shown()
	for _, item := range ok(v.DueReminders(v.Context(), v.now, []int{30}, 1000))(v) {
		if strings.HasPrefix(item, serial+"/") {
			v.Errorf("a reminder is due: %s", item)
		}
	}
	if slices.Contains(ok(v.DueReinquiries(v.Context(), v.now.Add(time.Hour), v.now, 1000))(v), serial) {
		v.Error("an inquiry is due")
	}
}

// acceptancesThatAreDue: how long a certificate may be accepted is its profile's
// to say, so each profile has a moment of its own.
func acceptancesThatAreDue(v *views) {
	code, other, quick := v.code(1), v.code(2), v.code(3)
	for _, c := range []string{code, other} {
		v.atOffice(c, v.sara, v.office)
		tell(v, enrollment.Kind, c, enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: v.now})
	}
	tell(v, enrollment.Kind, other, enrollment.Accepted{By: v.sara, At: v.now})
	v.delivered(quick, v.sara, v.serial("05"), "quick@1")
	due := func(list []string, err error) (mine []string) {
		for _, c := range ok(list, err)(v) {
			if c == code || c == other || c == quick {
				mine = append(mine, c)
			}
		}
		slices.Sort(mine)
		return mine
	}
	v.shown()
	later := v.now.Add(time.Second)
	before := func(all, quick time.Time) queries.Before {
		return queries.Before{Else: all, Profiles: map[string]time.Time{"quick@1": quick, "slow@1": later}}
	}
	same(v, "too early", due(v.DueAcceptances(v.Context(), before(v.now, v.now), 1000)), nil)
	same(v, "due", due(v.DueAcceptances(v.Context(), before(later, v.now), 1000)), []string{code})
	same(v, "due of a profile", due(v.DueAcceptances(v.Context(), before(v.now, later), 1000)), []string{quick})
	same(v, "to be reminded", due(v.DueAcceptanceReminders(v.Context(), before(v.now, v.now), 1000)), []string{code, quick})
	same(v, "to be reminded of a profile", due(v.DueAcceptanceReminders(v.Context(), before(v.now.Add(-time.Second), v.now), 1000)), []string{quick})
	tell(v, notification.Kind, "acceptance-"+code, notification.Requested{
		ID: "acceptance-" + code, Request: enrollment.Kind.Stream(code), Message: event.About(v.sara, notification.Message{}), At: v.now,
	})
	v.shown()
	same(v, "reminded", due(v.DueAcceptanceReminders(v.Context(), before(v.now, v.now), 1000)), []string{quick})
	tell(v, enrollment.Kind, code, enrollment.Revoked{At: v.now})
	v.shown()
	same(v, "over", due(v.DueAcceptances(v.Context(), before(later, later), 1000)), []string{quick})
}

// delivered goes on until the applicant has a certificate of a profile that he
// did not accept yet.
func (v *views) delivered(code string, person event.Subject, serial, profile string) {
	v.Helper()
	v.atOffice(code, person, v.office)
	tell(v, certificate.Kind, serial, certificate.IssuanceIntended{Serial: serial, Profile: profile, At: v.now}, certificate.SigningStarted{},
		certificate.Issued{Serial: serial, Request: enrollment.Kind.Stream(code), Subject: person, Profile: profile, Fingerprint: "f" + serial, At: v.now})
	tell(v, enrollment.Kind, code,
		enrollment.IssuanceAttempted{Serial: serial}, enrollment.Issued{Serial: serial, Fingerprint: "f" + serial, At: v.now},
		enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: v.now})
}

// deliveriesThatAreDue: of a renewal for the holder's own token until it is
// delivered, of another certificate until it is on its token.
func deliveriesThatAreDue(v *views) {
	renewal, reserved, written := v.code(1), v.code(2), v.code(3)
	for n, c := range []string{renewal, reserved, written} {
		v.atOffice(c, v.sara, v.office)
		if c == renewal {
			tell(v, enrollment.Kind, c, enrollment.RenewalOpened{Basis: enrollment.Renewal, Certificate: v.serial("0a")})
		} else {
			tell(v, token.Kind, "T"+c, token.ReceivedInStock{Serial: "T" + c, Office: v.office}, token.Reserved{Request: enrollment.Kind.Stream(c)})
		}
		tell(v, enrollment.Kind, c,
			enrollment.IssuanceRequested{Token: "T" + c, KeyHash: c, Request: event.About(v.sara, enrollment.SigningInfo{})},
			enrollment.IssuanceAttempted{Serial: v.serial(fmt.Sprint("a", n))}, enrollment.Issued{Serial: v.serial(fmt.Sprint("a", n)), Fingerprint: "f" + c, At: v.now})
	}
	tell(v, token.Kind, "T"+written, token.Personalised{Certificate: v.serial("a2")})
	tell(v, enrollment.Kind, written, enrollment.TokenPersonalised{Token: "T" + written})
	mine := func(list []string, err error) (mine []string) {
		for _, c := range ok(list, err)(v) {
			if c == renewal || c == reserved || c == written {
				mine = append(mine, c)
			}
		}
		slices.Sort(mine)
		return mine
	}
	both := []string{renewal, reserved}
	v.shown()
	same(v, "too early", mine(v.DueDeliveries(v.Context(), v.now, 1000)), nil)
	same(v, "due", mine(v.DueDeliveries(v.Context(), v.now.Add(time.Second), 1000)), both)
	same(v, "to be reminded", mine(v.DueDeliveryReminders(v.Context(), v.now, 1000)), both)
	tell(v, notification.Kind, "delivery-"+reserved, notification.Requested{
		ID: "delivery-" + reserved, Request: enrollment.Kind.Stream(reserved), Message: event.About(v.sara, notification.Message{}), At: v.now,
	})
	tell(v, enrollment.Kind, renewal, enrollment.TokenPersonalised{Token: "T" + renewal}, enrollment.SheetPrinted{Copy: 1})
	v.shown()
	same(v, "to be reminded, when one was", mine(v.DueDeliveryReminders(v.Context(), v.now, 1000)), []string{renewal})
	same(v, "still due", mine(v.DueDeliveries(v.Context(), v.now.Add(time.Second), 1000)), both)
	tell(v, enrollment.Kind, renewal, enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: v.now})
	tell(v, token.Kind, "T"+reserved, token.Personalised{Certificate: v.serial("a1")})
	v.shown()
	same(v, "nothing waits", mine(v.DueDeliveries(v.Context(), v.now.Add(time.Second), 1000)), nil)
}

func reinquiriesThatAreDue(v *views) {
	code, serial := v.code(1), v.serial("aa")
	v.issued(code, v.sara, serial)
	id := code + "-again-1"
	due := func(before time.Time) bool {
		v.shown()
		return slices.Contains(ok(v.DueReinquiries(v.Context(), before, before, 1000))(v), serial)
	}
	if due(v.now.Add(-time.Second)) || !due(v.now) || due(v.now.AddDate(1, 0, 0)) {
		v.Error("not asked about yet")
	}
	later := v.now.Add(time.Hour)
	tell(v, inquiry.Kind, id, inquiry.Requested{
		Inquiry: id, Request: enrollment.Kind.Stream(code), Subject: v.sara, Purpose: inquiry.ForReinquiry, LegalBasis: "l", By: officer, At: later,
	})
	if due(later.Add(time.Hour)) {
		v.Error("asked while another inquiry is open")
	}
	tell(v, inquiry.Kind, id, inquiry.Answered{Inquiry: id, Finding: inquiry.Matched, Matched: true, TrackingCode: "R1", At: later})
	if due(later.Add(-time.Second)) || !due(later) {
		v.Error("answered")
	}
	tell(v, certificate.Kind, serial, certificate.Revoked{Serial: serial, Reason: certificate.KeyCompromise, At: later})
	if due(later) {
		v.Error("revoked")
	}
}
