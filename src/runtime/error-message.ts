/** What a log line says of a failure: whatever is thrown, that is text. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
