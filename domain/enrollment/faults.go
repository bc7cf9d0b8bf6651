package enrollment

import (
	"fmt"
	"slices"
	"strings"

	"govahi/domain/fault"
)

// ErrNotFound reports that no request has this tracking code.
var ErrNotFound = fault.New(fault.NotFound, "request-not-found",
	"درخواستی با این کد رهگیری نیست؛ کد را بازبینی کنید.",
	"There is no request with this tracking code; check the code.")

// The refusals of single commands.
var (
	ErrChannel = fault.New(fault.Invalid, "channel-unknown",
		"مسیر درخواست را داخل یا خارج از صنعت نفت برگزینید؛ در پیشخوان دفتر تنها مسیر خارج گشوده می‌شود.",
		"Choose the channel: inside or outside the oil industry; at an office's counter only the outside one is opened.").At("channel")
	ErrOutside = fault.New(fault.Conflict, "channel-outside",
		"این درخواست از مسیر خارج از صنعت نفت است؛ آن را به دفتر ثبت‌نام بدهید و توکن را همان دفتر تحویل می‌دهد.",
		"This request is of the outside channel: submit it to a registration office, which hands the token over itself.")
	ErrInside = fault.New(fault.Conflict, "channel-inside",
		"این درخواست از مسیر داخل صنعت نفت است؛ آن را به واحد پژوهش و فناوری شرکت خود بدهید.",
		"This request is of the inside channel: submit it to the research and technology unit of your company.")
	ErrNotSighted = fault.New(fault.Conflict, "originals-not-sighted",
		"هنوز اصل همهٔ مدارک رؤیت نشده است؛ نخست آن‌ها را رؤیت و ثبت کنید.",
		"Not all originals were sighted yet; sight and record them first.")
	ErrNotProved = fault.New(fault.Conflict, "form-not-proved",
		"پس از اصلاح فرم، متقاضی باید پست الکترونیک و تعهدنامه را دوباره تأیید کند.",
		"After the form was mended, the applicant must prove his e-mail address and accept the notice again.")
	ErrDossierElsewhere = fault.New(fault.Conflict, "dossier-elsewhere",
		"این پرونده نزد شما نیست؛ فهرست پرونده‌های آمادهٔ ارسال خود را ببینید.",
		"This dossier is not with you; look at the list of those that are ready.").At("dossiers")
	ErrNotActivated = fault.New(fault.Conflict, "token-not-activated",
		"نخست توکن را با رمز خود فعال کنید، سپس گواهی را بپذیرید.",
		"Activate the token with your own PIN first, then accept the certificate.")
	ErrStaleForm = fault.New(fault.Conflict, "form-changed",
		"فرم در همین میان تغییر کرده است؛ فرم کنونی را دوباره ارسال کنید.",
		"The form has changed meanwhile; submit the present form again.")
	ErrNoEmailCode = fault.New(fault.Conflict, "email-code-not-sent",
		"کدی برای این نشانی فعال نیست؛ کد تازه بخواهید.",
		"No code is active for this address; ask for a new one.")
	ErrEmailPause = fault.New(fault.TooMany, "email-code-on-its-way",
		"کد همین حالا فرستاده شده است؛ صندوق و پوشهٔ هرزنامه را ببینید و پس از یک دقیقه کد تازه بخواهید.",
		"A code was sent just now; look into inbox and spam folder, and ask for another after a minute.")
	ErrEmailCode = fault.New(fault.Invalid, "email-code-wrong",
		"کد درست نیست؛ آخرین کد رسیده را وارد کنید.",
		"The code is not right; enter the latest code that you received.").At("code")
	ErrNoticeText = fault.New(fault.Conflict, "liability-text-changed",
		"متن تعهدنامه تغییر کرده است؛ متن کنونی را بخوانید و بپذیرید.",
		"The liability notice has changed; read and accept the present text.")
	ErrLetterMissing = fault.New(fault.Invalid, "letter-details-missing",
		"شماره و تاریخ معرفی‌نامه را وارد کنید.",
		"Enter the number and the date of the letter of introduction.").At("letter")
	ErrOwnRequest = fault.New(fault.Forbidden, "own-request",
		"هیچ‌کس درخواست خود را بررسی یا تأیید نمی‌کند؛ همکار دیگری باید اقدام کند.",
		"Nobody checks or confirms his own request; a colleague must act.")
	ErrFourEyes = fault.New(fault.Forbidden, "second-officer-needed",
		"تأیید باید با مأمور دومی باشد که در گشودن، ورود فرم، بررسی مدارک، استعلام یا کنترل این درخواست دست نداشته است.",
		"A second officer must confirm, who had no part in opening, entering, sighting, inquiring or controlling.")
	ErrUnsigned = fault.New(fault.Invalid, "confirmation-unsigned",
		"تأیید بدون امضای شما پذیرفته نیست؛ پرونده را با توکن خود امضا کنید.",
		"A confirmation counts only with your signature; sign the record with your own token.").At("signature")
	ErrStaleRecord = fault.New(fault.Conflict, "record-changed",
		"پرونده پس از دیدن شما تغییر کرده است؛ دوباره ببینید و تأیید کنید.",
		"The record has changed since you saw it; review it again, then confirm.")
	ErrOtherToken = fault.New(fault.Conflict, "other-token-reserved",
		"توکن دیگری برای این درخواست کنار گذاشته شده است.",
		"Another token is reserved for this request.")
	ErrOtherOffice = fault.New(fault.Forbidden, "other-office",
		"این درخواست نزد دفتر دیگری است.", "This request is with another office.")
	ErrOtherParty = fault.New(fault.Conflict, "party-fixed",
		"پس از ارسال، متقاضی و سازمان درخواست تغییر نمی‌کنند؛ انصراف دهید و درخواست تازه بگشایید.",
		"Applicant and organisation are fixed once submitted; withdraw and open a new request.")
	ErrIdentityDocument = fault.New(fault.Invalid, "identity-document-needed",
		"هویت گیرنده را با کارت ملی، شناسنامه یا گذرنامه بازبینی کنید.",
		"Check the receiver's identity by national card, birth certificate or passport.").At("identityChecked")
	// ErrCodeTaken never reaches a caller: the door derives the next code.
	ErrCodeTaken = fault.New(fault.Conflict, "tracking-code-taken",
		"این کد رهگیری از آن درخواست دیگری است.", "This tracking code belongs to another request.")
	// ErrAttemptTaken tells an issuance handler that another one goes on.
	ErrAttemptTaken = fault.New(fault.Conflict, "issuance-attempt-taken",
		"صدور این گواهی در دست اقدام است.", "This issuance is already being worked on.")
	ErrControl = fault.New(fault.Invalid, "control-unknown",
		"چنین کنترلی نیست؛ نشانی، تلفن یا کنترل صلاحدیدی را برگزینید.",
		"There is no such control; choose address, telephone or discretionary.").At("control")
	ErrControlNotRequired = fault.New(fault.Conflict, "control-not-required",
		"این کنترل خواسته نشده است؛ نخست آن را لازم بدانید.",
		"This control was not required; require it first.").At("control")
	ErrNotYours = fault.New(fault.Forbidden, "not-your-request",
		"این کار با خود متقاضی است؛ مأمور تنها برای درخواستی که در پیشخوان دفتر خودش گشوده شده اقدام می‌کند و گواهی را به جای او نمی‌پذیرد.",
		"This is for the applicant himself; an officer acts for him only where the request was opened at his office's counter, and never accepts a certificate for him.")
)

// WrongStateCode is that of WrongState.
const WrongStateCode = "wrong-state"

// WrongState says when the act is allowed, where the request stands and what is
// possible there.
func WrongState(s Enrollment, allowed ...Status) error {
	if s.Status == StatusNone {
		return ErrNotFound
	}
	return life.Refuse(fault.New(fault.Conflict, WrongStateCode,
		fmt.Sprintf("این کار در این وضعیت‌ها شدنی است: %s.", listed(allowed, Status.Persian, "«%s»", "، ")),
		fmt.Sprintf("This can be done when the request is: %s.", listed(allowed, Status.English, "%s", ", "))), string(s.Status))
}

func (s Enrollment) in(allowed ...Status) error {
	if slices.Contains(allowed, s.Status) {
		return nil
	}
	return WrongState(s, allowed...)
}

func listed(statuses []Status, in func(Status) string, format, comma string) string {
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = fmt.Sprintf(format, in(s))
	}
	return strings.Join(names, comma)
}
