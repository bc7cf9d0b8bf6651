package certificate

import (
	"slices"
	"strings"

	"govahi/domain/fault"
)

// Ground is why somebody asks for a revocation, in the words of domain §4.4.
type Ground string

// The grounds.
const (
	KeyCompromised       Ground = "key-compromised"       // possibly or certainly
	PINKnown             Ground = "pin-known"             // to another
	TokenLost            Ground = "token-lost"            //
	TokenStolen          Ground = "token-stolen"          //
	TokenBroken          Ground = "token-broken"          //
	DataChanged          Ground = "data-changed"          // what the certificate says of its holder
	WrongData            Ground = "wrong-data"            // entered at issuance, by mistake
	ActivityEnded        Ground = "activity-ended"        //
	PostChanged          Ground = "post-changed"          //
	CooperationEnded     Ground = "cooperation-ended"     //
	HoldersWish          Ground = "holders-wish"          // for any reason
	OrganisationsRequest Ground = "organisations-request" //
	Replaced             Ground = "replaced"              // by another certificate
	CAKeyCompromised     Ground = "ca-key-compromised"    // or the root's
	UnauthorisedUse      Ground = "unauthorised-use"      //
	Forgery              Ground = "forgery"               //
	FalseInformation     Ground = "false-information"     // S1.6

	// Those that the house itself follows.
	AffiliationLost     Ground = "affiliation-lost" // established in a case
	HolderDead          Ground = "holder-dead"      // established in a case
	SuspensionNotLifted Ground = "suspension-not-lifted"
	NotAccepted         Ground = "not-accepted"
	SealBroken          Ground = "seal-broken"   // on the token's way to the holder
	TokenOverdue        Ground = "token-overdue" // not delivered, or not activated, in its time
)

// Asker is by what right a revocation is asked for (domain §4.4).
type Asker string

// The askers.
const (
	Holder         Asker = "holder"           // online
	HolderInPerson Asker = "holder-in-person" // at the counter
	Attorney       Asker = "attorney"         // with a notarised power
	Organisation   Asker = "organisation"     // by its letter
	Officer        Asker = "officer"          // of the registration office, who is obliged to
	Operator       Asker = "operator"         // of the CA, without consent
	House          Asker = "house"            // after a verdict, or a time that is over
)

// Askers lists those who may ask, for menus and tests.
var Askers = []Asker{Holder, HolderInPerson, Attorney, Organisation, Officer, Operator}

// rule is what follows from a ground, and who may give it.
type rule struct {
	ground Ground
	reason Reason // RFC 5280 §5.3.1
	name   fault.Text
	by     []Asker
}

var (
	holders  = []Asker{Holder, HolderInPerson, Attorney}
	anybody  = append(slices.Clone(holders), Operator)
	and      = func(list []Asker, more ...Asker) []Asker { return append(slices.Clone(list), more...) }
	theCA    = []Asker{Operator}
	theHouse = []Asker{House}
)

