package commands

import (
	"context"
	"regexp"
	"strings"

	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/token"
)

var tokenSerial = regexp.MustCompile(`^[0-9A-Za-z]{4,32}$`)

var tokenModel = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z ._-]{0,63}$`)

var errTokenModel = fault.New(fault.Invalid, "token-model-invalid",
	"نام مدل را با حروف لاتین و رقم بنویسید.", "Write the model in Latin letters and digits.").At("model")

var errTokenSerial = fault.New(fault.Invalid, "token-serial-invalid",
	"شماره سریال توکن ۴ تا ۳۲ حرف لاتین و رقم است.",
	"A token's serial is 4 to 32 Latin letters and digits.").At("serial")

// ReceiveToken adds a blank token to an office's stock.
type ReceiveToken struct {
	Serial string `json:"serial" maxLength:"32"`
	Model  string `json:"model" maxLength:"64"`
	Office string `json:"office" maxLength:"40"`
}

// ReceiveToken is done by an officer of that office. A token is received once, in
// whichever case the letters of its serial are typed.
func (a *App) ReceiveToken(ctx context.Context, c Caller, in ReceiveToken) (Receipt, error) {
	if !tokenSerial.MatchString(in.Serial) {
		return Receipt{}, errTokenSerial
	}
	if !tokenModel.MatchString(in.Model) {
		return Receipt{}, errTokenModel
	}
	authority, err := a.must(ctx, c, appointment.RegistrationOfficer, in.Office)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReceiveToken", authority, in.Serial)
	receive := token.Receive{Serial: in.Serial, Model: in.Model, Office: in.Office, By: c.Person, At: as.at}
	return transact(ctx, a, token.Kind, token.Kind.Stream(in.Serial), as, func(h history[token.Token]) ([]event.Event, error) {
		for _, spelled := range []string{strings.ToLower(in.Serial), strings.ToUpper(in.Serial)} {
			if spelled == in.Serial {
				continue
			}
			other, err := load(ctx, a, token.Kind, token.Kind.Stream(spelled))
			if err != nil {
				return nil, err
			}
			if other.state.Status != token.None {
				return nil, token.Kind.Life.Refuse(token.ErrKnown, string(other.state.Status))
			}
		}
		return receive.Decide(h.state)
	})
}

// ReserveToken keeps a blank token of the office's stock for a confirmed
// request; its key is born there next.
func (a *App) ReserveToken(ctx context.Context, c Caller, code, serial string) (Receipt, error) {
	if !tokenSerial.MatchString(serial) {
		return Receipt{}, errTokenSerial.At("token")
	}
	request := enrollment.Kind.Stream(code)
	h, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReserveToken", authority, code)
	reserve := token.Reserve{Request: request, Office: h.state.Office, By: c.Person, At: as.at}
	return transact(ctx, a, token.Kind, token.Kind.Stream(serial), as, func(t history[token.Token]) (events []event.Event, err error) {
		if h.state.OnOwnToken() {
			return nil, enrollment.ErrOwnToken
		}
		if h.state.Status != enrollment.StatusConfirmed { // not asked of a repetition: the request moved on since
			return nil, enrollment.WrongState(h.state, enrollment.StatusConfirmed)
		}
		if reserve.Free, err = a.leftFree(ctx, t.state); err != nil {
			return nil, err
		}
		return reserve.Decide(t.state)
	})
}

// leftFree tells whether a token is still blank and kept for a request that is over,
// or has its certificate on another one: then it is as good as stock.
func (a *App) leftFree(ctx context.Context, t token.Token) (bool, error) {
	if t.Status != token.StatusReserved {
		return false, nil
	}
	h, err := load(ctx, a, enrollment.Kind, t.Request)
	done := h.state.Status.Over() || h.state.Serial != ""
	return done && h.state.Issuance.Token != t.Serial, err
}

// FollowToken keeps the token's own stream in step with its request; a policy
// asks.
func (a *App) FollowToken(ctx context.Context, c Caller, request event.Stream, by event.Subject, delivered bool) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	as := a.do(c, "FollowToken", "policy", request.ID())
	var command event.Command[token.Token] = token.Personalise{
		Request: request, Certificate: h.state.Serial, By: by, At: as.at,
	}
	switch {
	case h.state.OnOwnToken():
		command = token.Renew{Former: h.state.Renewal.Request, Request: request, Certificate: h.state.Serial, By: by, At: as.at}
	case delivered:
		command = token.Deliver{Request: request, To: h.state.Form.Person, By: by, At: as.at}
	}
	stream := token.Kind.Stream(h.state.Issuance.Token)
	_, err = transact(ctx, a, token.Kind, stream, as, just(command))
	return err
}
