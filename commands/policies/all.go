package policies

import "govahi/commands"

// OfRecord are the policies that need the log and the vault alone.
func OfRecord() []Policy {
	return []Policy{
		SendEmailCodeOnFormCompleted(), RaiseFeeOnSubmitted(), NoteFeeOnSettled(),
		CloseFeeOnOver(), EndAttemptOnEnded(),
		RequestInquiryOnInquired(), NoteIdentityOnAnswered(),
		FollowTokenOnPersonalised(), FollowTokenOnDelivered(), ReleaseOpeningOnOver(),
		RevokeOnInaccuracyEstablished(), SuspendAccessOnRevoked(), SuspendAccessOnDefined(), NoteRequestOnRevoked(), SupersedeOnDelivered(), FollowRenewalsOnRevoked(),
		MoveDossiersOnConsigned(), SettleFeeOnDossierReceived(), NoteTokenOnReceived(), NoteAccessOnDefined(), BindAccessOnAccepted(), RevokeOnTokenGone(), RevokeOnIssuedForTokenGone(), RecallTokenOnRevoked(),
		SuspendAccessOnSuspended(), RestoreAccessOnLifted(), BlockKeyOnRevoked(), DoubtOnBounced(), DoubtOnAnswered(), DoubtOnDismissed(),
		NotifyOnProgress(), NotifyOnRevoked(), NotifyOnAccessDefined(),
	}
}

// OfIssuance need the signer.
func OfIssuance() []Policy { return []Policy{IssueOnIssuanceRequested(), IssueOnCredentialApproved()} }

// OfRevocation need the signer too, but must not wait behind an issuance.
func OfRevocation(p commands.Publishers) []Policy {
	return []Policy{PublishCRLOnRevoked(p), PublishCRLOnSuspended(p), PublishCRLOnSuspensionLifted(p)}
}

// OfErasure need the vault's keys.
func OfErasure(vault commands.Shredder) []Policy { return []Policy{DestroyKeyOnErasureOrdered(vault)} }