// rules maps the grounds to reasons. RFC 5280 §5.3.1 says little; where it is
// silent the CA/B Baseline Requirements §7.2.2 are followed: what was issued
// wrongly is superseded, misuse withdraws the privilege, and changed data of the
// subject is a change of affiliation. cACompromise is for certificates of CAs: a
// holder's is superseded by one of the next CA.
var rules = []rule{
	{KeyCompromised, KeyCompromise, text("افشای احتمالی یا قطعی کلید خصوصی", "possible or certain compromise of the private key"), and(anybody, Organisation)},
	{PINKnown, KeyCompromise, text("آگاهی دیگری از رمز توکن", "PIN known to another"), anybody},
	{TokenLost, KeyCompromise, text("گم‌شدن توکن", "token lost"), and(anybody, Organisation, House)},
	{TokenStolen, KeyCompromise, text("سرقت توکن", "token stolen"), and(anybody, Organisation)},
	{TokenBroken, Superseded, text("خرابی توکن", "token broken"), and(anybody, House)},
	{DataChanged, AffiliationChanged, text("تغییر اطلاعات گواهی", "data of the certificate changed"), and(anybody, Organisation, House)},
	{WrongData, Superseded, text("ورود نادرست اطلاعات هنگام صدور", "wrong data entered at issuance"), and(anybody, Organisation, Officer)},
	{ActivityEnded, CessationOfOperation, text("پایان فعالیت", "end of activity"), and(anybody, Organisation)},
	{PostChanged, AffiliationChanged, text("تغییر سمت", "change of post"), and(anybody, Organisation)},
	{CooperationEnded, AffiliationChanged, text("پایان همکاری", "end of cooperation"), and(anybody, Organisation)},
	{HoldersWish, CessationOfOperation, text("خواست دارنده", "the holder's wish"), holders},
	{OrganisationsRequest, AffiliationChanged, text("درخواست سازمان", "the organisation's request"), []Asker{Organisation}},
	{Replaced, Superseded, text("جایگزینی با گواهی دیگر", "replaced by another certificate"), and(anybody, House)},
	{CAKeyCompromised, Superseded, text("افشای کلید مرکز صدور یا ریشه", "the key of the CA or the root compromised"), and(theCA, House)},
	{UnauthorisedUse, PrivilegeWithdrawn, text("استفادهٔ غیرمجاز", "unauthorised use"), and(theCA, Organisation)},
	{Forgery, PrivilegeWithdrawn, text("جعل", "forgery"), theCA},
	{FalseInformation, PrivilegeWithdrawn, text("نادرستی اطلاعات", "false information"), and(theCA, House)},
	{AffiliationLost, AffiliationChanged, text("از دست‌رفتن وابستگی سازمانی", "affiliation lost"), theHouse},
	{HolderDead, CessationOfOperation, text("درگذشت دارنده", "death of the holder"), theHouse},
	{SuspensionNotLifted, CessationOfOperation, text("پایان مهلت تعلیق", "suspension not lifted in its time"), theHouse},
	{NotAccepted, CessationOfOperation, text("پذیرفته‌نشدن گواهی در مهلت", "not accepted in time"), theHouse},
	{SealBroken, KeyCompromise, text("شکستن مهروموم توکن در راه", "seal broken on the token's way"), theHouse},
	{TokenOverdue, CessationOfOperation, text("نرسیدن یا فعال‌نشدن توکن در مهلت", "token not delivered or activated in time"), theHouse},
}

func text(fa, en string) fault.Text { return fault.Text{Fa: fa, En: en} }

func (g Ground) rule() (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.ground == g })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// Reason is the CRLReason that the ground is published as; empty of none of ours.
func (g Ground) Reason() Reason {
	r, _ := g.rule()
	return r.reason
}

// Persian is the ground's name on screen.
func (g Ground) Persian() string {
	r, _ := g.rule()
	return r.name.Fa
}

// GroundOf is the ground of somebody who gives nothing but a reason of RFC 5280.
func GroundOf(r Reason) Ground {
	return map[Reason]Ground{
		KeyCompromise: KeyCompromised, AffiliationChanged: DataChanged, Superseded: Replaced,
		CessationOfOperation: ActivityEnded, PrivilegeWithdrawn: FalseInformation,
	}[r]
}

// Formality is what was shown for a revocation: an identity document that was
// sighted, and the number and date of a power of attorney or a letter.
type Formality struct {
	Identity string `json:"identity,omitempty"` // the original that was sighted
	Number   string `json:"number,omitempty"`
	Date     string `json:"date,omitempty"`  // Jalali
	Scope    bool   `json:"scope,omitempty"` // the power names “revocation of electronic certificate”
	Seal     bool   `json:"seal,omitempty"`  // the letter bears the organisation's
}

// Names are those of a formality: personal data.
type Names struct {
	Name   string `json:"name"`             // the attorney, or the organisation's representative
	Notary string `json:"notary,omitempty"` // who certified the power
}

// formality is what an asker has to show.
type formality struct {
	asker  Asker
	name   fault.Text
	needed fault.Text
	shown  func(Formality, Names) bool
}

var identities = []string{"national-card", "passport", "birth-certificate"}

func (f Formality) identified() bool { return slices.Contains(identities, f.Identity) }

func (f Formality) cited() bool { return f.Number != "" && f.Date != "" }

