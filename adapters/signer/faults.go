package signer

import (
	"errors"

	"govahi/commands"
	"govahi/domain/fault"
)

// Why the signer refuses. Each names one check; after any of them nothing was
// signed.
var (
	ErrMalformed = fault.New(fault.Invalid, "signer-request-malformed",
		"درخواست امضا خوانده نمی‌شود.", "The signing request cannot be read.")
	ErrDigest = fault.New(fault.Invalid, "digest-malformed",
		"چکیده با الگوریتم آن نمی‌خواند.", "The digest does not fit its algorithm.")
	ErrStream = fault.New(fault.Invalid, "signing-stream-wrong",
		"این جریان از آن این امضا نیست.", "This stream is not one for such a signature.")
	ErrTBS = fault.New(fault.Invalid, "tbs-malformed",
		"آنچه باید امضا شود خوانده نمی‌شود.", "What is to be signed cannot be read.")
	ErrIssuer = fault.New(fault.Conflict, "tbs-issuer-differs",
		"صادرکننده با گواهی این مرکز یکی نیست.", "The issuer is not this CA, byte for byte.")
	ErrSerial = fault.New(fault.Conflict, "tbs-serial-differs",
		"شماره سریال با شمارهٔ ثبت‌شده یکی نیست.", "The serial is not the recorded one.")
	ErrValidity = fault.New(fault.Conflict, "tbs-validity-wrong",
		"دورهٔ اعتبار با آنچه ثبت شده یا با گواهی مرکز نمی‌خواند.",
		"The validity is not the recorded one, too long, or beyond the issuer's.")
	ErrProfile = fault.New(fault.Conflict, "tbs-profile-wrong",
		"محتوای گواهی با نمایهٔ آن نمی‌خواند.", "The certificate does not follow its profile.")
	ErrProfileDiffers = fault.New(fault.Conflict, "profile-differs",
		"نمایهٔ امضاکننده با نمایه‌ای که گواهی بر پایهٔ آن ساخته شده یکی نیست؛ هر دو را با یک پوشهٔ نمایه آغاز کنید.",
		"The signer's profile is not the one that the certificate was built by; start both with the same directory of profiles.")
	ErrKey = fault.New(fault.Conflict, "tbs-key-differs",
		"کلید با کلید ثبت‌شده یکی نیست.", "The key is not the recorded one.")
	ErrNotConfirmed = fault.New(fault.Conflict, "record-not-confirmed",
		"پروندهٔ این گواهی تأیید معتبری ندارد.", "The record of this certificate has no standing confirmation.")
	ErrNotAttempted = fault.New(fault.Conflict, "issuance-not-attempted",
		"صدور با این شماره سریال در پرونده نیامده است.", "The record names no issuance under this serial.")
	ErrStarted = fault.New(fault.Unavailable, "signing-already-started",
		"امضاکنندهٔ دیگری این امضا را آغاز کرده است.", "Another signer started this signature.")
)

// What else may happen.
var (
	ErrBusy = fault.New(fault.Unavailable, "signer-busy",
		"توکن امضا مشغول است؛ دوباره بکوشید.", "The signing token is busy; try again.")
	ErrFailed = fault.New(fault.Internal, "signer-failed",
		"امضا انجام نشد؛ گزارش امضاکننده را ببینید.", "The signer failed; see its log.")
	ErrSignature = fault.New(fault.Internal, "signature-wrong",
		"امضای توکن درست نیست و کنار گذاشته شد.", "The token's signature is wrong and was thrown away.")
	ErrLog = fault.New(fault.Unavailable, "signer-log-unavailable",
		"امضاکننده به دفتر رویدادها دسترسی ندارد؛ دوباره بکوشید.",
		"The signer cannot reach the event log; try again.")
	// ErrToken says that the token failed or is not there.
	ErrToken = fault.New(fault.Unavailable, "token-unavailable",
		"توکن امضا پاسخ نمی‌دهد یا خطا می‌دهد؛ اتصال آن را بررسی کنید. امضاکننده خودکار دوباره می‌کوشد.",
		"The signing token fails or is not there; check its connection. The signer tries again by itself.")
	// ErrPIN says that the token refused its PIN; the same one is not tried again.
	ErrPIN = fault.New(fault.Unavailable, "token-pin-wrong",
		"توکن امضا PIN را نپذیرفت یا قفل است و همان PIN دوباره آزموده نمی‌شود؛ PIN درست را در فایل آن بنویسید.",
		"The signing token refused its PIN or is locked, and the same PIN is not tried again; write the right one into its file.")
	// ErrSlow says that the token has not answered in time, and may yet.
	ErrSlow = fault.New(fault.Unavailable, "token-slow",
		"توکن امضا کند است یا کارهای بسیاری در صف دارد؛ دوباره بکوشید.",
		"The signing token is slow, or has a long queue; try again.")
	// ErrUnavailable is the client's: nothing was asked. Joined to another fault it
	// says so of that.
	ErrUnavailable = commands.ErrSignerAway
	// ErrUnknownOutcome is the client's: a signature may exist (pki.md §5.3, step 5).
	ErrUnknownOutcome = fault.New(fault.Unavailable, "signature-outcome-unknown",
		"پیوند با امضاکننده گسست؛ شاید امضا شده باشد.",
		"The signer went away; a signature may exist.")
)

// untried marks a fault after which nothing was begun: the same may be asked
// again, and costs no serial.
func untried(why error) error { return errors.Join(why, ErrUnavailable) }
