package projections

// All lists the read views of the house.
func All() []Projection {
	return []Projection{
		Requests, Certificates, Accesses, Cases, Inquiries, Notifications, Tokens, Offices, CRLs, Appointments, Credentials, Consignments, Payments, Audits,
	}
}
