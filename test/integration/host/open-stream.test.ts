import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStreamTo } from '../../../src/node/program/open-stream.ts'
import { UnavailableError } from '../../../src/runtime/errors.ts'
import { type NodeProcess, spawnNode } from '../../helpers/hosts/node-process.ts'
import { TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
let silent: NodeProcess

beforeAll(async () => {
  network = await TestNetwork.create()
  await network.join('a')
  silent = await spawnNode(network, 'silent')
})
afterAll(async () => {
  await silent[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

test('a stream to a member that says nothing comes to an end by itself, or with the reason of its signal', async () => {
  const a = network.node('a')
  const to = { peer: 'silent', protocol: '/test/unserved/1.0.0' }
  await expect(a.openStream('silent', to.protocol)).rejects.toThrow('silent does not serve')
  silent.freeze()
  const late = openStreamTo(a, to, undefined, 250)
  await expect(late).rejects.toThrow('silent was not reached within 0.25 s')
  await expect(late).rejects.toBeInstanceOf(UnavailableError)
  const reason = new Error('the program gives up')
  await expect(a.openStream('silent', to.protocol, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
