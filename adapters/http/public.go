package http

import (
	"context"
	"io"
	"slices"

	"govahi/adapters/web"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/office"
	"govahi/queries"
)

// publicPages are what an applicant reads before he comes, and the form that he
// brings (S1.4, S1.8, S1.16, S1.32).
func (h House) publicPages(s *Server) {
	const tag = "Pages"
	QueryRaw(s, Operation{ID: "get-form-page", Method: "GET", Path: "/requests/{code}/form.html", Tag: tag, Summary: "The request form on paper, filled in (S1.4, S1.8)", View: requestViews, Type: pageType},
		func(ctx context.Context, id Identity, in *Coded) (Raw, error) {
			data, err := h.paper(ctx, id, in.plain())
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Form(w, data) })
		})
	PublicRaw(s, Operation{ID: "get-blank-form", Method: "GET", Path: formPage, Tag: tag, Summary: "The request form on paper, empty (S1.4)", Type: pageType},
		func(context.Context, *struct{}) (Raw, error) {
			return Page(func(w io.Writer) error { return web.Form(w, h.form(enrollment.Form{}, nil)) })
		})
	PublicRaw(s, Operation{ID: "get-offices-page", Method: "GET", Path: officesPage, Tag: tag, Summary: "The offices, and the controls that each applies (S1.8, S1.32)", View: "offices", Type: pageType},
		func(ctx context.Context, _ *struct{}) (Raw, error) {
			all, err := h.Queries.Offices(ctx)
			if err != nil {
				return Raw{}, err
			}
			return Page(func(w io.Writer) error { return web.Offices(w, h.list(all)) })
		})
	PublicRaw(s, Operation{ID: "get-guide", Method: "GET", Path: guidePage, Tag: tag, Summary: "The steps of both channels (S1.2–S1.24)", Type: pageType},
		func(context.Context, *struct{}) (Raw, error) {
			data := web.GuideData{Outside: outside, Inside: inside, Notice: commands.LiabilityNotice.Text, Form: formPage, Offices: officesPage, Tariffs: tariffsPage}
			return Page(func(w io.Writer) error { return web.Guide(w, data) })
		})
}

// The steps of the channels, as the CA announces them.
var (
	outside = []string{
		"فرم درخواست را تکمیل کنید؛ اطلاعات باید درست باشد، به‌ویژه نشانی پست الکترونیک، که با کدی که به آن می‌رسد اثبات می‌شود.",
		"فرم و اصل مدارک (شناسنامه یا گذرنامه، کارت ملی، کارت شناسهٔ ملی شخص حقوقی، معرفی‌نامهٔ سازمان) را به دفتر ثبت‌نام ببرید. رونوشت گرفته نمی‌شود.",
		"هزینهٔ توکن و صدور را به نرخ مصوب بپردازید.",
		"پس از تأیید درستی اطلاعات، گواهی صادر می‌شود.",
		"توکن و برگهٔ مشخصات گواهی را از دفتر بگیرید و گواهی را بپذیرید.",
		"به واحد پژوهش و فناوری مربوط بروید تا نام کاربری و سطح دسترسی شما در CPMIS تعریف و گواهی ثبت شود.",
	}
	inside = []string{
		"فرم درخواست را تکمیل کنید؛ اطلاعات باید درست باشد، به‌ویژه نشانی پست الکترونیک.",
		"فرم و اصل مدارک را به واحد پژوهش و فناوری شرکت خود بدهید.",
		"مدارک تأییدشده از راه مرجع طرف قرارداد به دفتر ثبت‌نام می‌رسد؛ هزینه را شرکت به قرارداد می‌پردازد.",
		"مرکز صدور گواهی را صادر می‌کند.",
		"دفتر توکن مهروموم‌شده را به مبدأ درخواست برمی‌گرداند و از آنجا به واحد پژوهش و فناوری می‌رود.",
		"نام کاربری و سطح دسترسی شما در CPMIS تعریف می‌شود.",
		"واحد شرکت شما توکن را به خود شما تحویل می‌دهد؛ رمز از راه دیگری می‌آید و توکن را خود فعال می‌کنید.",
	}
)

