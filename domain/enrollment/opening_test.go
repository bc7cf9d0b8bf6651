package enrollment

import (
	"testing"

	"govahi/domain/event/spec"
)

var (
	taken = OpeningTaken{Kind.Stream("140512345670"), noon}
	other = OpeningTaken{Kind.Stream("140598765432"), later}
)

func TestOneRequestHoldsTheOpening(t *testing.T) {
	spec.Given(t, Opening).When(TakeOpening(taken)).Then(taken)
	spec.Given(t, Opening, taken).When(TakeOpening(other)).ThenFault(ErrOpenRequest)
	spec.Given(t, Opening, taken).When(TakeOpening(taken)).ThenNothing()
}

func TestAReleasedOpeningMayBeTakenAgain(t *testing.T) {
	spec.Given(t, Opening, taken).When(ReleaseOpening(taken)).Then(OpeningReleased(taken))
	spec.Given(t, Opening, taken, OpeningReleased(taken)).When(ReleaseOpening(taken)).ThenNothing()
	spec.Given(t, Opening, taken, OpeningReleased(taken)).When(TakeOpening(other)).Then(other)
}

func TestNobodyReleasesAnothersOpening(t *testing.T) {
	spec.Given(t, Opening, taken).When(ReleaseOpening(other)).ThenNothing()
	spec.Given(t, Opening, taken, OpeningReleased(taken), other).When(ReleaseOpening(taken)).ThenNothing()
}
