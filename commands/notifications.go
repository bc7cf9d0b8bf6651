package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/notification"
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

// SendNotification hands a due message to the mail server. The cause is
// recorded before, the success after: a crash in between sends the same ID
// again.
func (a *App) SendNotification(ctx context.Context, c Caller, m Mailer, id string) error {
	stream := notification.Kind.Stream(id)
	h, err := load(ctx, a, notification.Kind, stream)
	if err != nil || h.state.Requested.ID == "" || h.state.Over || !h.state.IsDue(a.Clock()) {
		return err
	}
	outcome, err := a.send(ctx, m, h.state.Requested)
	if err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s@%d", id, len(h.records))
	as := a.do(c, "SendNotification", "policy", h.state.Requested.Request.ID())
	_, err = transact(ctx, a, notification.Kind, stream, as, just(outcome))
	return err
}

// send tells what became of the message. An address that was erased since is no
// reason to try again.
func (a *App) send(ctx context.Context, m Mailer, r notification.Requested) (event.Command[notification.Notification], error) {
	if cause, err := a.pointless(ctx, r); err != nil || cause != "" {
		return notification.GiveUp{Cause: cause, At: a.Clock()}, err
	}
	mail, err := a.mail(ctx, r)
	switch {
	case errors.Is(err, event.ErrErased):
		return notification.GiveUp{Cause: event.ErrErased.Code, At: a.Clock()}, nil
	case err != nil:
		return nil, err
	}
	err = m.Send(ctx, mail)
	switch {
	case errors.Is(err, ErrAddressFull):
		return notification.GiveUp{Cause: "address-limit", At: a.Clock()}, nil
	case err != nil:
		return notification.Postpone{Cause: "mail-server", At: a.Clock()}, nil //nolint:nilerror // the cause is recorded
	}
	return notification.NoteSent{At: a.Clock()}, nil
}

// pointless says why a code need not be sent any more: one that came after it
// is the right one, or its time is over.
func (a *App) pointless(ctx context.Context, r notification.Requested) (cause string, err error) {
	if r.Template != notification.EmailCode {
		return "", nil
	}
	h, err := load(ctx, a, enrollment.Kind, r.Request)
	email := h.state.Email
	if err == nil && (email.Confirmed || email.Sent.Round != r.Round || a.Clock().After(email.Sent.ExpiresAt)) {
		cause = "code-no-longer-counts"
	}
	return cause, err
}

// mail writes the message.
func (a *App) mail(ctx context.Context, r notification.Requested) (Mail, error) {
	m, err := r.Message.Open(ctx, a.Keeper)
	if err != nil {
		return Mail{}, err
	}
	code := iran.PersianDigits(iran.GroupTrackingCode(r.Request.ID()))
	text := texts[r.Template]
	body := "با سلام " + m.Name + "\n\n" + text.body
	if r.Template == notification.EmailCode {
		body += "\n\n" + iran.PersianDigits(a.EmailCode(r.Request, r.Round)) + "\n\nاین کد را به هیچ‌کس ندهید."
	}
	if serial := m.With["serial"]; serial != "" {
		body += "\n\nشماره سریال گواهی: " + serial
	}
	body += "\n\nکد رهگیری: " + code + "\n"
	return Mail{ID: r.ID, To: m.Email, Subject: text.subject, Body: body, Proof: r.Template == notification.EmailCode}, nil
}

var texts = map[notification.Template]struct{ subject, body string }{
	notification.EmailCode:          {"کد تأیید پست الکترونیک", "کد تأیید نشانی پست الکترونیک شما (تا ده دقیقه معتبر است):"},
	notification.RequestSubmitted:   {"درخواست شما ثبت شد", "درخواست گواهی شما به دفتر ثبت‌نام رسید. با اصل مدارک به دفتر مراجعه کنید."},
	notification.CorrectionNeeded:   {"فرم نیازمند اصلاح است", "دفتر ثبت‌نام از شما خواسته است فرم درخواست را اصلاح کنید."},
	notification.RequestRejected:    {"درخواست رد شد", "دفتر ثبت‌نام درخواست شما را رد کرد. برای آگاهی از دلیل، وضعیت درخواست را ببینید."},
	notification.CertificateIssued:  {"گواهی صادر شد", "گواهی الکترونیکی شما صادر شد. برای دریافت توکن به دفتر ثبت‌نام مراجعه کنید."},
	notification.CertificateRevoked: {"گواهی باطل شد", "گواهی الکترونیکی شما باطل شد و برگهٔ مشخصات آن اعتبار ندارد."},
	notification.AccessDefined:      {"دسترسی CPMIS", "نام کاربری شما در سامانهٔ CPMIS تعریف شد."},
}

// Due lists what waits for the world outside.
type Due interface {
	// DueInquiries are the numbers of inquiries whose time has come.
	DueInquiries(ctx context.Context, now time.Time, limit int) ([]string, error)
	// DueNotifications are the IDs of messages whose time has come.
	DueNotifications(ctx context.Context, now time.Time, limit int) ([]string, error)
}
