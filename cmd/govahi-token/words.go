package main

import (
	"errors"
	"fmt"
	"io"

	"govahi/adapters/token"
)

// The exit codes; scripts may depend on them. 1 is a wrong argument or a local
// file.
const (
	exitRefused = 2 // the house refuses: it says why, and what to do
	exitToken   = 3 // the token is not fit for this
	exitLater   = 4 // not finished in time: repeat the command
	exitForeign = 5 // what the house sent is not what was asked for: sign and write nothing
	exitNo      = 6 // the officer did not say yes
)

// stop ends a command, with a text in both languages that says what to do.
type stop struct {
	exit   int
	status int // of the house's answer, or zero
	fa, en string
	cause  error
}

// Error is what the officer reads.
func (s stop) Error() string {
	text := s.fa + "\n" + s.en
	if s.cause != nil {
		text += "\n(" + s.cause.Error() + ")"
	}
	return text
}

// Unwrap is the cause.
func (s stop) Unwrap() error { return s.cause }

func (s stop) because(err error) stop {
	s.cause = err
	return s
}

// The refusals of the workstation itself.
var (
	errNoBearer = stop{
		exit: 1,
		fa:   "نشان ورود شما داده نشده است؛ پرونده‌اش را با --bearer یا خودش را در متغیر محیطی GOVAHI_BEARER بدهید.",
		en:   "Your bearer token is missing; name its file by --bearer, or put it into the environment variable GOVAHI_BEARER.",
	}
	errOpenLine = stop{
		exit: 1,
		fa:   "نشانی سامانه باید https باشد (http تنها روی همین رایانه)؛ نشانی را بازبینی کنید.",
		en:   "The URL of the house must be https (http only on this machine); check it.",
	}
	errAway = stop{
		exit: exitLater,
		fa:   "سامانه در این مدت پاسخ نداد؛ همین دستور را دوباره اجرا کنید، کار از همان‌جا ادامه می‌یابد.",
		en:   "The house did not answer in this time; repeat the same command, it goes on from there.",
	}
	errNotYet = stop{
		exit: exitLater,
		fa:   "هنوز آماده نیست؛ همین دستور را دیرتر دوباره اجرا کنید، کار از همان‌جا ادامه می‌یابد.",
		en:   "It is not ready yet; repeat the same command later, it goes on from there.",
	}
	errTrackingCode = stop{
		exit: 1,
		fa:   "کد رهگیری دوازده رقم است؛ آن را از روی رسید یا پرونده دوباره بنویسید.",
		en:   "A tracking code has twelve digits; write it again from the receipt or the dossier.",
	}
	errUnsound = stop{
		exit: exitToken,
		fa:   "کلید روی این توکن زاده نشده یا از آن بیرون رفتنی است؛ این توکن را به کار نبرید و توکن سالم دیگری بردارید.",
		en:   "The key was not born on this token or may have left it; do not use this token, take another.",
	}
	errOccupied = stop{
		exit: exitToken,
		fa:   "روی این توکن گواهی دیگری هست؛ توکن خالی بردارید.",
		en:   "This token carries another certificate; take a blank one.",
	}
	errNotRenewed = stop{
		exit: exitToken,
		fa:   "این توکن گواهی‌ای را که تمدید می‌شود در بر ندارد؛ همان توکن را از متقاضی بخواهید.",
		en:   "This token does not carry the certificate that is renewed; ask the applicant for that one.",
	}
	errOtherToken = stop{
		exit: exitToken,
		fa:   "گواهی این درخواست برای توکن دیگری است؛ همان توکن را بگذارید.",
		en:   "The certificate of this request is for another token; insert that one.",
	}
	errOver = stop{
		exit: exitRefused,
		fa:   "این درخواست پایان یافته یا گواهی آن باطل شده است؛ روی توکن چیزی نوشته نمی‌شود.",
		en:   "This request is over, or its certificate is revoked; nothing is written to the token.",
	}
	errGivenBack = stop{
		exit: exitRefused,
		fa:   "مرکز صدور برای این کلید یا این تأیید گواهی صادر نکرد و درخواست را به دفتر بازگرداند؛ پرونده را ببینید: اگر «تأییدشده» است دستور را با توکن دیگری تکرار کنید، اگر «کنترل‌شده» است مأمور دیگری باید آن را تأیید کند.",
		en:   "The CA could not certify this key or this confirmation and gave the request back to the office; look at the record: if it is confirmed, repeat with another token; if it is controlled, an officer must confirm it again.",
	}
	errForeign = stop{
		exit: exitForeign,
		fa:   "گواهی‌ای که رسید از آن این کلید یا این درخواست نیست؛ چیزی روی توکن نوشته نشد. آن را به مرکز صدور گزارش کنید.",
		en:   "The certificate that came is not of this key or this request; nothing was written to the token. Report this to the CA.",
	}
	errOtherStatement = stop{
		exit: exitForeign,
		fa:   "متنی که سامانه برای امضا فرستاد با پرونده نمی‌خواند؛ چیزی امضا نشد. آن را به مرکز صدور گزارش کنید.",
		en:   "The statement that the house sent does not fit the record; nothing was signed. Report this to the CA.",
	}
	errNotToConfirm = stop{
		exit: exitRefused,
		fa:   "این پرونده در حالی نیست که تأیید شود؛ وضعیت آن را در پرونده ببینید.",
		en:   "This record is in no state to be confirmed; see where it stands.",
	}
	errNotConfirmed = stop{
		exit: exitNo,
		fa:   "«بله» گفته نشد؛ چیزی امضا نشد.",
		en:   "You did not say yes; nothing was signed.",
	}
	errNoTerminal = stop{
		exit: exitNo,
		fa:   "پرونده تنها در پایانه نشان داده می‌شود؛ دستور را در پایانه اجرا کنید، یا اگر آن را جای دیگری دیده‌اید با --yes.",
		en:   "The record is shown on a terminal only; run this on one, or with --yes if you have seen the record elsewhere.",
	}
	errNoCertificateYet = stop{
		exit: exitRefused,
		fa:   "این درخواست هنوز گواهی ندارد؛ پس از تحویل توکن دوباره بکوشید.",
		en:   "This request has no certificate yet; try again when you have your token.",
	}
	errNotVouched = stop{
		exit: exitRefused,
		fa:   "مرکز صدور این درخواست را نپذیرفت؛ با مرکز تماس بگیرید و با توکن دیگری دوباره بخواهید.",
		en:   "The CA refused this; call it, and ask again with another token.",
	}
)

