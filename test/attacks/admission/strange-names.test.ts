import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { roles } from '../../../src/identity/role.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { openRegisterSession } from '../../../src/protocols/register/index.ts'
import { domains } from '../../../src/registry/objects/envelope.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { JoinRequest } from '../../../src/registry/pb/registry.ts'
import { failure, instance, plainHost, stopServed } from '../../helpers/hosts/sessions.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { aRecord, craft } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

afterEach(stopServed)

const mark = 'evil'
const strange = [
  `\u001b[2J${mark}`,
  `${mark}\ntrustnet_log_forked 1`,
  `${mark}"} 1\ntrustnet_members{x="`,
  `\u202e${mark}`,
  `\u009b31m${mark}`,
  `<img src=x onerror=${mark}>`,
  mark.repeat(2_500),
  ''
]
/** Everything that a reader of this root may ask. */
const paths = ['/peers', '/nodes', '/members', '/connections', '/topology', '/connection/status', '/history', '/log']

/** A root that lets in whoever asks, with its HTTP API. */
const openRoot = () =>
  TestNetwork.create({
    'http.listen': '[::1]:0',
    'protocols.register.failedProofs': '1000/1s'
  })

/** A stranger asks with a signed request that has this name; gives the refusal, undefined when it is a member. */
const askWith = async (network: TestNetwork, name: string): Promise<unknown> => {
  const { registry } = network.node('root')
  const key = SigningKey.generate()
  const host = await plainHost({ privateKey: key.toLibp2p() })
  const connection = await host.dial(multiaddr(network.address('root')))
  const session = await openRegisterSession(connection, { limits: limitsWith() })
  const { networkId } = registry
  const { publicKey } = key
  const { registryKey: _, ...bare } = aRecord
  const record = sealRecord({ ...bare, networkId, publicKey, seq: 1, issuedMs: Date.now() }, key).bytes
  const message = { version: 1, networkId, publicKey, name, role: roles.integrated, timeMs: Date.now() }
  const join = craft({ ...domains.join, maxBytes: 64 * 1024 }, JoinRequest, message, key)
  return await failure(session.register({ record, instance: instance(), join }))
}

const answersOf = async (network: TestNetwork): Promise<string> => {
  const url = network.node('root').httpUrl
  const answers = await Promise.all(
    paths.map(async (path) => {
      const text = await (await fetch(`${url}${path}`)).text()
      JSON.parse(text)
      return text
    })
  )
  return answers.join('\n')
}

describe('a joiner', () => {
  attack('has a name with control characters, line ends, markup, of 10 kB or none', async () => {
    await using network = await openRoot()
    const { registry } = network.node('root')
    const told: unknown[] = []
    // 10 kB are more than a frame of a stranger may have: the stream ends.
    for (const name of strange) told.push(await askWith(network, name))
    expect(told.map((error) => (error instanceof Error ? error.name : 'a member'))).toEqual(
      strange.map(() => expect.stringMatching(/^(InvalidPayloadError|StreamEndedError)$/))
    )
    expect(registry.replica.state.memberCount).toBe(1)
    const metrics = await (await fetch(`${network.node('root').httpUrl}/metrics`)).text()
    const shown = [await answersOf(network), metrics, network.logs.join('')].join('\n')
    expect(shown).not.toContain(mark)
    return {
      happened: `${strange.length} asked, 0 admitted, 0 shown`,
      held: 'a name is a label of DNS, before anything of it is kept'
    }
  })

  control('with a name like others is admitted, and shown', async () => {
    await using network = await openRoot()
    expect(await askWith(network, 'hal')).toBeUndefined()
    await eventually(async () => (await answersOf(network)).includes('"hal"'))
  })
})
