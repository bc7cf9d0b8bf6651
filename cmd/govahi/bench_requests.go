package main

import (
	"context"
	"fmt"
	"time"

	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// makeReady is what the applicant did until then, in one append.
func makeReady(ctx context.Context, app *commands.App, code string, person event.Subject, organization string) (event.Position, error) {
	at := now()
	f := personalForm()
	f.Organization = organization
	return recordRequest(ctx, app, code, person, enrollment.StatusReady,
		opened(code, person, at),
		enrollment.FormCompleted{
			Version: 1, Person: person, Organization: organization, Province: f.Province,
			EnteredBy: person, Entry: enrollment.ByApplicant, Form: event.About(person, f), At: at,
		},
		enrollment.EmailConfirmed{FormVersion: 1, At: at},
		enrollment.LiabilityAccepted{
			FormVersion: 1, NoticeVersion: commands.LiabilityNotice.Version, TextHash: commands.LiabilityNotice.Hash(), By: person, At: at,
		})
}

// openRequest is one event.
func openRequest(ctx context.Context, app *commands.App, code string, person event.Subject) (event.Position, error) {
	return recordRequest(ctx, app, code, person, enrollment.StatusDraft, opened(code, person, now()))
}

func opened(code string, person event.Subject, at time.Time) enrollment.Opened {
	return enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: person, At: at}
}

// recordRequest appends what began a request.
func recordRequest(ctx context.Context, app *commands.App, code string, person event.Subject, status enrollment.Status, events ...event.Event) (event.Position, error) {
	stream := enrollment.Kind.Stream(code)
	meta := event.Meta{
		CommandID: string(person) + "/bench-" + code + "/Prepare", Actor: string(person), Authority: "applicant", At: now(),
		Correlation: code, Causation: code, Status: string(status),
	}
	proposed, err := enrollment.Kind.Encode(ctx, app.Keeper, stream, meta, events)
	if err != nil {
		return 0, err
	}
	r, err := app.Log.Append(ctx, stream, event.NoStream, proposed...)
	return r.Position, err
}

// personalForm is the sample applicant's form as it is stored. Nothing in it is
// real.
func personalForm() enrollment.Form {
	code := ""
	for _, p := range sso.Personas() {
		if p.Name == "applicant" {
			code = p.NationalCode
		}
	}
	return enrollment.Form{
		GivenName: "متقاضی", Surname: "نمونه‌پور", LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: code, BirthDate: "1360/01/01", Mobile: "09120000000", Email: "nemune@example.ir",
		Address: "تهران، خیابان نمونه، پلاک ۰", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونهٔ آزمایشی", Organization: "10999001013", Post: "کارشناس پژوهش",
	}
}

// companyID is the k-th synthetic company ID with a right check digit (domain
// §3.2).
func companyID(k int) string {
	digits := fmt.Sprintf("1099%06d", k+1)
	z := [5]int{29, 27, 23, 19, 17}
	sum := 0
	for i, c := range digits {
		sum += (int(c-'0') + int(digits[9]-'0') + 2) * z[i%5]
	}
	return fmt.Sprintf("%s%d", digits, sum%11%10)
}
