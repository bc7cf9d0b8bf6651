package enrollment

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Who does something to a request.
var (
	byApplicant = fault.Text{Fa: "متقاضی", En: "applicant"}
	byOffice    = fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"}
	bySecond    = fault.Text{Fa: "مأمور دوم دفتر", En: "second officer of the office"}
	byUnit      = fault.Text{Fa: "واحد پژوهش و فناوری", En: "research and technology unit"}
	byAuthority = fault.Text{Fa: "مرجع طرف قرارداد", En: "contracted authority"}
	byCompany   = fault.Text{Fa: "واحد شرکت", En: "company unit"}
	byReceiver  = fault.Text{Fa: "گیرنده", En: "receiver"}
	byRegistry  = fault.Text{Fa: "ثبت احوال", En: "civil registry"}
	byCentre    = fault.Text{Fa: "مرکز صدور", En: "CA centre"}
	byTrust     = fault.Text{Fa: "دارنده یا مرکز صدور", En: "holder or CA centre"}
)

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

// What is done to a request.
var (
	opens    = act(Open{}, byApplicant, "درخواست گشود", "open a request")
	follows  = act(OpenRenewal{}, byApplicant, "تمدید گواهی یا جایگزینی آن را گشود", "open a request that follows a certificate")
	fills    = act(Complete{}, byApplicant, "فرم را تکمیل یا اصلاح کرد", "complete or correct the form")
	sends    = act(SendEmailCode{}, byApplicant, "کد تازه‌ای برای پست الکترونیک خواست", "ask for a new e-mail code")
	proves   = act(ConfirmEmail{}, byApplicant, "پست الکترونیک را با کد رسیده تأیید کرد", "prove the e-mail address by its code")
	promises = act(AcceptLiability{}, byApplicant, "تعهدنامه را پذیرفت", "accept the liability notice")
	submits  = act(Submit{}, byApplicant, "درخواست را به دفتر فرستاد", "submit the request to an office")
	leaves   = act(Withdraw{}, byApplicant, "انصراف داد", "withdraw")
	takes    = act(Accept{}, byApplicant, "گواهی را پذیرفت", "accept the certificate")

	gives     = act(SubmitToUnit{}, byApplicant, "درخواست را به واحد پژوهش و فناوری داد", "submit the request to the research and technology unit")
	looks     = act(VerifyDocuments{}, byUnit, "اصل مدارک را رؤیت کرد", "sight the originals")
	approves  = act(ApproveDossier{}, byUnit, "مدارک را تأیید کرد", "approve the dossier")
	sendsBack = act(ReturnDossier{}, byUnit, "پرونده را برای اصلاح برگرداند", "return the dossier to be mended")
	refuses   = act(Reject{}, byUnit, "درخواست را رد کرد", "reject the request")
	ships     = act(DispatchDossier{}, byUnit, "پرونده را در محموله فرستاد", "dispatch the dossier in a consignment")
	forwards  = act(DispatchDossier{}, byAuthority, "پرونده را در محموله به دفتر فرستاد", "dispatch the dossier to an office")
	counts    = act(ReceiveDossier{}, byReceiver, "شمرد و تحویل گرفت", "count and receive it")
	misses    = act(LoseDossier{}, byReceiver, "گم‌شدن پرونده را روشن کرد", "find that the dossier is lost")
	arrives   = act(NoteTokenArrived{}, byReceiver, "رسید توکن مهروموم را داد", "receive the sealed token")
	defines   = act(NoteAccess{}, byUnit, "نام کاربری CPMIS را تعریف کرد", "define the CPMIS user")
	handsOver = act(Deliver{}, byCompany, "توکن را تحویل داد", "hand the token over")

	sights   = act(VerifyDocuments{}, byOffice, "اصل مدارک را رؤیت کرد", "sight the originals")
	cashes   = act(SettleFee{}, byOffice, "پرداخت هزینه را ثبت کرد", "record the payment of the fee")
	requires = act(RequireControl{}, byOffice, "کنترل دیگری خواست", "require a further control")
	closes   = act(CloseControl{}, byOffice, "نتیجهٔ کنترل خواسته‌شده را ثبت کرد", "close a required control")
	corrects = act(RequestCorrection{}, byOffice, "اصلاح فرم را خواست", "ask for a correction of the form")
	rejects  = act(Reject{}, byOffice, "درخواست را رد کرد", "reject the request")
	asks     = act(RequestIssuance{}, byOffice, "توکن کنار گذاشت و صدور گواهی را خواست", "reserve a token and ask for the certificate")
	writes   = act(PersonaliseToken{}, byOffice, "گواهی را روی توکن نوشت", "write the certificate to the token")
	prints   = act(PrintSheet{}, byOffice, "برگهٔ مشخصات گواهی را چاپ کرد", "print the certificate's sheet")
	delivers = act(Deliver{}, byOffice, "توکن را تحویل داد", "hand the token over")

	confirms = act(ConfirmInformation{}, bySecond, "درستی اطلاعات را تأیید کرد", "confirm the information")
	answers  = act(AnswerIdentity{}, byRegistry, "استعلام هویت را پاسخ داد", "answer the identity inquiry")
	attempts = act(AttemptIssuance{}, byCentre, "گواهی را صادر کرد", "issue the certificate")
	issues   = act(NoteIssued{}, byCentre, "گواهی را صادر کرد", "issue the certificate")
	returns  = act(FailIssuance{}, byCentre, "درخواست را به دفتر برگرداند", "give the request back to the office")
	revokes  = act(NoteRevoked{}, byTrust, "گواهی را باطل کرد", "revoke the certificate")
)

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}

