package web

import "govahi/domain/enrollment"

// Stand is what an applicant is told of a state: who has the matter now, and
// what comes next (domain §2.5).
type Stand struct{ Now, Next string }

// Active is the state that only views compute: the CPMIS user is bound to the
// certificate.
const Active = "active"

// GivenBack is said of a request that the CA did not issue; what comes next is the
// remedy of why not.
const GivenBack = "مرکز صدور درخواست را به دفتر بازگردانده است و پرونده نزد دفتر است."

// StandOf is the sentence of a state, whichever channel it belongs to.
func StandOf(state string) Stand { return stands[enrollment.Status(state)] }

// StandByAttorney is the sentence of a state after an attorney received the token:
// the applicant is not told that he has it.
func StandByAttorney(state string) Stand {
	if s, ok := byAttorney[enrollment.Status(state)]; ok {
		return s
	}
	return StandOf(state)
}

var byAttorney = map[enrollment.Status]Stand{
	enrollment.StatusDelivered: {"توکن را وکیل شما گرفته است.", "توکن را از او بگیرید، رمز آن را فعال کنید و گواهی را بپذیرید."},
	enrollment.StatusAccepted:  {"گواهی را پذیرفته‌اید؛ توکن را وکیل شما گرفته است.", stands[enrollment.StatusAccepted].Next},
	Active:                     {"گواهی در CPMIS ثبت شده و فعال است؛ توکن را وکیل شما گرفته است.", stands[Active].Next},
}

var stands = map[enrollment.Status]Stand{
	enrollment.StatusDraft:           {"درخواست نزد شماست و فرم آن هنوز کامل نیست.", "فرم را تکمیل کنید."},
	enrollment.StatusCompleted:       {"فرم تکمیل شده و درخواست نزد شماست.", "نشانی پست الکترونیک را با کدی که به آن فرستاده شده اثبات کنید و تعهدنامه را بپذیرید."},
	enrollment.StatusReady:           {"درخواست آماده و نزد شماست.", "آن را به یک دفتر ثبت‌نام بفرستید؛ اگر در صنعت نفت هستید، به واحد پژوهش و فناوری شرکت خود."},
	enrollment.StatusAtOffice:        {"درخواست نزد دفتر ثبت‌نام است.", "با اصل مدارک به دفتر بروید؛ اگر پرونده را شرکت شما فرستاده است، کاری با شما نیست."},
	enrollment.StatusUnderControl:    {"دفتر ثبت‌نام مدارک و اطلاعات را بررسی می‌کند.", "پس از پایان کنترل‌ها و تسویهٔ هزینه، مأمور دوم پرونده را می‌بیند."},
	enrollment.StatusNeedsCorrection: {"فرم برای اصلاح به شما برگشته است.", "فیلدهای خواسته‌شده را اصلاح کنید؛ بررسی از همان‌جا ادامه می‌یابد."},
	enrollment.StatusControlled:      {"کنترل‌های دفتر انجام شده است.", "مأمور دوم دفتر پرونده را می‌بیند و تأیید می‌کند."},
	enrollment.StatusConfirmed:       {"درستی اطلاعات تأیید شده و پرونده نزد دفتر است.", "دفتر توکن را کنار می‌گذارد و صدور گواهی را از مرکز صدور می‌خواهد."},
	enrollment.StatusAtCA:            {"درخواست نزد مرکز صدور است.", "مرکز گواهی را صادر می‌کند."},
	enrollment.StatusIssued:          {"گواهی صادر شده و توکن نزد دفتر است.", "دفتر گواهی را روی توکن می‌نویسد و برگهٔ مشخصات را چاپ می‌کند."},

	enrollment.StatusReadyForDelivery: {"توکن و برگهٔ مشخصات در دفتر آماده است.", "با مدرک شناسایی به دفتر بروید و آن‌ها را تحویل بگیرید."},
	enrollment.StatusDelivered:        {"توکن نزد شماست.", "رمز توکن را فعال کنید و گواهی را بپذیرید."},
	enrollment.StatusAccepted:         {"گواهی را پذیرفته‌اید و توکن نزد شماست.", "در مسیر خارج از صنعت به واحد پژوهش و فناوری بروید تا نام کاربری و سطح دسترسی شما در CPMIS تعریف شود؛ در مسیر داخل، توکن را فعال کنید."},
	Active:                            {"گواهی در CPMIS ثبت شده و فعال است؛ توکن نزد شماست.", "کاری نمانده است."},
	enrollment.StatusRejected:         {"درخواست رد شده است.", "علت را از دفتر بپرسید؛ برای گواهی درخواست تازه بگشایید."},
	enrollment.StatusWithdrawn:        {"از درخواست انصراف داده‌اید.", "برای گواهی درخواست تازه بگشایید."},
	enrollment.StatusRevoked:          {"گواهی باطل شده است.", "توکن را به دفتر برگردانید؛ برای گواهی درخواست تازه بگشایید."},

	enrollment.StatusAtResearchUnit:   {"پرونده نزد واحد پژوهش و فناوری شرکت شماست.", "واحد اصل مدارک را می‌بیند و آن‌ها را تأیید می‌کند یا برای اصلاح برمی‌گرداند."},
	enrollment.StatusApproved:         {"واحد پژوهش و فناوری مدارک را تأیید کرده و پرونده نزد آن است.", "واحد پرونده را در محموله برای مرجع طرف قرارداد می‌فرستد."},
	enrollment.StatusInTransit:        {"پرونده در محمولهٔ مهروموم در راه است.", "گیرنده محموله را می‌شمارد و تحویل می‌گیرد."},
	enrollment.StatusAtAuthority:      {"پرونده نزد مرجع طرف قرارداد است.", "مرجع آن را برای دفتر ثبت‌نام می‌فرستد."},
	enrollment.StatusReadyForDispatch: {"گواهی روی توکن است و توکن و برگه نزد دفتر.", "دفتر توکن مهروموم‌شده را به مبدأ درخواست برمی‌گرداند."},
	enrollment.StatusAtOrigin:         {"توکن نزد مبدأ درخواست است.", "مبدأ آن را به واحد پژوهش و فناوری می‌رساند."},
	enrollment.StatusBackAtUnit:       {"توکن نزد واحد پژوهش و فناوری است.", "واحد نام کاربری و سطح دسترسی شما را در CPMIS تعریف می‌کند؛ پیش از آن توکن تحویل نمی‌شود."},
	enrollment.StatusAccessDefined:    {"نام کاربری شما در CPMIS تعریف شده و توکن نزد واحد پژوهش و فناوری است.", "واحد توکن را به واحد شرکت شما می‌رساند."},
	enrollment.StatusAtCompanyUnit:    {"توکن نزد واحد شرکت شماست.", "با مدرک شناسایی به آن واحد بروید و توکن را تحویل بگیرید؛ رمز از راه دیگری می‌آید."},
}
