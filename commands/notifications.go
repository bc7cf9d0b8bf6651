package commands

import (
	"context"
	"errors"
	"fmt"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/notification"
	"govahi/domain/office"
)

// Mail is a message on its way out. The ID names its cause: a server that sees
// it twice may drop the second.
type Mail struct {
	ID, To, Subject, Body string
	Proof                 bool `json:"-"` // asks the address to prove itself: it is not known to be the applicant's yet
}

// ErrAddressFull is a Mailer's word that it sends no more proofs to an address
// for now. Nobody is told: the answer to whoever asked for a code must not
// depend on what others asked for.
var ErrAddressFull = errors.New("commands: too many proofs were sent to this address")

// Mailer hands a message to a mail server.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Notify claims a message about a request to its applicant; a policy asks. The
// stream is named by the causing event: one cause, one message. Nobody is left
// to write to once he was erased.
func (a *App) Notify(ctx context.Context, c Caller, t notification.Template, request event.Stream, round int, with map[string]string) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || h.state.Form.Version == 0 {
		return err
	}
	form, err := h.state.Form.Form.Open(ctx, a.Keeper)
	if errors.Is(err, event.ErrErased) {
		return nil
	} else if err != nil {
		return err
	}
	as := a.do(c, "Notify", "policy", request.ID())
	message := notification.Message{Email: form.Email, Name: form.GivenName + " " + form.Surname, With: with}
	claim := notification.Request{Requested: notification.Requested{
		ID: c.Key, Template: t, Request: request, Round: round,
		Message: event.About(h.state.Form.Person, message), At: as.at,
	}}
	_, err = transact(ctx, a, notification.Kind, notification.Kind.Stream(c.Key), as, just[notification.Notification](claim))
	return err
}

// SendNotification hands a due message to the mail server. Cause and attempt are
// recorded before, the success after: a crash in between sends the same ID again
// once the attempt's time is over.
func (a *App) SendNotification(ctx context.Context, c Caller, m Mailer, id string) error {
	h, err := load(ctx, a, notification.Kind, notification.Kind.Stream(id))
	if err != nil || h.state.Requested.ID == "" || h.state.Over || !h.state.IsDue(a.Clock()) {
		return err
	}
	l := letter{App: a, caller: c, id: id, at: len(h.records), requested: h.state.Requested}
	mail, cause, err := a.mail(ctx, h.state.Requested)
	switch {
	case err != nil:
		return err
	case cause != "":
		return l.note(ctx, notification.GiveUp{Cause: cause, At: a.Clock()})
	}
	if mine, err := l.attempt(ctx); err != nil || !mine {
		return err
	}
	return l.note(ctx, l.outcome(m.Send(ctx, mail)))
}

// letter is one attempt to send a message.
type letter struct {
	*App
	caller    Caller
	id        string
	at        int // events of its stream before the attempt
	requested notification.Requested
}

// attempt tells whether the attempt is ours: another sender may be quicker.
func (l letter) attempt(ctx context.Context) (mine bool, err error) {
	as := l.act("AttemptNotification", l.Handler)
	_, err = transact(ctx, l.App, notification.Kind, notification.Kind.Stream(l.id), as,
		func(h history[notification.Notification]) ([]event.Event, error) {
			events, err := notification.Attempt{At: as.at}.Decide(h.state)
			mine = len(events) > 0
			return events, err
		})
	return mine, err
}

func (l letter) outcome(err error) event.Command[notification.Notification] {
	switch {
	case errors.Is(err, ErrAddressFull):
		return notification.GiveUp{Cause: "address-limit", At: l.Clock()}
	case err != nil:
		return notification.Postpone{Cause: "mail-server", At: l.Clock()}
	}
	return notification.NoteSent{At: l.Clock()}
}

func (l letter) note(ctx context.Context, outcome event.Command[notification.Notification]) error {
	_, err := transact(ctx, l.App, notification.Kind, notification.Kind.Stream(l.id), l.act("SendNotification", "end"), just(outcome))
	return err
}

