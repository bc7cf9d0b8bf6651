package consignment

import (
	"testing"

	"govahi/domain/event/spec"
)

var (
	taken    = PackingTaken{Consignment: "050000000018", At: noon}
	released = PackingReleased{Consignment: "050000000018", At: noon}
	other    = PackingTaken{Consignment: "050000000026", At: noon}
	instead  = PackingTaken{Consignment: "050000000026", Instead: "050000000018", At: noon}
)

func TestADossierIsInOneConsignmentAtATime(t *testing.T) {
	spec.Given(t, Packing).When(TakePacking(taken)).Then(taken)
	spec.Given(t, Packing).When(TakePacking(instead)).Then(other) // it was let go of meanwhile
	spec.Given(t, Packing, taken).When(TakePacking(taken)).ThenNothing()
	spec.Given(t, Packing, taken).When(TakePacking(other)).ThenFault(ErrPacked(""))
	spec.Given(t, Packing, taken).When(TakePacking(instead)).Then(instead)
	spec.Given(t, Packing, taken, instead).When(TakePacking(taken)).ThenNothing() // its own stream says that it was called off
	spec.Given(t, Packing, taken).When(ReleasePacking(released)).Then(released)
	spec.Given(t, Packing, other).When(ReleasePacking(released)).ThenNothing()
	spec.Given(t, Packing).When(ReleasePacking(released)).ThenNothing()
	spec.Given(t, Packing, taken, released).When(TakePacking(other)).Then(other)
	spec.Given(t, Packing, taken, released, other).When(TakePacking(taken)).ThenNothing()
}

func TestWhatIsCalledOffIsNeverSent(t *testing.T) {
	spec.Given(t, Kind).When(CallOff(calledOff)).Then(calledOff)
	spec.Given(t, Kind, calledOff).When(CallOff(calledOff)).ThenNothing()
	spec.Given(t, Kind, sent).When(CallOff(calledOff)).ThenFault(ErrPacked(""))
	spec.Given(t, Kind, calledOff).When(Dispatch(sent)).ThenFault(ErrCalledOff)
	spec.Given(t, Kind, calledOff).When(Receive{SealIntact: true, By: nima, At: noon}).ThenFault(ErrNotFound)
	spec.Given(t, Kind, calledOff).When(Resolve{Cause: LeftBehind, By: nima, At: noon}).ThenFault(ErrNotFound)
}
