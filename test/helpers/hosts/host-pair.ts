import { onTestFinished } from 'vitest'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { connect, connectionWith, startPlainHost } from '../hosts.ts'

/** Two hosts, connected until the test ends, and what the first one serves a protocol with. */
export async function hostPair(overrides: LimitOverrides = {}) {
  const [server, client] = [await startPlainHost(), await startPlainHost()]
  for (const host of [server, client]) onTestFinished(async () => host.stop())
  const limits = limitsWith(overrides)
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 200 })
  const connection = await connect(client, server)
  const inbound = await connectionWith(server, client)
  const registrar = {
    handle: server.handle.bind(server),
    unhandle: (protocol: string) => server.unhandle(protocol)
  }
  return { server, client, limits, trust, connection, inbound, registrar }
}
