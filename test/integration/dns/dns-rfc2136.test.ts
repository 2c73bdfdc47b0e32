import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createProvider, type ProviderSettings } from '../../../src/dns/providers/index.ts'
import type { RecordEdit } from '../../../src/dns/providers/provider.ts'
import { parseTsigKey } from '../../../src/dns/providers/tsig.ts'
import { agreement, lookupPublished, waitUntilPublished } from '../../../src/dns/published.ts'
import { type Bind, startBind } from '../../helpers/servers/bind.ts'

const name = 'tnr.example.test'

const settings = (
  bind: Pick<Bind, 'address' | 'keyText'>,
  more: { key?: string; zone?: string } = {}
): ProviderSettings => ({
  provider: 'rfc2136',
  server: bind.address,
  key: parseTsigKey(more.key ?? bind.keyText),
  zone: more.zone
})

/** Stands before a name server and hangs up on connections: the next entry of `hangUp` says on which. */
interface Impatient extends AsyncDisposable {
  readonly address: string
  hangUp: boolean[]
}

const startImpatient = async (behind: string, how: 'reset' | 'close'): Promise<Impatient> => {
  const port = Number(behind.slice(behind.lastIndexOf(':') + 1))
  const server = createServer((client) => {
    client.on('error', () => {})
    if (impatient.hangUp.shift() === true) {
      client.once('data', () => (how === 'reset' ? client.resetAndDestroy() : client.end()))
      return
    }
    const further = connect({ host: '::1', port })
    further.on('error', () => client.destroy())
    client.pipe(further).pipe(client)
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  const impatient: Impatient = {
    address: `[::1]:${typeof address === 'object' ? address?.port : ''}`,
    hangUp: [],
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    }
  }
  return impatient
}

const edit = (add: string[], remove: string[] = [], type: RecordEdit['type'] = 'AAAA'): RecordEdit => ({
  name,
  type,
  ttlSeconds: 300,
  add,
  remove
})

describe('rfc2136 against BIND', () => {
  it('adds and removes exactly the values asked for, and says when there was nothing to do', async () => {
    await using bind = await startBind({ zone: 'example.test', records: ['tnr 60 IN AAAA 2001:db8::1'] })
    const provider = await createProvider(settings(bind))
    expect(await provider.prepare(name)).toBe(`zone example.test at ${bind.address}`)
    expect(await provider.change(edit(['2001:DB8:0::2']))).toEqual({
      kind: 'written',
      changed: true,
      values: ['2001:db8::1', '2001:db8::2']
    })
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::1', '2001:db8::2'])
    expect(await provider.change(edit(['2001:db8::2'], ['2001:db8::9']))).toMatchObject({ changed: false })
    expect(await provider.change(edit(['2001:db8::3'], ['2001:db8::1']))).toMatchObject({ changed: true })
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::2', '2001:db8::3'])
    await provider.change(edit([], ['2001:db8::2', '2001:db8::3']))
    expect(bind.dig(name, 'AAAA')).toEqual([])
  })

  it('writes text of any length whole', async () => {
    await using bind = await startBind({ zone: 'example.test' })
    const text = `dnsaddr=/dns6/${name}/p2p/${'x'.repeat(300)}"\\`
    const provider = await createProvider(settings(bind))
    await provider.change(edit([text], [], 'TXT'))
    const published = await lookupPublished({ name, type: 'TXT' }, { authorities: [bind.address] })
    expect('servers' in published && agreement(published).values).toEqual([text])
    expect(await provider.change(edit([text], [], 'TXT'))).toMatchObject({ changed: false })
  })

  it('what is written is seen at the zone, with its TTL', async () => {
    await using bind = await startBind({ zone: 'example.test' })
    const provider = await createProvider(settings(bind))
    const wanted = edit(['2001:db8::2'])
    await provider.change(wanted)
    const { published, last } = await waitUntilPublished(wanted, { authorities: [bind.address], withinMs: 10_000 })
    expect({ published, last }).toMatchObject({
      published: true,
      last: { servers: [{ values: ['2001:db8::2'], ttlSeconds: 300, failure: undefined }] }
    })
  })

  it('a secret, a key name or a zone that the server does not know is told as that', async () => {
    await using bind = await startBind({ zone: 'example.test' })
    const secret = Buffer.alloc(32, 7).toString('base64')
    const wrong = await createProvider(settings(bind, { key: `update-key:${secret}` }))
    await expect(wrong.prepare(name)).rejects.toThrow(/BADSIG: the secret is another one there/)
    const unknown = await createProvider(settings(bind, { key: `other-key:${secret}` }))
    await expect(unknown.change(edit(['2001:db8::1']))).rejects.toThrow(/BADKEY: the server knows no key of this name/)
    const zone = await createProvider(settings(bind, { zone: 'other.test' }))
    await expect(zone.prepare('tnr.other.test')).rejects.toThrow(/refused \(key update-key, other.test\)/)
    const none = await createProvider(settings(bind))
    await expect(none.prepare('tnr.other.test')).rejects.toThrow(/serves no zone that holds|refused/)
    expect(bind.dig(name, 'AAAA')).toEqual([])
  })

  it('a key without the right to update is refused before anything changes', async () => {
    await using bind = await startBind({ zone: 'example.test', policy: 'allow-update { none; };' })
    const provider = await createProvider(settings(bind))
    await expect(provider.prepare(name)).rejects.toThrow(/REFUSED: the key may not do this there/)
  })

  it('a CNAME in the way is told, not taken for success', async () => {
    await using bind = await startBind({ zone: 'example.test', records: ['tnr IN CNAME ns1'] })
    const provider = await createProvider(settings(bind))
    await expect(provider.change(edit(['2001:db8::1']))).rejects.toThrow(/a CNAME of that name is in the way/)
  })

  it('a server that hangs up before it has answered is asked again, and at last named with what it did', async () => {
    await using bind = await startBind({ zone: 'example.test', records: ['tnr 60 IN AAAA 2001:db8::1'] })
    for (const how of ['reset', 'close'] as const) {
      await using server = await startImpatient(bind.address, how)
      const provider = await createProvider(settings({ address: server.address, keyText: bind.keyText }))
      for (const question of [0, 2]) {
        // A change asks for the zone and the values, sends the update, and asks for the values again.
        server.hangUp = Array.from({ length: question }, () => false).concat(true, true)
        await provider.change(edit([`2001:db8::${question + 2}`], [question === 0 ? '2001:db8::1' : '2001:db8::2']))
        expect(server.hangUp).toEqual([])
        expect(bind.dig(name, 'AAAA')).toEqual([`2001:db8::${question + 2}`])
      }
      await provider.change(edit(['2001:db8::1'], ['2001:db8::4']))
      server.hangUp = [true, true, true]
      await expect(provider.prepare(name)).rejects.toThrow(
        how === 'reset' ? /does not answer: read ECONNRESET/ : /does not answer: it closed the connection without/
      )
    }
  })

  it('a server that does not listen is unreachable', async () => {
    const bind = await startBind({ zone: 'example.test' })
    const provider = await createProvider(settings(bind))
    await bind[Symbol.asyncDispose]()
    await expect(provider.prepare(name)).rejects.toMatchObject({ name: 'ProviderUnreachableError' })
  })
})
