import { expect, test } from 'vitest'
import { restoreHere } from '../../../src/node/offline/stopped-store.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** What the log of a network says in its lines that have this message. */
const lines = ({ logs }: TestNetwork, message: string): object[] =>
  logs
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes(message))
    .map((line): object => JSON.parse(line))

test('what the operator of a root decides without an entry is in its log, with the name of the operator', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const { operators } = await root.control.operators()
  const by = operators[0]?.name
  expect(by).toBeTypeOf('string')
  await root.control.acceptClock()
  const backup = `${network.folder}/copy.db`
  await root.control.backup({ to: backup })
  await root.stop()
  await restoreHere(root.config, backup, true)
  const again = await network.start('root', { role: 'root' })
  const { n: head } = again.registry.replica.head
  await again.control.resume({ head })
  await eventually(() => lines(network, 'this restored root appends').length === 1)
  expect(lines(network, 'the clock of this machine is right')).toMatchObject([{ by }])
  expect(lines(network, 'this restored root appends')).toMatchObject([{ by, head }])
})
