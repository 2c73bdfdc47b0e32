import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { networkFingerprint } from '../../identity/network-id.ts'
import { errorOf } from '../../protocols/engine/status.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Hello, HelloRefused } from '../../protocols/hello/index.ts'
import { onAbort } from '../../runtime/abort.ts'
import { HungUpError } from '../errors.ts'

/** Both fingerprints, to compare by eye, where another network than the pinned one answers. */
const compared = ({ networkId }: HelloRefused, pin: Uint8Array | undefined): string => {
  if (networkId === undefined || pin === undefined || equals(networkId, pin)) return ''
  return ` (fingerprint ${networkFingerprint(networkId)}; pinned is ${networkFingerprint(pin)})`
}

/** Waits until the other side of a connection that we opened has proved that it is a member, or rejects with what it did instead. */
export async function waitForProof(
  hello: Hello,
  trust: ConnectionTrust,
  connection: Connection,
  signal: AbortSignal,
  pin?: Uint8Array
): Promise<void> {
  if (trust.isMember(connection)) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = trust.onMember((proven) => {
    if (proven === connection) resolve()
  })
  const onRefused = ({ detail }: CustomEvent<HelloRefused>): void => {
    if (detail.connection === connection) reject(errorOf(detail.status, `${detail.reason}${compared(detail, pin)}`))
  }
  const onClose = (): void => reject(new HungUpError('it hung up before it had said hello'))
  hello.events.addEventListener('refused', onRefused)
  connection.addEventListener('close', onClose)
  using _ = onAbort(signal, reject)
  try {
    signal.throwIfAborted()
    if (connection.status !== 'open') onClose()
    await promise
  } finally {
    stop()
    hello.events.removeEventListener('refused', onRefused)
    connection.removeEventListener('close', onClose)
  }
}
