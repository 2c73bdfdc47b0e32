const withInvite = 'trustnet invite (at the root), then trustnet join LINE here'

/**
 * Answers to a join, with the remedy of each: a node that takes itself for a member asks to join only when a registry has said that it is
 * none any more.
 */
export const joinAnswers: ReadonlyMap<string, string> = new Map(
  Object.entries({
    PendingError: 'trustnet registry approve NAME (at the root)',
    InviteRequiredError: withInvite,
    InviteInvalidError: withInvite,
    InviteExpiredError: withInvite,
    InviteUsedError: withInvite,
    JoinRejectedError: withInvite,
    NameTakenError: 'trustnet invite --replace NAME (at the root), then trustnet join LINE here'
  })
)
