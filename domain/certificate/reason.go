package certificate

import "slices"

// Reason is a CRLReason by its name in RFC 5280 §5.3.1.
type Reason string

// The reasons that Govahi gives (domain §4.4).
const (
	KeyCompromise        Reason = "keyCompromise"
	AffiliationChanged   Reason = "affiliationChanged"
	Superseded           Reason = "superseded"
	CessationOfOperation Reason = "cessationOfOperation"
	PrivilegeWithdrawn   Reason = "privilegeWithdrawn" // false information, S1.6

	// CertificateHold is a suspension's, and no reason of a revocation.
	CertificateHold Reason = "certificateHold"
)

// Reasons lists them, for validation and menus.
var Reasons = []Reason{KeyCompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn}

var codes = map[Reason]int{
	KeyCompromise: 1, AffiliationChanged: 3, Superseded: 4, CessationOfOperation: 5, PrivilegeWithdrawn: 9,
	CertificateHold: 6,
}

// Code is the enumerated value of RFC 5280 §5.3.1.
func (r Reason) Code() int { return codes[r] }

// Known tells whether the reason is one of ours.
func (r Reason) Known() bool { return slices.Contains(Reasons, r) }

var persianReason = map[Reason]string{
	KeyCompromise: "افشای کلید خصوصی", AffiliationChanged: "تغییر وابستگی سازمانی", Superseded: "جایگزینی",
	CessationOfOperation: "پایان فعالیت", PrivilegeWithdrawn: "نادرستی اطلاعات",
	CertificateHold: "تعلیق",
}

// Persian is the reason's name on screen.
func (r Reason) Persian() string { return persianReason[r] }
