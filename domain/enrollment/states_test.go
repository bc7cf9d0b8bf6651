package enrollment

import (
	"slices"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

// allowed says where each act leads to events, and where it was done before;
// everywhere else it is refused as out of place.
var allowed = []struct {
	name    string
	command event.Command[Enrollment]
	acts    []Status
	idle    []Status
}{
	{"Complete", completing(), []Status{StatusDraft, StatusCompleted, StatusReady, StatusNeedsCorrection}, nil},
	{"SendEmailCode", SendEmailCode{At: noon}, []Status{StatusCompleted}, []Status{StatusReady, StatusUnderControl, StatusAtResearchUnit}},
	{
		"AcceptLiability",
		AcceptLiability{"1405-1", "70e7", sara, false, noon},
		[]Status{StatusCompleted},
		append(from(StatusReady, StatusRejected), from(StatusRevoked, StatusAtCompanyUnit)...),
	},
	{"Submit", Submit{"ahvaz", noon}, []Status{StatusReady}, nil},
	{
		"Withdraw",
		Withdraw{sara, noon},
		append(from(StatusDraft, StatusConfirmed), from(StatusAtResearchUnit, StatusAtAuthority)...),
		[]Status{StatusWithdrawn},
	},
	{
		"VerifyDocuments",
		VerifyDocuments{[]Document{Passport}, nil, inquiryOf(1), omid, noon},
		[]Status{StatusAtResearchUnit, StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed},
		nil,
	},
	{
		"RequireControl",
		RequireControl(required),
		[]Status{StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed},
		nil,
	},
	{
		"RequestCorrection",
		RequestCorrection{[]string{"email"}, omid, noon},
		[]Status{StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed},
		nil,
	},
	{"Reject", Reject{NotEntitled, omid, noon}, append(from(StatusAtOffice, StatusConfirmed), StatusAtResearchUnit), []Status{StatusRejected}},
	{"ConfirmInformation", ConfirmInformation{vetted, vetted, nima, "ahvaz", "0ff1", "c2ln", noon}, []Status{StatusControlled}, []Status{StatusConfirmed}},
	{"RequestIssuance", RequestIssuance{"T-1", "4e7", []byte{0x30}, nima, "ahvaz", noon}, []Status{StatusConfirmed}, []Status{StatusAtCA}},
	{"AttemptIssuance", AttemptIssuance{Serial: "a1", Handler: "handler-1", At: noon}, []Status{StatusAtCA}, nil},
	{"PrintSheet", PrintSheet{nima, noon}, append(from(StatusIssued, StatusAccepted), StatusReadyForDispatch), nil},
	{
		"PersonaliseToken",
		PersonaliseToken{"T-1", "f1", nima, noon},
		[]Status{StatusIssued},
		append(from(StatusReadyForDelivery, StatusAccepted), from(StatusReadyForDispatch, StatusAtCompanyUnit)...),
	},
	{"Deliver", Deliver{IdentityChecked: NationalCard, By: omid, At: noon}, []Status{StatusReadyForDelivery, StatusAtCompanyUnit}, []Status{StatusDelivered}},
	{"ApproveDossier", ApproveDossier{"unit-rt", parisa, noon}, []Status{StatusAtResearchUnit}, []Status{StatusApproved}},
	{"ReturnDossier", ReturnDossier{[]string{"email"}, omid, noon}, []Status{StatusAtResearchUnit}, nil},
	{"Accept", Accept{By: sara, At: noon}, []Status{StatusDelivered}, []Status{StatusAccepted}},
}

// from lists the states between two, in the order of the story.
func from(first, last Status) []Status {
	return slices.Clone(Statuses[slices.Index(Statuses, first) : slices.Index(Statuses, last)+1])
}

func TestSamplesComeToTheirStates(t *testing.T) {
	for _, status := range Statuses {
		if s := fold(past(status)...); s.Status != status || Kind.Status(s) != string(status) {
			t.Errorf("the sample of %s came to %s", status, s.Status)
		}
		if status.Persian() == "" {
			t.Errorf("%s has no Persian name", status)
		}
	}
}

func TestEachActHasItsStates(t *testing.T) {
	for _, c := range allowed {
		t.Run(c.name, func(t *testing.T) {
			spec.Given(t, Kind).When(c.command).ThenFault(ErrNotFound)
			for _, status := range Statuses {
				story := spec.Given(t, Kind, past(status)...)
				switch {
				case slices.Contains(c.acts, status):
					acts(t, status, c.command)
				case slices.Contains(c.idle, status):
					story.When(c.command).ThenNothing()
				default:
					story.When(c.command).ThenFault(wrongState)
				}
			}
		})
	}
}

func acts(t *testing.T, status Status, command event.Command[Enrollment]) {
	t.Helper()
	events, err := command.Decide(fold(past(status)...))
	if err != nil || len(events) == 0 {
		t.Errorf("%s: %v, %v", status, events, err)
	}
}
