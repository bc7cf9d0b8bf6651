package pki

import (
	"fmt"
	"strings"

	"govahi/domain/fault"
	"govahi/domain/profile"
)

// What a certification request may be refused for (RFC 2986, CA/B BR §6.1.1.3).
var (
	ErrCSRMalformed = fault.New(fault.Invalid, "csr-malformed",
		"درخواست امضای گواهی (PKCS#10) خوانده نمی‌شود؛ آن را دوباره روی توکن بسازید.",
		"The certification request (PKCS#10) cannot be read; make it on the token again.").At("csr")
	ErrCSRSignature = fault.New(fault.Invalid, "csr-signature-wrong",
		"امضای درخواست با کلید آن نمی‌خواند؛ در اختیار داشتن کلید ثابت نشد. درخواست را دوباره روی توکن بسازید.",
		"The request is not signed by its own key: possession is not proved. Make it on the token again.").At("csr")
	ErrCSRDigest = fault.New(fault.Invalid, "csr-digest-weak",
		"درخواست باید با SHA-256 یا قوی‌تر امضا شده باشد.",
		"The request must be signed with SHA-256 or stronger.").At("csr")
	ErrKeyType = fault.New(fault.Invalid, "key-type-unsupported",
		"کلید باید RSA با ۲۰۴۸ یا ۳۰۷۲ بیت یا خم بیضوی P-256 یا P-384 باشد.",
		"The key must be RSA of 2048 or 3072 bits, or on the curve P-256 or P-384.").At("csr")
	ErrKeyWeak = fault.New(fault.Invalid, "key-too-weak",
		"کلید کوتاه‌تر از ۲۰۴۸ بیت است؛ کلید تازه‌ای روی توکن بسازید.",
		"The key is shorter than 2048 bits; make a new one on the token.").At("csr")
	ErrKeyExponent = fault.New(fault.Invalid, "key-exponent-weak",
		"توان عمومی کلید باید فرد، دست‌کم ۶۵۵۳۷ و کوچک‌تر از ۲ به توان ۳۱ باشد؛ کلید تازه‌ای روی توکن بسازید.",
		"The key's public exponent must be odd, at least 65537 and below 2^31; make a new key on the token.").At("csr")
	ErrKeyBroken = fault.New(fault.Invalid, "key-broken",
		"این کلید را می‌توان از روی بخش عمومی آن شکست؛ شاید توکن معیوب باشد. با توکن دیگری کلید بسازید.",
		"The private key can be computed from the public one; the token may be flawed. Make a key on another token.").At("csr")
	ErrKeyMalformed = fault.New(fault.Invalid, "key-malformed",
		"کلید عمومی درخواست کلید درستی نیست؛ کلید و درخواست را دوباره روی توکن بسازید.",
		"The public key of the request is no valid key; make key and request on the token again.").At("csr")
	ErrKeyOurs = fault.New(fault.Invalid, "key-of-the-ca",
		"این کلید از آن خود مرکز صدور است و برای کسی گواهی نمی‌شود؛ کلید تازه‌ای روی توکن بسازید.",
		"This key is the CA's own and is certified for nobody; make a new one on the token.").At("csr")
	ErrCSRLong = fault.New(fault.Invalid, "csr-too-long",
		"درخواست امضای گواهی از ۱۶ کیلوبایت بلندتر است؛ آن را بدون ویژگی‌های افزوده روی توکن بسازید.",
		"The certification request is longer than 16 KiB; make it on the token without further attributes.").At("csr")
)

// What must not happen, and is noticed.
var (
	ErrOtherBytes = fault.New(fault.Internal, "signed-other-bytes",
		"آنچه امضا شده با آنچه ثبت شده یکی نیست.", "What was signed is not what was recorded.")
	ErrIssuerSignature = fault.New(fault.Internal, "issuer-signature-wrong",
		"امضا از کلید این مرکز صدور نیست.", "The signature is not by this issuer's key.")
	ErrIssuerExpired = fault.New(fault.Unavailable, "issuer-expired",
		"اعتبار گواهی مرکز صدور به پایان رسیده یا آغاز نشده است.",
		"The issuer's own certificate has expired or is not valid yet.")
	ErrSerial = fault.New(fault.Internal, "serial-malformed",
		"شماره سریال درست نیست.", "The serial number is malformed.")
	ErrRevokedWhen = fault.New(fault.Internal, "revocation-time-missing",
		"زمان ابطال یک شماره سریال معلوم نیست؛ رویداد ابطال آن را بررسی کنید.",
		"A serial is to be listed that was revoked at no time; check the event of its revocation.")
	ErrListedTwice = fault.New(fault.Internal, "serial-listed-twice",
		"یک شماره سریال دو بار در فهرست ابطال آمده است.", "A serial stands twice on the revocation list.")
)

// What a certificate may be refused for; each refusal has more words on its case.
var (
	ErrKeyKind = fault.New(fault.Invalid, "key-kind-not-in-profile",
		"کلید از نوعی نیست که این گواهی می‌پذیرد؛ کلید تازه‌ای روی توکن بسازید.",
		"The key is of no kind that this certificate takes; make a new key on the token.").At("csr")
	ErrLint = fault.New(fault.Invalid, "lint-refused",
		"گواهی با این اطلاعات برخلاف استاندارد می‌شود و امضا نمی‌شود؛ فرم را اصلاح کنید.",
		"With these particulars the certificate would break the standards and is not signed; mend the form.")
)

// errKeyKind says which kinds of keys this type of certificate takes.
func errKeyKind(p profile.Profile) error {
	names := make([]string, len(p.Keys))
	for i, k := range p.Keys {
		names[i] = string(k)
	}
	return fault.New(fault.Invalid, ErrKeyKind.Code,
		fmt.Sprintf("برای «%s» کلید باید یکی از این‌ها باشد: %s. کلید تازه‌ای روی توکن بسازید.", p.Title.Fa, strings.Join(names, "، ")),
		fmt.Sprintf("For %q the key must be one of: %s. Make a new key on the token.", p.Title.En, strings.Join(names, ", "))).At("csr")
}

// errLint names the lints that refuse; their names say what is wrong and hold
// no personal data.
func errLint(names []string) error {
	list := strings.Join(names, ", ")
	return fault.New(fault.Invalid, ErrLint.Code,
		fmt.Sprintf("گواهی با این اطلاعات برخلاف استاندارد می‌شود و امضا نمی‌شود: %s.", list),
		fmt.Sprintf("With these particulars the certificate would break the standards and is not signed: %s.", list))
}
