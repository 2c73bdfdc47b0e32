import { Authority } from '../../src/dns/authority.ts'
import { Zone } from '../../src/dns/zone.ts'
import { serveMethods } from '../harness/serve.ts'

/** A name server of a zone with so many registries. */
let server: Authority | undefined

const methods = {
  /** Gives its port. */
  async start(domain: string, registries: number): Promise<number> {
    const zone = new Zone(domain)
    const addresses = Array.from({ length: registries }, (_, number) => `2001:db8::${(number + 1).toString(16)}`)
    zone.set(
      `tnr.${domain}`,
      addresses.map((value) => ({ type: 'AAAA', value }))
    )
    server = await Authority.start(zone)
    return server.port
  }
}

export type NameServerMethods = typeof methods

serveMethods(methods, async () => await server?.[Symbol.asyncDispose]())
