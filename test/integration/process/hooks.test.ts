import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'

interface Told {
  event: string
  node: { name: string }
  peer: { name: string | null; state: string; reason: string | null } | null
  alarm: { code: string } | null
}

it('a hook is run for what really happens: join, suspect, offline, back, leave, alarm', async () => {
  using folder = tempFolder()
  const script = join(folder.path, 'on-event')
  const file = join(folder.path, 'events')
  writeFileSync(script, `#!/bin/sh\ncat >> ${file}\n`)
  chmodSync(script, 0o755)
  await using network = await TestNetwork.create({ 'hooks.onEvent': script })
  const told = (): Told[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : []
  const root = network.node('root')
  const seen = (event: string, name: string): Told | undefined =>
    told().find((each) => each.node.name === 'root' && each.event === event && each.peer?.name === name)
  const victim = await spawnNode(network, 'victim')
  await eventually(() => seen('join', 'victim') !== undefined)
  await victim.kill()
  await eventually(() => seen('offline', 'victim') !== undefined)
  expect(seen('suspect', 'victim')?.peer?.reason).not.toBe('')
  expect(seen('offline', 'victim')?.peer?.state).toBe('offline')

  await using again = await spawnNode(network, 'victim')
  await eventually(() => seen('back', 'victim') !== undefined)
  expect(again.peerId).toBe(victim.peerId)

  const b = await network.join('b')
  await eventually(() => seen('join', 'b') !== undefined)
  await b.stop('upgrade')
  await eventually(() => seen('leave', 'b') !== undefined)
  expect(seen('leave', 'b')?.peer?.reason).toContain('upgrade')

  await root.control.revoke({ peer: 'victim', reason: 'stolen' })
  await eventually(() =>
    told().some(({ event, peer }) => event === 'leave' && peer?.reason === 'its membership is over')
  )

  root.registry.alarms.raise('no_backup', 'the disk is full')
  await eventually(() => told().some(({ event, alarm }) => event === 'alarm' && alarm?.code === 'no_backup'))
  const order = told().flatMap(({ event, node, peer }) =>
    node.name === 'root' && peer?.name === 'victim' ? [event] : []
  )
  expect(order.slice(0, 4)).toEqual(['join', 'suspect', 'offline', 'back'])
})
