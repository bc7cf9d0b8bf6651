package projections_test

import "testing"

// One house serves many stories, for to open one takes longest of all. What
// counts a whole house has one to itself.
func TestTheViewsOfRequests(t *testing.T) {
	v := newViews(t)
	v.tells("the queue shows who waits longest", theQueueShowsWhoWaitsLongest)
	v.tells("a request at a counter is in its office's queue", aRequestAtACounterIsInItsOfficesQueueBeforeItIsSubmitted)
	v.tells("one's own requests, newest first", onesOwnRequestsNewestFirst)
	v.tells("a request's timeline", aRequestsTimelineHasEachStateOnce)
	v.tells("a step back from the CA", aStepBackFromTheCAHasItsCause)
	v.tells("tracking needs the second factor", trackingNeedsTheSecondFactor)
	v.tells("tracking tells where dossier and token are", trackingTellsWhereDossierAndTokenAre)
	v.tells("people are found however they are written", peopleAreFoundHoweverTheyAreWritten)
	v.tells("the applicant sees what to mend", theApplicantSeesWhatToMend)
	v.tells("a corrected form replaces the old", aCorrectedFormReplacesTheOld)
	v.tells("the effective state is of all that is known", theEffectiveStateIsOfAllThatIsKnown)
	v.tells("an abandoned serial is not the request's", anAbandonedSerialIsNotTheRequests)
	v.tells("an erased person has no name and is not found", anErasedPersonHasNoNameAndIsNotFound)
	v.tells("an attorney who received the token is marked", anAttorneyWhoReceivedTheTokenIsMarked)
	v.tells("nothing personal stands in clear", nothingPersonalStandsInClearInTheViews)
	v.tells("a certificate's life", aCertificatesLife)
	v.tells("a suspension that is due", aSuspensionThatIsDue)
	v.tells("reminders that are due", remindersThatAreDue)
	v.tells("re-inquiries that are due", reinquiriesThatAreDue)
	v.tells("acceptances that are due", acceptancesThatAreDue)
	v.tells("deliveries that are due", deliveriesThatAreDue)
	v.tells("officers that nobody asks after", officersThatNobodyAsksAfter)
	v.tells("certificates of somebody at the counter", certificatesAtTheCounter)
	v.tells("an access is active only while its certificate is valid", anAccessIsActiveOnlyWhileItsCertificateIsValid)
	v.tells("a suspended certificate", aSuspendedCertificateIsShownAsOne)
	v.tells("each list is shown, and the latest lies on the shelf", eachListIsShownAndTheLatestLiesOnTheShelf)
	v.tells("an office's tokens", anOfficesTokens)
	v.tells("tokens that are due", tokensThatAreDue)
}

func TestTheListsOfAWholeHouse(t *testing.T) {
	v := newViews(t)
	v.tells("offices and tariffs", officesAndTariffs)
	v.tells("who was appointed to what", whoWasAppointedToWhat)
	v.tells("a house without a request has a management view too", aHouseWithoutARequestHasAManagementViewToo)
	v.tells("cases", casesAreReadByWhoMayOpenThem)
	v.tells("certificates by status, newest first", certificatesByStatusNewestFirst)
	v.tells("due inquiries", dueInquiries)
	v.tells("due notifications", dueNotifications)
	v.tells("the log of inquiries", theLogOfInquiries)
	v.tells("what ends", whatEndsSoonestFirst)
	v.tells("messages to one", messagesToOneTellTheirFate)
	v.tells("due payments", duePayments)
	v.tells("the CA's queue", theQueueOfTheCA)
	v.tells("a fee's state", theFeesStateIsThatOfItsStream)
}

func TestTheManagementViewCounts(t *testing.T) {
	v := newViews(t)
	v.tells("counts", theManagementViewCounts)
}