// ofTheToken says what to do about what a token answers.
var ofTheToken = []struct {
	err    error
	fa, en string
}{
	{token.ErrPIN, "رمز توکن نادرست یا قفل است؛ دوباره نکوشید مگر رمز را درست کرده باشید، توکن قفل می‌شود.", "The token's PIN is wrong or locked; do not try again before you have mended it, or the token locks itself."},
	{token.ErrNoToken, "این توکن پیدا نشد؛ آن را در رایانه بگذارید و شمارهٔ سریال را بازبینی کنید.", "This token is not there; insert it, and check its serial."},
	{token.ErrOtherCertificate, errOccupied.fa, errOccupied.en},
	{token.ErrOtherKey, "این گواهی برای کلید دیگری است؛ توکن درست را بگذارید.", "This certificate is for another key; insert the right token."},
	{token.ErrNoKey, "روی این توکن کلیدی نیست؛ توکن درست را بگذارید.", "There is no key on this token; insert the right one."},
	{token.ErrNoCertificate, "روی این توکن گواهی نیست؛ نخست گواهی را بگیرید.", "There is no certificate on this token; get one first."},
}

// told puts an error of the token into both languages.
func told(err error) error {
	var already stop
	if err == nil || errors.As(err, &already) {
		return err
	}
	for _, known := range ofTheToken {
		if errors.Is(err, known.err) {
			return stop{exit: exitToken, fa: known.fa, en: known.en}
		}
	}
	if _, ours := token.Code(err); ours {
		return stop{
			exit: exitToken, cause: err,
			fa: "توکن کار را انجام نداد؛ آن را دوباره بگذارید و همین دستور را دوباره اجرا کنید.",
			en: "The token did not do it; insert it again and repeat the same command.",
		}
	}
	return err
}

// step is a line of progress before a piece of work.
type step struct {
	fa, en string
	do     func() error
}

// each does one step after the other.
func each(w io.Writer, steps []step) error {
	for i, s := range steps {
		_, _ = fmt.Fprintf(w, "%d/%d  %s · %s\n", i+1, len(steps), s.fa, s.en)
		if err := s.do(); err != nil {
			return told(err)
		}
	}
	return nil
}