func over(fa, en string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Instead: fault.Text{
		Fa: "کار این درخواست پایان یافته است؛ برای گواهی، درخواست تازه بگشایید.",
		En: "This request is over; for a certificate open a new one.",
	}}
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone):      state("گشوده‌نشده", "not opened", opens, follows),
	string(StatusDraft):     state("پیش‌نویس", "a draft", fills, leaves),
	string(StatusCompleted): state("تکمیل‌شده", "completed", fills, sends, proves, promises, leaves),
	string(StatusReady):     state("آمادهٔ ارسال", "ready", fills, submits, gives, leaves),
	string(StatusAtOffice):  state("نزد دفتر", "at the office", sights, cashes, requires, corrects, rejects, leaves),
	string(StatusUnderControl): state("در حال بررسی", "under control",
		sights, cashes, requires, closes, corrects, rejects, answers, sends, proves, promises, leaves),
	string(StatusNeedsCorrection):  state("نیازمند اصلاح", "in need of correction", fills, leaves, cashes, rejects),
	string(StatusControlled):       state("بررسی‌شده", "controlled", confirms, sights, requires, closes, corrects, rejects, leaves),
	string(StatusConfirmed):        state("تأییدشده", "confirmed", asks, sights, requires, closes, corrects, rejects, leaves),
	string(StatusAtCA):             state("نزد مرکز صدور", "at the CA", attempts, issues, returns),
	string(StatusIssued):           state("صادرشده", "issued", writes, prints, revokes),
	string(StatusReadyForDelivery): state("آمادهٔ تحویل", "ready for delivery", prints, delivers, revokes),
	string(StatusDelivered):        state("تحویل‌شده", "delivered", takes, prints, revokes),
	string(StatusAccepted):         state("پذیرفته", "accepted", prints, revokes),
	string(StatusAtResearchUnit): state("نزد واحد پژوهش و فناوری", "at the research unit",
		looks, approves, sendsBack, refuses, sends, proves, promises, leaves),
	string(StatusApproved):         state("تأییدشدهٔ واحد", "approved by the unit", ships, leaves),
	string(StatusInTransit):        state("پرونده در راه", "on its way", counts, misses, leaves),
	string(StatusAtAuthority):      state("نزد مرجع طرف قرارداد", "at the contracted authority", forwards, leaves),
	string(StatusReadyForDispatch): state("آمادهٔ ارسال به مبدأ", "ready to be sent to its origin", prints, arrives, revokes),
	string(StatusAtOrigin):         state("توکن نزد مبدأ", "at its origin", arrives, revokes),
	string(StatusBackAtUnit):       state("توکن نزد واحد پژوهش", "back at the research unit", defines, revokes),
	string(StatusAccessDefined):    state("دسترسی تعریف‌شده", "of a defined access", arrives, revokes),
	string(StatusAtCompanyUnit):    state("توکن نزد واحد شرکت", "at the company unit", handsOver, revokes),
	string(StatusRejected):         over("ردشده", "rejected"),
	string(StatusWithdrawn):        over("انصراف", "withdrawn"),
	string(StatusRevoked):          over("باطل‌شده", "revoked"),
}

// openingLife is that of the one open request.
var openingLife = event.Life{
	"": state("آزاد", "free", act(TakeOpening{}, byApplicant, "درخواست را به دفتر فرستاد", "submit a request to an office")),
	held: state("در دست یک درخواست باز", "held by an open request",
		act(ReleaseOpening{}, byApplicant, "از درخواست باز انصراف داد یا پایان آن را پی گرفت", "withdraw the open request, or follow it to its end")),
}

// Persian is the state's name on screen.
func (s Status) Persian() string { return life[string(s)].Name.Fa }

// English is the state's name in a sentence.
func (s Status) English() string { return life[string(s)].Name.En }
