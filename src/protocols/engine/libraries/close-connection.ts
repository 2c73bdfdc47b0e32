import type { Connection } from '@libp2p/interface'

/** Closing is a talk with the other side; a frozen one is cut. */
const closeMs = 1_000

/** Closes a connection, whatever the other side does. */
export const closeConnection = async (connection: Connection): Promise<void> => {
  try {
    await connection.close({ signal: AbortSignal.timeout(closeMs) })
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
  }
}
