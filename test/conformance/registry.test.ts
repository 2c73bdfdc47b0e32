import { multiaddr } from '@multiformats/multiaddr'
import { expect, onTestFinished, test } from 'vitest'
import { FrameStream } from '../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../src/protocols/engine/limits.ts'
import { statuses } from '../../src/protocols/engine/status.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { startPlainHost } from '../helpers/hosts.ts'
import { TestNetwork } from '../helpers/network.ts'
import { Checks } from './checks.ts'
import { checkForeign, checkRegistry } from './registry.ts'

test('the root passes the checks for a registry of any implementation', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const lines: string[] = []
  const checks = new Checks((line) => lines.push(line))
  await checkRegistry(await network.invite({ role: 'external' }), 'stranger', checks)
  expect(lines.filter((line) => line.startsWith('FAILED'))).toEqual([])
  expect(checks).toMatchObject({ passed: 23, failed: 0 })
})

test('a registry that does not answer as it should is told by name', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const invite = await network.invite({ role: 'external' })
  const lines: string[] = []
  const checks = new Checks((line) => lines.push(line))
  // No such invite is open, so the registry refuses to register.
  await checkRegistry({ ...invite, grant: { ...invite.grant, id: new Uint8Array(16).fill(7) } }, 'stranger', checks)
  expect(checks.failed).toBeGreaterThan(0)
  expect(lines).toContainEqual(expect.stringMatching(/^FAILED {2}register with the join of the invite/))
})

test('a stream that ends, is answered or fails otherwise behind WRONG_NETWORK is no reset', async () => {
  const [registry, asker] = [await startPlainHost(), await startPlainHost()]
  onTestFinished(async () => {
    await Promise.all([registry.stop(), asker.stop()])
  })
  await registry.handle('/trustnet/hello/1.0.0', async (stream) => {
    const frames = new FrameStream(stream, { maxFrame: 1024, limits: limitsWith().stream })
    await frames.read()
    await frames.write(Hello.encode({ version: 1, status: statuses.WRONG_NETWORK }))
    await frames.close()
  })
  await registry.handle('/trustnet/lookup/1.0.0', async (stream) => await stream.close())
  await registry.handle('/ipfs/id/1.0.0', (stream) => stream.abort(new Error('of the test')), { force: true })
  const lines: string[] = []
  const dial = async () => await asker.dial(multiaddr(registry.getMultiaddrs()[0]?.toString() ?? ''))
  await checkForeign(dial, { networkId: new Uint8Array(32) }, new Checks((line) => lines.push(line)), 50)
  expect(lines).toEqual([
    expect.stringMatching(/^ok .* WRONG_NETWORK, and nothing else$/),
    expect.stringMatching(/^FAILED .* stream of lookup is reset: the stream is ended, not reset$/),
    expect.stringMatching(/^FAILED .* stream of hello is reset: the stream is answered, not reset$/),
    expect.stringMatching(/^ok .* stream of identify is reset$/),
    expect.stringMatching(/^FAILED .* the connection is closed: nothing happened/)
  ])
})
