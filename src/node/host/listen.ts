import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { portHolder } from '../../runtime/machine/port-holder.ts'
import { ConfigError } from '../errors.ts'
import { type HostInit, startAt } from './host.ts'
import type { Host } from './host-services.ts'
import { isAddressMissing, isPortTaken } from './libp2p.ts'

/**
 * An address that is not there yet (an interface that comes late, a duplicate address detection that goes on) is waited for so long, and by
 * root and secondary a port that another process, a dying predecessor perhaps, still has.
 */
const defaultWaitMs = 30_000
const retryMs = 500
/** An integrated or external node looks so far for a free port. */
const portsTried = 100

export interface Listening {
  host: Host
  port: number
}

/** Makes and starts the libp2p host on the configured address and port. @throws ConfigError when they cannot be had */
export async function startHost(init: HostInit, signal: AbortSignal): Promise<Listening> {
  const { config, services, portWaitMs = defaultWaitMs } = init.node
  const { logger } = init.node.logging
  const { host: address, port: wanted } = config.listen
  const started = performance.now()
  let isTold = false
  const listener = services.part('listener')
  const wait = async (what: string): Promise<void> => {
    listener.failed(new Error(what))
    const waited = performance.now() - started
    if (waited > portWaitMs) throw new ConfigError([`${what}, after ${portWaitMs / 1000} s of waiting`])
    if (!isTold) logger.warn({ port: wanted, ipv6_addr: address }, `${what}; it is waited for`)
    isTold = true
    await pause(retryMs, undefined, { signal })
  }
  for (let tried = wanted; ; ) {
    try {
      const port = tried === 0 ? await freePort(address) : tried
      const host = await startAt(init, port)
      if (wanted !== 0 && tried !== wanted) warnOfPort(logger, wanted, tried)
      listener.ok()
      return { host, port }
    } catch (error) {
      if (signal.aborted) throw error
      if (isAddressMissing(error)) await wait(await missing(address))
      else if (!isPortTaken(error) || wanted === 0) throw refused(error, address, tried)
      else if (isRegistryRole(config.role)) await wait(taken(wanted))
      else if (++tried > wanted + portsTried) {
        throw new ConfigError([`${taken(wanted)}, and so are the ${portsTried} after it`])
      }
    }
  }
}

/** Error in words of ours: the library gives advice about itself. */
const refused = (thrown: unknown, address: string, port: number): Error => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = /\blisten (E[A-Z]{2,})\b/.exec(error.message)?.[1]
  if (code === undefined) return error
  return new ConfigError([`${inWords(`listen ${code}: [${address}]:${port}`)} (listen.host, listen.port)`])
}

const taken = (port: number): string =>
  `port ${port} is taken by ${portHolder(port) ?? 'another process'} (stop it, or choose another one with listen.port)`

const missing = async (address: string): Promise<string> => {
  const found = (await interfaceAddresses()).find((each) => each.address === address)
  const why =
    found === undefined
      ? 'no interface of this machine has it (yet)'
      : found.duplicate
        ? `another machine of the link of ${found.device} has it, too`
        : `it is still being checked for duplicates on ${found.device}`
  return `the address ${address} cannot be listened on: ${why} (add it, or choose another one with listen.host)`
}

const warnOfPort = (logger: Logger, wanted: number, port: number): void => {
  const message = `port ${wanted} is taken by ${portHolder(wanted) ?? 'another process'}; this node listens on ${port} and registers that`
  logger.warn({ port, wanted_port: wanted }, message)
}

/** A port that was free a moment ago; libp2p does not tell which one it was given. */
const freePort = async (host: string): Promise<number> => {
  const server = createServer()
  server.listen({ host, port: 0, ipv6Only: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new ConfigError([`no free port on ${host}`])
  return address.port
}
