import { expect, test } from 'vitest'
import { restoreHere } from '../../../src/node/offline/stopped-store.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** What the log of a network says in its lines that have this message. */
const lines = ({ logs }: TestNetwork, message: string): object[] =>
  logs
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes(message))
    .map((line): object => JSON.parse(line))

test('commands that leave no entry are in the log of the process with who gave them, and plans are not', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
  const { control, registry } = network.node('root')
  const by = (await control.operators()).operators[0]?.name
  for (const name of ['one', 'two', 'three'])
    await network.start(name, { 'bootstrap.peers': [network.address('root')] })
  await eventually(() => registry.admission.pending().length === 3)
  await control.reject({ peer: 'one', reason: 'not ours', plan: true })
  await control.reject({ peer: 'one', reason: 'not ours' })
  await control.rejectAll({ matching: 't*', reason: 'not ours' })
  await control.logLevel({ level: 'debug' })
  await control.backup({ to: `${network.folder}/copy.db` })
  await control.revoke({ peer: 'nobody', reason: '' }).catch(() => {})
  await network.node('one').control.logLevel({ level: 'debug' })
  const told = lines(network, 'a command was carried out')
  expect(told).toMatchObject([
    ...['reject', 'rejectAll', 'logLevel', 'backup'].map((command) => ({ node: 'root', by, command })),
    { node: 'one', by: 'whoever has this machine', command: 'logLevel' }
  ])
})

test('what the operator of a root decides without an entry is in its log, with the name of the operator', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const { operators } = await root.control.operators()
  const by = operators[0]?.name
  expect(by).toBeTypeOf('string')
  await root.control.acceptClock()
  expect((await root.control.log({ limit: 1 })).entries).toMatchObject([{ kind: 'registry-set', by: [by] }])
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