var formalities = []formality{
	{Holder, text("خود دارنده، برخط", "the holder, online"), text("", ""), func(Formality, Names) bool { return true }},
	{
		HolderInPerson, text("خود دارنده، در پیشخوان", "the holder, at the counter"),
		text("اصل کارت ملی، شناسنامه یا گذرنامهٔ دارنده که رؤیت شده است", "the holder's national card, birth certificate or passport, sighted"),
		func(f Formality, _ Names) bool { return f.identified() },
	},
	{
		Attorney, text("وکیل قانونی", "a lawful attorney"),
		text("اصل مدرک هویتی و نام وکیل، و شماره، تاریخ و دفترخانهٔ وکالت‌نامهٔ رسمی که «ابطال گواهی الکترونیکی» در آن تصریح شده است",
			"the attorney's identity document and name, and number, date and notary of the notarised power that names “revocation of electronic certificate”"),
		func(f Formality, n Names) bool {
			return f.identified() && f.cited() && f.Scope && n.Name != "" && n.Notary != ""
		},
	},
	{
		Organisation, text("سازمان", "the organisation"),
		text("شماره و تاریخ نامهٔ رسمی مهرشدهٔ سازمان، و نام و اصل مدرک هویتی نماینده‌ای که آن نامه معرفی کرده است",
			"number and date of the organisation's official letter with its seal, and the name and identity document of the representative whom it introduces"),
		func(f Formality, n Names) bool { return f.identified() && f.cited() && f.Seal && n.Name != "" },
	},
	{Officer, text("مأمور دفتر ثبت‌نام", "an officer of the registration office"), text("", ""), func(Formality, Names) bool { return true }},
	{Operator, text("کارشناس مرکز صدور", "an operator of the CA"), text("", ""), func(Formality, Names) bool { return true }},
	{House, text("سامانه", "the house"), text("", ""), func(Formality, Names) bool { return true }},
}

func (a Asker) formality() (formality, bool) {
	i := slices.IndexFunc(formalities, func(f formality) bool { return f.asker == a })
	if i < 0 {
		return formality{}, false
	}
	return formalities[i], true
}

// The refusals of a ground. The tellers say who may give it, and what he shows.
var (
	ErrGround = fault.New(fault.Invalid, "ground-unknown",
		"چنین علتی برای ابطال نیست؛ یکی از علت‌های فهرست را برگزینید.",
		"There is no such ground for revocation; choose one of the list.").At("ground")
	ErrAsker = fault.New(fault.Invalid, "asker-unknown",
		"درخواست‌کنندهٔ ابطال را از فهرست برگزینید.", "Choose from the list who asks for the revocation.").At("askedBy")
	ErrGroundNotTheirs = fault.New(fault.Forbidden, "ground-not-theirs", "", "")
	ErrFormality       = fault.New(fault.Invalid, "formality-missing", "", "")
)

// Ask is a ground with who gives it and what he showed for it.
type Ask struct {
	Ground    Ground
	By        Asker
	Formality Formality
	Names     Names
}

// Check refuses a ground that is not the asker's to give, and one without its
// formalities, and says what is needed.
func (a Ask) Check() error {
	r, known := a.Ground.rule()
	if !known {
		return ErrGround
	}
	f, known := a.By.formality()
	switch {
	case !known:
		return ErrAsker
	case !slices.Contains(r.by, a.By):
		return r.refuse()
	case !f.shown(a.Formality, a.Names):
		return fault.New(fault.Invalid, ErrFormality.Code,
			"برای ابطال به درخواست «"+f.name.Fa+"» لازم است: "+f.needed.Fa+".",
			"A revocation asked for by "+f.name.En+" needs: "+f.needed.En+".").At("formality")
	}
	return nil
}

// refuse says who may give the ground, and with what.
func (r rule) refuse() *fault.Fault {
	var fa, en []string
	for _, asker := range r.by {
		f, _ := asker.formality()
		fa, en = append(fa, f.named(f.name.Fa, f.needed.Fa)), append(en, f.named(f.name.En, f.needed.En))
	}
	return fault.New(fault.Forbidden, ErrGroundNotTheirs.Code,
		"ابطال به علت «"+r.name.Fa+"» را این‌ها می‌خواهند: "+strings.Join(fa, "؛ ")+".",
		"Revocation on the ground “"+r.name.En+"” is asked for by: "+strings.Join(en, "; ")+".").At("askedBy")
}

func (formality) named(name, needed string) string {
	if needed == "" {
		return name
	}
	return name + " (" + needed + ")"
}
