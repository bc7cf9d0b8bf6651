package http

import (
	"govahi/adapters/web"
	"govahi/queries"
	"govahi/queries/auditor"
)

// differenceWords name the kinds of differences, for those who lead.
var differenceWords = map[string]string{
	auditor.Intent:        "صدور بی ثبت قصد",
	auditor.Signing:       "امضا بیرون از ترتیب",
	auditor.SerialTwice:   "دو گواهی با یک شماره سریال",
	auditor.Abandoned:     "صدور رهاشده که باطل نشده است",
	auditor.Unfinished:    "صدور ناتمام",
	auditor.NotReadable:   "گواهی ناخوانا",
	auditor.Fingerprint:   "اثر انگشت دیگر",
	auditor.TBS:           "امضای متنی جز آنچه ثبت شد",
	auditor.Signature:     "امضای مرکزی دیگر",
	auditor.Issuer:        "مرکز صدور دیگر",
	auditor.Address:       "نشانی دیگر فهرست ابطال، پاسخ‌گو یا گواهی مرکز صدور",
	auditor.IssuerEnded:   "صدور یا اعتبار پس از پایان مرکز صدور",
	auditor.SerialNumber:  "شماره سریال دیگر",
	auditor.Key:           "کلید دیگر",
	auditor.KeyTwice:      "کلید تکراری",
	auditor.Renewal:       "جانشین نادرست گواهی پیشین",
	auditor.Profile:       "پروفایل دیگر",
	auditor.Validity:      "مدت اعتبار نادرست",
	auditor.Linted:        "شکستن قاعدهٔ استاندارد",
	auditor.Subject:       "دارندهٔ دیگر",
	auditor.Record:        "پروندهٔ تغییریافته",
	auditor.Confirmation:  "صدور بی تأیید برقرار",
	auditor.Control:       "تأیید پیش از پایان کنترل‌ها",
	auditor.FourEyes:      "تأیید به دست دخیل در پرونده",
	auditor.Request:       "ناهماهنگی با درخواست",
	auditor.RASignature:   "امضای نادرست مأمور ثبت نام",
	auditor.RACertificate: "گواهی بی‌اعتبار مأمور ثبت نام",
	auditor.Appointment:   "اقدام بی سمت",
	auditor.Licence:       "دفتر بی مجوز",
	auditor.Vouched:       "گواهی مأمور بی تأیید کارشناس",
	auditor.Delegation:    "گواهی پاسخ‌گو بی واگذاری",
	auditor.Fee:           "کارمزد تسویه‌نشده",
	auditor.FeeTwice:      "کارمزد دوبار تسویه‌شده",
	auditor.Amount:        "مبلغی جز تعرفه",
	auditor.Reference:     "شماره مرجع سفارشی دیگر",
	auditor.Contract:      "قرارداد بی‌اعتبار",
	auditor.Token:         "توکن دیگر",
	auditor.Custody:       "گسست در زنجیرهٔ نگهداری توکن",
	auditor.PIN:           "رمز همراه توکن",
	auditor.Delivery:      "تحویل نادرست",
	auditor.List:          "فهرست ابطال نادرست",
	auditor.ListMissing:   "باطل‌شده و بیرون از فهرست",
	auditor.ListSurplus:   "در فهرست، بی ابطال",
	auditor.ListUnknown:   "شماره سریال ناشناخته در فهرست",
	auditor.ListReason:    "علت دیگر در فهرست",
	auditor.ListDate:      "زمان دیگر در فهرست",
	auditor.OCSP:          "پاسخ نادرست OCSP",
}

// auditCard puts the latest audit into Persian words. A kind of a later version
// keeps its own name.
func auditCard(a queries.Audit) web.AuditData {
	d := web.AuditData{At: a.At, Checked: int(a.Checked), Erased: int(a.Erased), Found: int(a.Found()), Overdue: a.Overdue}
	for _, c := range a.Differences {
		label := differenceWords[c.Name]
		if label == "" {
			label = c.Name
		}
		d.Differences = append(d.Differences, web.Difference{Count: web.Count{Label: label, N: int(c.Count)}, Kind: c.Name})
	}
	return d
}
