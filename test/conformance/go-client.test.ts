import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeInvite } from '../../src/registry/objects/invite.ts'
import { runProgram, startProgram } from '../helpers/built-program.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'
import { tempFolder } from '../helpers/temp.ts'
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

test.skipIf(program === undefined)(
  'it joins a network of `trustnet dev` with the line that a command prints',
  async () => {
    using folder = tempFolder()
    const env = { TRUSTNET_HOME: folder.path }
    const dev = startProgram(['dev', '--nodes', '1', '--dir', folder.path], {})
    let client: ChildProcess | undefined
    try {
      await eventually(() => dev.soFar().includes('3 members: 3 online'))
      const { out: line, err } = await runProgram(['invite', '--node', 'root', '--role', 'external'], env)
      expect(line, err).toMatch(/^tnet1\S+\n$/)
      let said = ''
      client = spawn(program ?? '', ['join', registryProto, line.trim(), 'gopher'])
      client.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
      await eventually(
        () => said.includes('ready\n') || client?.exitCode !== null,
        undefined,
        () => said
      )
      expect(said).toMatch(/^joined as gopher\nverified \d+ entries, .*\nready\n$/s)
      const { out: peers } = await runProgram(['peers', '--node', 'root', '--name', 'gopher', '--json'], env)
      expect(JSON.parse(peers).peers).toMatchObject([{ name: 'gopher', role: 'external', state: 'online' }])
    } finally {
      client?.kill()
      dev.process.kill('SIGTERM')
      await dev.ended
    }
  }
)
