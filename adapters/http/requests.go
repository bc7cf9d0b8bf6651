package http

import (
	"context"
	"errors"
	"slices"

	"govahi/adapters/limits"
	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/queries"
)

// TrackingCode answers whoever opened something: the code, at once
// (invariant 19).
type TrackingCode struct {
	TrackingCode string `json:"trackingCode" doc:"12 digits, Damm check digit"`
}

func (h House) requests(s *Server) {
	const tag = "Requests"
	Command(s, Operation{ID: "open-request", Method: "POST", Path: "/requests", Tag: tag, Status: 201, Summary: "Open a request for a certificate (S1.3)"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.OpenRequest }) (commands.Receipt, TrackingCode, error) {
			r, err := h.App.OpenRequest(ctx, c, in.Body)
			return r, TrackingCode{r.Stream.ID()}, err
		})
	Command(s, Operation{ID: "complete-form", Method: "POST", Path: "/requests/{code}/form", Tag: tag, Summary: "Fill in or correct the form (S1.4)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.FormInput
		},
		) (commands.Receipt, Warned, error) {
			r, err := h.App.CompleteForm(ctx, c, in.plain(), in.Body)
			return r, warned(ctx, in.Body.Warnings()), err
		})
	Command(s, Operation{ID: "send-email-code", Method: "POST", Path: "/requests/{code}/email-code", Tag: tag, Limit: Letters, Summary: "Send another code to the form's address (S1.29)"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.SendEmailCode(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "confirm-email", Method: "POST", Path: "/requests/{code}/email-confirmation", Tag: tag, Limit: Guesses, Summary: "Prove the address by the code sent there (S1.5)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Code string `json:"code" maxLength:"20" doc:"Five digits"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.ConfirmEmail(ctx, c, in.plain(), in.Body.Code))
		})
	Command(s, Operation{ID: "accept-liability", Method: "POST", Path: "/requests/{code}/liability", Tag: tag, Summary: "Accept the liability notice (S1.7)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Version  string `json:"version" maxLength:"20"`
				TextHash string `json:"textHash" maxLength:"64" doc:"SHA-256 of the text, hexadecimal"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.AcceptLiability(ctx, c, in.plain(), in.Body.Version, in.Body.TextHash))
		})
	Command(s, Operation{ID: "submit-request", Method: "POST", Path: "/requests/{code}/submission", Tag: tag, Summary: "Submit the request to a registration office, or to the unit of one's company (S1.8, S1.18)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Office string `json:"office,omitempty" required:"false" maxLength:"40" doc:"Outside channel: code of the registration office"`
				Unit   string `json:"unit,omitempty" required:"false" maxLength:"40" doc:"Inside channel: code of the research and technology unit of one's company"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			switch {
			case (in.Body.Office == "") == (in.Body.Unit == ""):
				return done(commands.Receipt{}, errOnePlace)
			case in.Body.Unit != "":
				return done(h.App.SubmitToUnit(ctx, c, in.plain(), in.Body.Unit))
			}
			return done(h.App.SubmitRequest(ctx, c, in.plain(), in.Body.Office))
		})
	Command(s, Operation{ID: "withdraw-request", Method: "POST", Path: "/requests/{code}/withdrawal", Tag: tag, Summary: "Withdraw the request"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.Withdraw(ctx, c, in.plain()))
		})
	h.requestQueries(s)
}

// Warned is an answer that says what was accepted though it looks wrong.
type Warned struct {
	Warnings []FieldProblem `json:"warnings,omitempty" doc:"Accepted, yet worth comparing once more"`
}

func warned(ctx context.Context, about []*fault.Fault) Warned {
	var w Warned
	for _, f := range about {
		w.Warnings = append(w.Warnings, shapeOf(ctx).warning(f))
	}
	return w
}

var errOnePlace = fault.New(fault.Invalid, "one-place-needed",
	"یا دفتر ثبت‌نام را بنویسید (مسیر خارج از صنعت) یا واحد پژوهش و فناوری شرکت خود را (مسیر داخل).",
	"Name either the registration office (outside channel) or the research unit of your company (inside channel).").At("office")

// done is a command's answer without a body.
func done(r commands.Receipt, err error) (commands.Receipt, Nothing, error) { return r, Nothing{}, err }

