import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TrustNode } from '../../../src/node/node.ts'
import { runProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

it('compares with what another registry serves over the network, and says what of it cannot be true', async () => {
  await using network = await TestNetwork.create({ 'replication.backoffMax': '2s' })
  const keeper = await network.join('keeper', { role: 'secondary' })
  const file = join(network.folder, 'hal.yaml')
  writeFileSync(
    file,
    `domain: net.test\nname: hal\npaths:\n  data: ${network.folder}/data/hal\n  runtime: ${network.folder}/run\n`
  )
  const { config } = network.config('hal', { 'bootstrap.peers': [network.address('root')] })
  const hal = new TrustNode({ config, logging: network.logging('hal') })
  network.nodes.push(hal)
  await hal.start()
  await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })
  const diff = async (peer: string) => {
    const ran = await runProgram(['registry', 'diff', '--with', peer, '--config', file, '--json'], {})
    const view = JSON.parse(ran.out === '' ? '{}' : ran.out)
    if (ran.out !== '') expectSchema('registry-diff', view)
    return { ...ran, view }
  }
  await eventually(() => keeper.registry.replica.state.registry(keeper.key.publicKey) !== undefined)
  // A record that is signed meanwhile makes them differ for a moment.
  let same = await diff('keeper')
  await eventually(async () => {
    same = await diff('keeper')
    return same.view.same === true
  })
  expect(same).toMatchObject({ code: 0, view: { refused: null, entries: { onlyHere: 0, onlyThere: 0 } } })
  expect(same.view.digest).toBe(same.view.otherDigest)

  const { replica, records } = keeper.registry
  const read = replica.read.bind(replica)
  const head = replica.head.n
  replica.read = (afterN, limitBytes) => read(afterN, limitBytes).filter(({ n }) => n < head)
  Object.defineProperty(replica, 'checkpoint', { get: () => undefined, configurable: true })
  const changes = records.changesAfter.bind(records)
  records.changesAfter = (change, limit) => changes(change, limit).slice(1)
  const behind = await diff('keeper')
  expect(behind).toMatchObject({
    code: 5,
    view: { same: false, refused: null, entries: { onlyHere: 1, onlyThere: 0 } }
  })
  expect(behind.view.otherHead.n).toBe(head - 1)

  replica.read = (afterN, limitBytes) => read(afterN, limitBytes).slice(1)
  const lied = await diff('keeper')
  expect(lied.code).toBe(5)
  expect(lied.view.refused).toContain('entry 2, where 1 is due')
  expect(await diff('nobody')).toMatchObject({ code: 4 })
})