// act names an act after the state of the message that it is about.
func (l letter) act(name, part string) act {
	c := l.caller
	c.Key = fmt.Sprintf("%s@%d/%s", l.id, l.at, part)
	return l.do(c, name, asPolicy, l.requested.Request.ID())
}

// pointless says why a code need not be sent any more: one that came after it
// is the right one, or its time is over.
func (a *App) pointless(ctx context.Context, r notification.Requested) (cause string, err error) {
	switch r.Template {
	case notification.EmailCode:
	case notification.ExpiryReminder, notification.AcceptanceReminder, notification.DeliveryReminder:
		return a.untrue(ctx, r)
	default:
		return "", nil
	}
	h, err := load(ctx, a, enrollment.Kind, r.Request)
	email := h.state.Email
	if err == nil && (email.Confirmed || email.Sent.Round != r.Round || a.Clock().After(email.Sent.ExpiresAt)) {
		cause = "code-no-longer-counts"
	}
	return cause, err
}

// mail writes the message, or says why there is nothing to write: an address
// that was erased since is no reason to try again.
func (a *App) mail(ctx context.Context, r notification.Requested) (mail Mail, cause string, err error) {
	if cause, err = a.pointless(ctx, r); err != nil || cause != "" {
		return Mail{}, cause, err
	}
	m, err := r.Message.Open(ctx, a.Keeper)
	switch {
	case errors.Is(err, event.ErrErased):
		return Mail{}, event.ErrErased.Code, nil
	case err != nil:
		return Mail{}, "", err
	}
	code := iran.PersianDigits(iran.GroupTrackingCode(r.Request.ID()))
	text := texts[r.Template]
	body := "با سلام " + m.Name + "\n\n" + text.body
	if r.Template == notification.EmailCode {
		body += "\n\n" + iran.PersianDigits(a.EmailCode(r.Request, r.Round)) + "\n\nاین کد را به هیچ‌کس ندهید."
	}
	if until := m.With["until"]; until != "" {
		body += "\n\nتا " + iran.PersianDigits(until)
	}
	if serial := m.With["serial"]; serial != "" {
		body += "\n\nشماره سریال گواهی: " + serial
	}
	body += "\n\nکد رهگیری: " + code + "\n"
	return Mail{ID: r.ID, To: m.Email, Subject: text.subject, Body: body, Proof: r.Template == notification.EmailCode}, "", nil
}

