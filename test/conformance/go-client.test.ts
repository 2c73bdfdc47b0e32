import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeInvite } from '../../src/registry/objects/invite.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'
import { buildGoClient, registryProto } from './go-client.ts'

const program = buildGoClient()

afterAll(() => {
  if (program !== undefined) rmSync(dirname(program), { recursive: true, force: true })
})

test.skipIf(program === undefined)(
  'a client in Go, made from the pages alone, joins, verifies the log, finds the others and says goodbye',
  async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const root = network.node('root')
    const invite = encodeInvite(await network.invite({ role: 'external' }))
    const client: ChildProcess = spawn(program ?? '', ['join', registryProto, invite, 'gopher'])
    try {
      let said = ''
      client.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const row = async () => (await root.control.peers()).peers.find(({ name }) => name === 'gopher')
      await eventually(
        () => said.includes('ready\n') || client.exitCode !== null,
        undefined,
        () => said
      )
      expect(said.split('\n').filter((line) => line !== '')).toEqual([
        'joined as gopher',
        expect.stringMatching(/^verified \d+ entries, head [0-9a-f]{64}$/),
        expect.stringMatching(/^found (root|gopher), state \d$/),
        expect.stringMatching(/^found (root|gopher), state \d$/),
        'ready'
      ])
      expect(said).toContain('found root, state 1\n')
      expect(await row()).toMatchObject({ role: 'external', state: 'online' })
      client.stdin?.end()
      await once(client, 'exit')
      expect([client.exitCode, said.split('\n').length]).toEqual([0, 6])
      await eventually(async () => (await row())?.state === 'left')
    } finally {
      client.kill()
    }
  }
)