func (h House) requestQueries(s *Server) {
	const tag = "Requests"
	// Before requests by their code: Fiber takes the first route that fits.
	Watch(s, Operation{ID: "list-my-requests", Method: "GET", Path: "/requests", Tag: tag, Summary: "My own requests", View: requestViews},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Request, error) {
			return h.Queries.OfPerson(ctx, id.Person)
		}, nil)
	Watch(s, Operation{ID: "get-request", Method: "GET", Path: "/requests/{code}", Tag: tag, Summary: "One request, where it stands, who has it and what comes next", View: requestViews},
		func(ctx context.Context, _ Identity, in *Coded) (Progress, error) {
			return h.progress(ctx, in.plain())
		},
		func(ctx context.Context, id Identity, _ *Coded, told func() (Progress, error)) error {
			p, err := told()
			return h.sees(ctx, id, p.Request, err)
		})
	Query(s, Operation{ID: "get-form", Method: "GET", Path: "/requests/{code}/form", Tag: tag, Summary: "The form of a request, for its applicant and its office", View: requestViews},
		func(ctx context.Context, id Identity, in *Coded) (FormShown, error) {
			r, err := h.dossier(ctx, id, in.plain())
			if err != nil {
				return FormShown{}, err
			}
			return h.shownForm(ctx, r)
		})
	Public(s, Operation{ID: "track-request", Method: "POST", Path: "/tracking", Tag: tag, Limit: Lookups, Summary: "Where a request stands, by code and second factor", View: requestViews},
		func(ctx context.Context, in *struct {
			Body struct {
				TrackingCode string `json:"trackingCode" maxLength:"30"`
				LastFour     string `json:"lastFour" maxLength:"10" doc:"Last four digits of the mobile"`
			}
		},
		) (queries.Tracking, error) {
			return h.track(ctx, s.Limits.Tracked, in.Body.TrackingCode, in.Body.LastFour)
		})
	Public(s, Operation{ID: "get-liability-notice", Method: "GET", Path: "/liability-notice", Tag: tag, Summary: "The liability notice in force (S1.7, S1.25)"},
		func(context.Context, *struct{}) (LiabilityNotice, error) {
			n := commands.LiabilityNotice
			return LiabilityNotice{n.Version, n.Hash(), n.Text}, nil
		})
}

// FormShown is what of a request only its applicant and its office see.
type FormShown struct {
	enrollment.Form
	Attorney *enrollment.Attorney `json:"attorney,omitempty" doc:"Who received the token for the applicant, by a notarised power"`
}

func (h House) shownForm(ctx context.Context, r queries.Request) (FormShown, error) {
	f, err := h.Queries.Form(ctx, r)
	if err != nil {
		return FormShown{}, err
	}
	a, err := h.Queries.AttorneyOf(ctx, r)
	return FormShown{f, a}, err
}

// errUntracked is told for an unknown code and for wrong digits alike.
var errUntracked = fault.New(fault.NotFound, enrollment.ErrNotFound.Code,
	"درخواستی با این کد رهگیری و این چهار رقم نیست؛ هر دو را بازبینی کنید.",
	"There is no request with this tracking code and these four digits; check both.")

// track is the one way to ask without a token; code and digits as typed. Each
// code has tries of its own, from wherever they come.
func (h House) track(ctx context.Context, tries *limits.Tries, typed, lastFour string) (queries.Tracking, error) {
	code := Coded{typed}.plain()
	if code == noCode { // a slip of the pen: nobody's tries
		return queries.Tracking{}, errUntracked
	}
	if err := tried(tries, code); err != nil {
		return queries.Tracking{}, err
	}
	found, err := h.Queries.Track(ctx, code, lastFour)
	if errors.Is(err, enrollment.ErrNotFound) {
		return found, errUntracked
	}
	tries.Forgive(code)
	return found, err
}

// LiabilityNotice is the text to accept, by version and hash.
type LiabilityNotice struct {
	Version  string `json:"version"`
	TextHash string `json:"textHash"`
	Text     string `json:"text"`
}

// sees lets those know of a request who may see that it is there: its applicant,
// the officers of its office, and overseers. Others learn that it does not
// exist; their posts are read for one that does not exist, too, so that the time
// does not tell one from the other.
func (h House) sees(ctx context.Context, id Identity, r queries.Request, err error) error {
	switch {
	case err == nil && own(r, id):
		return nil
	case err != nil && !errors.Is(err, enrollment.ErrNotFound):
		return err
	}
	seen := h.may(ctx, id, slices.Concat(officersOn(r), carriersOf(r), overseers)...)
	if seen != nil {
		return hidden(seen, enrollment.ErrNotFound)
	}
	return err
}

// dossier is a request for those who may see its form: not for overseers.
func (h House) dossier(ctx context.Context, id Identity, code string) (queries.Request, error) {
	r, err := h.Queries.Request(ctx, code)
	if err = h.sees(ctx, id, r, err); err == nil && !own(r, id) {
		err = sealed(h.may(ctx, id, officersOn(r)...))
	}
	return r, err
}

func own(r queries.Request, id Identity) bool {
	return value(r.Person) == string(id.Person) || (r.Counter == nil && event.Subject(r.OpenedBy) == id.Person)
}

// officersOn are those of the offices that have or opened a request.
func officersOn(r queries.Request) (posts []appointment.Post) {
	for _, place := range []string{value(r.Office), value(r.Counter)} {
		if place != "" {
			posts = append(posts, appointment.Post{Role: appointment.RegistrationOfficer, Place: place})
		}
	}
	if r.Unit != nil {
		posts = append(posts, appointment.Post{Role: appointment.ResearchOfficer, Place: *r.Unit})
	}
	return posts
}

// carriersOf are those who have a part in the way of papers and token, and see no
// form.
func carriersOf(r queries.Request) (posts []appointment.Post) {
	for _, place := range []*string{r.Dossier, r.DossierTo, r.Origin} {
		if place != nil {
			posts = append(posts, appointment.Post{Role: appointment.AuthorityOfficer, Place: *place})
		}
	}
	if r.TokenAt != nil {
		posts = append(posts, appointment.Post{Role: appointment.UnitOfficer, Place: *r.TokenAt})
	}
	return posts
}