var texts = map[notification.Template]struct{ subject, body string }{
	notification.EmailCode:          {"کد تأیید پست الکترونیک", "کد تأیید نشانی پست الکترونیک شما (تا ده دقیقه معتبر است):"},
	notification.RequestSubmitted:   {"درخواست شما ثبت شد", "درخواست گواهی شما به دفتر ثبت‌نام رسید. با اصل مدارک به دفتر مراجعه کنید."},
	notification.SubmittedToUnit:    {"درخواست شما ثبت شد", "درخواست گواهی شما به واحد پژوهش و فناوری شرکت رسید. اصل مدارک و فرم امضاشده را به همان واحد بدهید."},
	notification.DossierReturned:    {"فرم نیازمند اصلاح است", "واحد پژوهش و فناوری پرونده را برگردانده است؛ فرم درخواست را اصلاح کنید."},
	notification.DossierLost:        {"پروندهٔ شما در راه گم شد", "پروندهٔ کاغذی درخواست شما به مقصد نرسید و گم‌شده به شمار آمد. فرستنده آن را از نو می‌سازد و می‌فرستد؛ اگر برای آن به اصل مدارک یا امضای شما نیاز باشد، واحد پژوهش و فناوری خبرتان می‌کند. درخواست شما بر جاست و اکنون لازم نیست کاری بکنید."},
	notification.IssuedInside:       {"گواهی صادر شد", "گواهی الکترونیکی شما صادر شد. توکن مهروموم از راه مرجع طرف قرارداد و واحد پژوهش و فناوری به واحد شرکت شما می‌رسد و پاکت رمز آن جداگانه."},
	notification.TokenAtUnit:        {"توکن آمادهٔ تحویل است", "توکن شما به واحد شرکت رسید. با کارت ملی یا شناسنامه برای دریافت آن مراجعه کنید؛ سپس آن را با رمز خود فعال و گواهی را بپذیرید."},
	notification.CorrectionNeeded:   {"فرم نیازمند اصلاح است", "دفتر ثبت‌نام از شما خواسته است فرم درخواست را اصلاح کنید."},
	notification.RequestRejected:    {"درخواست رد شد", "دفتر ثبت‌نام درخواست شما را رد کرد. برای آگاهی از دلیل، وضعیت درخواست را ببینید."},
	notification.CertificateIssued:  {"گواهی صادر شد", "گواهی الکترونیکی شما صادر شد. برای دریافت توکن به دفتر ثبت‌نام مراجعه کنید."},
	notification.CertificateRevoked: {"گواهی باطل شد", "گواهی الکترونیکی شما باطل شد و برگهٔ مشخصات آن اعتبار ندارد."},
	notification.CACompromised: {
		"گواهی به‌سبب افشای کلید مرکز صدور باطل شد",
		"کلید امضای مرکزی که گواهی الکترونیکی شما را صادر کرده بود ممکن است به دست دیگری افتاده باشد. ازاین‌رو همهٔ گواهی‌های آن مرکز، و گواهی شما نیز، باطل شد. این از کار شما نیست و کلید روی توکن شما افشا نشده است." +
			"\n\nدیگر با این گواهی امضا نکنید و به امضایی که از این پس با گواهی‌های آن مرکز به شما می‌رسد اعتماد نکنید. برگهٔ مشخصات آن اعتبار ندارد و دسترسی‌هایی که به آن بسته بود معلق می‌شود." +
			"\n\nبرای گواهی تازه درخواست دیگری ثبت کنید؛ آن را مرکز صدور دیگری صادر می‌کند.",
	},
	notification.ExpiryReminder:     {"مدت اعتبار گواهی رو به پایان است", "مدت اعتبار گواهی الکترونیکی شما به‌زودی پایان می‌یابد. تا پیش از آن می‌توانید تمدید آن را بخواهید؛ پس از آن باید درخواست تازه بگشایید."},
	notification.DeliveryReminder:   {"گواهی شما هنوز تحویل نشده است", "گواهی الکترونیکی شما صادر شده و هنوز تحویل نشده است. برای دریافت آن به دفتر ثبت‌نام مراجعه کنید؛ اگر تمدید است، توکن خود را همراه ببرید. اگر در مهلت تحویل نشود باطل می‌شود."},
	notification.AcceptanceReminder: {"گواهی خود را بپذیرید", "گواهی الکترونیکی شما تحویل شده و هنوز پذیرفته نشده است. اگر در مهلت پذیرفته نشود باطل می‌شود."},
	notification.AccessDefined:      {"دسترسی CPMIS", "نام کاربری شما در سامانهٔ CPMIS تعریف شد."},
}

// TitleOf is the subject line of a template's messages.
func TitleOf(t notification.Template) string { return texts[t].subject }

// NotifyIssued tells the applicant how his token comes to him; a policy asks.
func (a *App) NotifyIssued(ctx context.Context, c Caller, request event.Stream, with map[string]string) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	if h.state.Channel == enrollment.Inside {
		return a.Notify(ctx, c, notification.IssuedInside, request, 0, with)
	}
	return a.Notify(ctx, c, notification.CertificateIssued, request, 0, with)
}

// NotifyArrived tells him when it is where he can have it; a policy asks.
func (a *App) NotifyArrived(ctx context.Context, c Caller, request event.Stream, place string) error {
	at, err := load(ctx, a, office.Kind, office.Kind.Stream(place))
	if err != nil || at.state.Sort != office.CompanyUnit {
		return err
	}
	return a.Notify(ctx, c, notification.TokenAtUnit, request, 0, nil)
}
