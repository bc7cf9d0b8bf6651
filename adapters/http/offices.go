package http

import (
	"cmp"
	"context"
	"slices"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/queries"
)

// offices is how the house is ordered: offices, appointments, tariffs, stock.
func (h House) offices(s *Server) {
	const tag = "Administration"
	Command(s, Operation{ID: "open-office", Method: "POST", Path: "/offices", Tag: tag, Status: 201, Summary: "Open a registration office or a research and technology unit"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.OpenOffice }) (commands.Receipt, Nothing, error) {
			return done(h.App.OpenOffice(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "license-office", Method: "POST", Path: "/offices/{office}/licence", Tag: tag, Summary: "License a registration office, or record the contract with an authority, for three years at most (domain §4.1)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Office string `path:"office" maxLength:"40"`
			Body   commands.LicenseOffice
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.LicenseOffice(ctx, c, in.Office, in.Body))
		})
	Command(s, Operation{ID: "announce-controls", Method: "POST", Path: "/offices/{office}/controls", Tag: tag, Summary: "Announce to the public which controls this office applies, beside those of every office (S1.32)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Office string `path:"office" maxLength:"40"`
			Body   commands.AnnounceControls
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.AnnounceControls(ctx, c, in.Office, in.Body))
		})
	Command(s, Operation{ID: "appoint", Method: "POST", Path: "/appointments", Tag: tag, Status: 201, Summary: "Appoint a person to a role; it counts at once"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.Appoint }) (commands.Receipt, Nothing, error) {
			return done(h.App.Appoint(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "dismiss", Method: "POST", Path: "/dismissals", Tag: tag, Status: 201, Summary: "Dismiss a person from a role; it counts at once"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.Dismiss }) (commands.Receipt, Nothing, error) {
			return done(h.App.Dismiss(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "publish-tariff", Method: "POST", Path: "/tariffs", Tag: tag, Status: 201, Summary: "Publish a version of the approved tariff (S1.9)"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.PublishTariff }) (commands.Receipt, Nothing, error) {
			return done(h.App.PublishTariff(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "receive-token", Method: "POST", Path: "/tokens", Tag: tag, Status: 201, Summary: "Add a blank token to an office's stock"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.ReceiveToken }) (commands.Receipt, Nothing, error) {
			return done(h.App.ReceiveToken(ctx, c, in.Body))
		})
	Command(s, Operation{ID: "erase-subject", Method: "POST", Path: "/erasures", Tag: tag, Status: 201, Summary: "Destroy a person's key, and with it his data everywhere"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Body struct {
				PersonCode string `json:"personCode" maxLength:"40"`
				LegalBasis string `json:"legalBasis" enum:"subject-request,retention-ended,court-order"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.EraseSubject(ctx, c, in.Body.PersonCode, in.Body.LegalBasis))
		})
	h.officeQueries(s)
}

func (h House) officeQueries(s *Server) {
	const tag = "Offices and tariff"
	Public(s, Operation{ID: "list-offices", Method: "GET", Path: "/offices", Tag: tag, Summary: "Registration offices and units (S1.8)", View: "offices"},
		func(ctx context.Context, _ *struct{}) ([]queries.Office, error) { return h.Queries.Offices(ctx) })
	Public(s, Operation{ID: "list-tariffs", Method: "GET", Path: "/tariffs", Tag: tag, Summary: "The approved tariff, all versions (S1.9)", View: "offices"},
		func(ctx context.Context, _ *struct{}) ([]queries.Tariff, error) { return h.Queries.Tariffs(ctx) })
	Query(s, Operation{ID: "list-office-tokens", Method: "GET", Path: "/offices/{office}/tokens", Tag: tag, Summary: "An office's tokens", View: "tokens"},
		func(ctx context.Context, id Identity, in *struct {
			Office string `path:"office" maxLength:"40"`
		},
		) ([]queries.Token, error) {
			if err := h.may(ctx, id, append(officersOf(in.Office), appointment.Post{Role: appointment.Administrator})...); err != nil { // who sees their alarms
				return nil, err
			}
			return h.Queries.Tokens(ctx, in.Office)
		})
	Query(s, Operation{ID: "list-appointments", Method: "GET", Path: "/appointments", Tag: "Administration", Summary: "Who was appointed to what, by pseudonym", View: "appointments"},
		func(ctx context.Context, id Identity, in *struct {
			Office string `query:"office" maxLength:"40" doc:"Only posts at this office or unit"`
		},
		) ([]queries.Appointment, error) {
			if err := h.may(ctx, id, appointers...); err != nil {
				return nil, err
			}
			return h.Queries.Appointments(ctx, in.Office, h.App.Clock())
		})
	Query(s, Operation{ID: "find-appointments", Method: "POST", Path: "/appointments/search", Tag: "Administration", Summary: "What a person of this national code holds, and his pseudonym in the list"},
		func(ctx context.Context, id Identity, in *struct {
			Body struct {
				PersonCode string `json:"personCode" maxLength:"40"`
			}
		},
		) (Me, error) {
			if err := h.may(ctx, id, appointment.Post{Role: appointment.Administrator}); err != nil {
				return Me{}, err
			}
			person, held, err := h.App.PostsOf(ctx, in.Body.PersonCode)
			return holding(person, held), err
		})
	Query(s, Operation{ID: "list-my-posts", Method: "GET", Path: "/me", Tag: tag, Summary: "Who I am here, and what I may do"},
		func(ctx context.Context, id Identity, _ *struct{}) (Me, error) {
			held, err := h.App.Posts(ctx, commands.Caller{Person: id.Person})
			return holding(id.Person, held), err
		})
}

// appointers are those who appoint, and those who look after them.
var appointers = []appointment.Post{
	{Role: appointment.Administrator}, {Role: appointment.Manager}, {Role: appointment.Auditor},
}

func holding(person event.Subject, held appointment.Appointments) Me {
	me := Me{Person: string(person), Posts: []MyPost{}}
	for p, until := range held {
		me.Posts = append(me.Posts, MyPost{string(p.Role), p.Place, until.UTC().Format("2006-01-02T15:04:05Z")})
	}
	slices.SortFunc(me.Posts, func(a, b MyPost) int { return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Place, b.Place)) })
	return me
}

// Me is who a person is here.
type Me struct {
	Person string   `json:"person" doc:"Pseudonym"`
	Posts  []MyPost `json:"posts"`
}

// MyPost is an appointment in force.
type MyPost struct {
	Role  string `json:"role"`
	Place string `json:"place,omitempty"`
	Until string `json:"until"`
}
