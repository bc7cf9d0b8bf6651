package office

import (
	"testing"

	"govahi/domain/event/spec"
)

func TestAnOfficeAnnouncesItsControls(t *testing.T) {
	said := AnnounceControls{[]string{"telephone"}, "شنبه تا چهارشنبه", "p-officer", noon}
	spec.Given(t, Kind).When(said).ThenFault(ErrNotFound)
	spec.Given(t, Kind, ahvaz).When(said).Then(ControlsAnnounced(said))
	spec.Given(t, Kind, ahvaz, ControlsAnnounced(said)).When(said).ThenNothing()
	silent := AnnounceControls{[]string{}, "", "p-officer", noon}
	spec.Given(t, Kind, ahvaz).When(silent).Then(ControlsAnnounced(silent))
	spec.Given(t, Kind, ahvaz, ControlsAnnounced(said)).When(silent).Then(ControlsAnnounced(silent))
}

func TestWhoControlsNothingAnnouncesNothing(t *testing.T) {
	for _, sort := range []Sort{Authority, CompanyUnit} {
		o := ahvaz
		o.Sort = sort
		spec.Given(t, Kind, o).When(AnnounceControls{Controls: []string{}, By: "p", At: noon}).ThenFault(ErrNoControls)
	}
}
