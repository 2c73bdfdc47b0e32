/**
 * How long a test waits for an event that must come: far more than it takes on a quiet machine, so that a busy one fails no test.
 * A bound that is itself the promise (`leases end after 90 s`) is judged by a clock that the test turns, or by a ratio, and belongs in bench otherwise.
 */
export const ceilingMs = 180_000

/** After which a test, a hook or a command is taken for hung. Far beyond the ceiling of an event, so that the message of that is what fails. */
export const hungMs = 900_000
