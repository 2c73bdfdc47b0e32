import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { programPath, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'

describe('a registry with few descriptors', () => {
  const home = mkdtempSync(join(tmpdir(), 'tn-few-'))
  const env = { TRUSTNET_HOME: home, TRUSTNET_ANNOUNCE_ALLOW: 'loopback', TRUSTNET_LISTEN_PORT: '0' }
  const client = controlClient({ path: join(home, 'run', 'root.sock') })
  const status = async () => await client.status().catch(() => undefined)

  beforeAll(async () => {
    const init = ['init', '--name', 'root', '--domain', 'few.test', '--policy', 'open', '--new-network', '--json']
    expect(await runProgram(init, env)).toMatchObject({ code: 0 })
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it.each([32, 64, 128])('does not start with %i, and says how many it needs and what raises them', (count) => {
    let said = ''
    try {
      execFileSync('prlimit', [`--nofile=${count}:${count}`, process.execPath, programPath, 'registry', 'start'], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: ceilingMs
      })
    } catch (error) {
      said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    }
    expect(said).toMatch(
      new RegExp(`^error: only ${count} files may be open at a time and \\d+ are needed: raise it with LimitNOFILE`)
    )
  })

  it('goes on while none is free, takes nobody for a thief, and answers again when there are some', async () => {
    const program = startProgram(['registry', 'start'], env)
    const limit = (soft: number) => execFileSync('prlimit', ['--pid', `${program.process.pid}`, `--nofile=${soft}:`])
    const sockets: Socket[] = []
    try {
      await eventually(async () => (await status())?.word === 'healthy', ceilingMs)
      const port = Number(/tcp\/(\d+)/.exec((await client.status()).announced[0] ?? '')?.[1])
      limit(20)
      const closed = Array.from({ length: 50 }, async () => {
        const socket = createConnection({ host: '::1', port })
        sockets.push(socket)
        await new Promise<void>((resolve) => socket.on('error', () => resolve()).on('close', () => resolve()))
      })
      // The kernel takes them; the process, which cannot, hangs up on some rather than on none.
      await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, 5_000))])
      expect(program.process.exitCode).toBeNull()
      limit(1024)
      await eventually(async () => (await status())?.word === 'healthy', ceilingMs)
      expect((await client.status()).warnings.filter(({ level }) => level === 'alarm')).toEqual([])
    } finally {
      for (const socket of sockets) socket.destroy()
      program.process.kill('SIGTERM')
    }
    const { code, out, err } = await program.ended
    expect(code).toBe(0)
    expect(out + err).not.toMatch(/unhandled|Rejection|\bat .*\.js:\d+/i)
  })
})
