import { connect } from 'node:net'
import { onAbort } from '../runtime/abort.ts'

/** A machine that is there takes a connection within it. */
const withinMs = 3_000

/** Those of the addresses that take a TCP connection at that port from here. */
export async function answering(
  addresses: readonly string[],
  port: number,
  { signal }: { signal: AbortSignal }
): Promise<Set<string>> {
  const answers = await Promise.all(
    addresses.map(async (host) => ((await takesConnection(host, port, signal)) ? [host] : []))
  )
  return new Set(answers.flat())
}

const takesConnection = (host: string, port: number, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, family: 6 })
    const end = (isThere: boolean) => (): void => {
      aborting?.[Symbol.dispose]()
      socket.destroy()
      resolve(isThere)
    }
    const aborting = onAbort(signal, end(false))
    socket.setTimeout(withinMs, end(false)).once('connect', end(true)).once('error', end(false))
  })
