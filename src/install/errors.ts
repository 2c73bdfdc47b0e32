/** A step that failed; the message says what, why, and what to do. What was done so far is in the journal, and the next run goes on. */
export class InstallError extends Error {
  override readonly name = 'InstallError'
}

/** Something the operator has to mend or to say first: nothing is lost, and the same command is right afterwards. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
}