// paper is drawn for those who may see the form.
func (h House) paper(ctx context.Context, id Identity, code string) (web.FormData, error) {
	r, err := h.dossier(ctx, id, code)
	if err != nil {
		return web.FormData{}, err
	}
	f, err := h.shownForm(ctx, r)
	if err != nil {
		return web.FormData{}, err
	}
	d := h.form(f.Form, r.Sighted)
	if f.Attorney != nil {
		d.Groups = append(d.Groups, attorneyOnPaper(*f.Attorney))
	}
	d.TrackingCode, d.Channel = r.TrackingCode, enrollment.Channel(r.Channel).Persian()
	return d, nil
}

// attorneyOnPaper is who received the token for the applicant, and by which power.
func attorneyOnPaper(a enrollment.Attorney) web.FormGroup {
	return web.FormGroup{Title: "تحویل به وکیل قانونی متقاضی", Fields: []web.FormField{
		{Label: "نام وکیل", Value: a.Name},
		{Label: "شمارهٔ وکالت‌نامه", Value: a.Power},
		{Label: "تاریخ وکالت‌نامه", Value: a.Date, Digits: true},
		{Label: "دفترخانه", Value: a.Notary},
	}}
}

// form has every field of the form, of natural persons and of foreigners, since
// nobody knows who will fill in an empty one.
func (h House) form(f enrollment.Form, sighted []string) web.FormData {
	d := web.FormData{Notice: commands.LiabilityNotice.Text, PrintedAt: h.App.Clock(), Groups: []web.FormGroup{
		{Title: "متقاضی", Fields: []web.FormField{
			{Label: "نام", Value: f.GivenName},
			{Label: "نام خانوادگی", Value: f.Surname},
			{Label: "نام، لاتین", Value: f.LatinGivenName, Code: true},
			{Label: "نام خانوادگی، لاتین", Value: f.LatinSurname, Code: true},
			{Label: "کد ملی یا کد فراگیر", Value: f.PersonCode, Digits: true},
			{Label: "شمارهٔ گذرنامه (اتباع خارجی)", Value: f.Passport, Code: true},
			{Label: "تاریخ تولد", Value: f.BirthDate, Digits: true},
			{Label: "تلفن همراه", Value: f.Mobile, Digits: true},
			{Label: "پست الکترونیک", Value: f.Email, Code: true},
			{Label: "نشانی", Value: f.Address},
			{Label: "کد پستی", Value: f.PostalCode, Digits: true},
			{Label: "استان", Value: f.Province},
			{Label: "شهر", Value: f.City},
		}},
		{Title: "سازمان", Fields: []web.FormField{
			{Label: "نام سازمان", Value: f.OrganizationName},
			{Label: "شناسهٔ ملی", Value: f.Organization, Digits: true},
			{Label: "سمت", Value: f.Post},
		}},
	}}
	foreign, affiliated := len(f.PersonCode) == 12, f.Organization != "" || f.PersonCode == ""
	for _, c := range enrollment.StandardControls(foreign, affiliated) {
		if slices.Contains(papers, enrollment.Document(c)) {
			d.Originals = append(d.Originals, web.Sight{Label: c.Persian(), Seen: slices.Contains(sighted, string(c))})
		}
	}
	d.Further = persian(enrollment.FurtherControls)
	return d
}

var papers = []enrollment.Document{
	enrollment.BirthCertificate, enrollment.Passport, enrollment.NationalCard, enrollment.LegalPersonCard, enrollment.IntroductionLetter,
}

func persian[C ~string](controls []C) []string {
	var said []string
	for _, c := range controls {
		said = append(said, enrollment.Control(c).Persian())
	}
	return said
}

// list is the offices by province, in the order of the query.
func (h House) list(all []queries.Office) web.OfficesData {
	now := h.App.Clock()
	d := web.OfficesData{At: now, Standard: persian(enrollment.StandardControls(false, true))}
	for _, o := range all {
		if n := len(d.Provinces); n == 0 || d.Provinces[n-1].Name != o.Province {
			d.Provinces = append(d.Provinces, web.Province{Name: o.Province})
		}
		until := moment(o.Until)
		last := &d.Provinces[len(d.Provinces)-1]
		last.Offices = append(last.Offices, web.Office{
			Code: o.Code, Name: o.Name, Sort: sorts[office.Sort(o.Sort)], City: o.City, Until: until, Licensed: now.Before(until),
			Controls: persian(o.Controls), Announcement: value(o.Announcement),
		})
	}
	return d
}

var sorts = map[office.Sort]string{
	office.Registration: "دفتر ثبت‌نام", office.Research: "واحد پژوهش و فناوری",
	office.Authority: "مرجع طرف قرارداد", office.CompanyUnit: "واحد شرکت",
}
