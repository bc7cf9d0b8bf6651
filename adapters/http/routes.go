package http

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/queries"
)

// House is what the routes lead to.
type House struct {
	App         *commands.App
	Queries     *queries.Queries
	Authorities []*pki.Authority // every issuer, the first first
	Responder   pki.Responders
	Standings   *commands.Standings // counts the certificates of issuers; nil if nobody does
	Development bool                // invented people only
	Base        string              // public http URL of this door, without a slash at the end
}

// Declare declares every operation of the house.
func Declare(s *Server, h House) {
	h.requests(s)
	h.messages(s)
	h.desk(s)
	h.issuance(s)
	h.certificates(s)
	h.cases(s)
	h.accesses(s)
	h.payments(s)
	h.offices(s)
	h.credentials(s)
	h.inside(s)
	h.issuers(s)
	h.management(s)
	h.calendar(s)
	h.inquiries(s)
	h.repository(s)
	h.pages(s)
	h.offer(s)
}

// offer lists in the document what this house certifies: what else is asked for
// is refused by its form.
func (h House) offer(s *Server) {
	var products []any
	for _, p := range h.App.Authority.Profiles().Products() {
		products = append(products, p)
	}
	for body, field := range map[string]string{"OpenRequest": "certificateType", "PublishTariff": "product"} {
		property := s.api.OpenAPI().Components.Schemas.Map()[body].Properties[field]
		property.Enum = products
		property.PrecomputeMessages()
	}
}

// What is computed from several views waits for all of them.
const (
	requestViews    = "requests certificates accesses inquiries"
	managementViews = requestViews + " cases audits"
)

// may refuses a reader who holds none of the posts.
func (h House) may(ctx context.Context, id Identity, posts ...appointment.Post) error {
	held, err := h.App.Posts(ctx, commands.Caller{Person: id.Person})
	if err != nil {
		return err
	}
	for _, p := range posts {
		if held.Holds(p.Role, p.Place, h.App.Clock()) {
			return nil
		}
	}
	return notAppointed(posts)
}

func notAppointed(posts []appointment.Post) error {
	var roles []appointment.Role
	for _, p := range posts {
		if !slices.Contains(roles, p.Role) {
			roles = append(roles, p.Role)
		}
	}
	return commands.NotAppointed(roles...)
}

// errSealed refuses overseers, who may see that there is a request or a
// certificate and how it stands.
var errSealed = fault.New(fault.Forbidden, "sealed-for-others",
	"این بخش دادهٔ شخصی است و تنها متقاضی و مأموران دفتری که درخواست نزد آن است آن را می\u200cبینند.",
	"This part is personal data; only the applicant and the officers of the office that has the request see it.")

// sealed tells who may see a thing but not its inside that he may not.
func sealed(err error) error {
	if errors.Is(err, commands.ErrForbidden) {
		return errSealed
	}
	return err
}

// hidden tells who may not see a thing that there is none; where it is not known
// whether he may, he is told that.
func hidden(err error, none *fault.Fault) error {
	if errors.Is(err, commands.ErrForbidden) {
		return none
	}
	return err
}

// overseers may look at everything that is not sealed for others.
var overseers = func() (posts []appointment.Post) {
	for _, role := range appointment.Overseers {
		posts = append(posts, appointment.Post{Role: role})
	}
	return posts
}()

// Coded is a path with a tracking code.
type Coded struct {
	Code string `path:"code" maxLength:"200" doc:"Tracking code, 12 digits; spaces, dashes and Persian digits are understood"`
}

// plain is the stored form of the code; one that cannot exist stays as it is
// and is not found.
func (c Coded) plain() string {
	text, err := url.PathUnescape(c.Code)
	if err != nil {
		return noCode
	}
	if code, err := iran.ParseTrackingCode(text); err == nil {
		return code
	}
	return noCode
}

const noCode = "none"

// value is a column that may be null.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}
