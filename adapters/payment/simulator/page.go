package simulator

import (
	"html/template"
	"net/http"

	"govahi/domain/iran"
)

// policy keeps the page to itself; its buttons lead back to the merchant.
const policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

var payerPage = template.Must(template.New("pay").Funcs(template.FuncMap{"rial": iran.Rial, "words": iran.RialWords}).Parse(
	`<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8"><title>درگاه آزمایشی</title></head><body>
<h1>درگاه آزمایشی بانک</h1>
<p>این بانک ساختگی است و وجهی جابه‌جا نمی‌شود.</p>
<p>مبلغ: <strong>{{rial .Amount}}</strong> ({{words .Amount}})</p>
<form method="post"><input type="hidden" name="RefId" value="{{.Reference}}">
<button name="act" value="pay">پرداخت</button>
<button name="act" value="cancel">انصراف</button>
</form>
<h2>رفتارهای ناخوشایند</h2>
<form method="post"><input type="hidden" name="RefId" value="{{.Reference}}">
<button name="act" value="pay-and-leave">پرداخت و بستن صفحه</button>
<button name="act" value="forge">بازگشت با ادعای دروغین پرداخت</button>
</form></body></html>`))

var leftPage = template.Must(template.New("left").Parse(
	`<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8"><title>درگاه آزمایشی</title></head><body>
<p>صفحه بسته شد؛ پذیرنده خبر نمی‌شود.</p></body></html>`))

var backPage = template.Must(template.New("back").Parse(
	`<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8"><title>درگاه آزمایشی</title></head><body>
<form method="post" action="{{.Callback}}">{{range $name, $value := .Fields}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button>بازگشت به پذیرنده</button></form></body></html>`))

func show(w http.ResponseWriter, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	_ = page.Execute(w, data) // who left before the end needs no page
}

func (b *Bank) page(w http.ResponseWriter, reference string) {
	s, known := b.Find(reference)
	if !known {
		http.Error(w, "no such payment", http.StatusNotFound)
		return
	}
	show(w, payerPage, s)
}

// acts is what the payer does: whether he calls it paid, and whether he comes
// back at all.
func (b *Bank) acts(w http.ResponseWriter, r *http.Request, reference string) (s Sale, claims, comes bool) {
	known := false
	switch r.FormValue("act") {
	case "pay":
		s, known = b.Pay(reference)
		claims, comes = true, true
	case "cancel":
		s, known = b.Cancel(reference)
		comes = true
	case "pay-and-leave":
		s, known = b.Pay(reference)
	case "forge":
		s, known = b.Find(reference)
		claims, comes = true, true
	}
	switch {
	case !known:
		http.Error(w, "no such payment, or it is over", http.StatusNotFound)
	case !comes:
		show(w, leftPage, nil)
	}
	return s, claims, known && comes
}

// back has the browser post the answer, at a click: the page runs no script.
func back(w http.ResponseWriter, s Sale, claims bool) {
	show(w, backPage, struct {
		Callback string
		Fields   map[string]string
	}{s.Callback, s.Fields(claims)})
}
