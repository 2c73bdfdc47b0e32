import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { describeUnless, whyNotRoot } from '../../helpers/vitest/describe-unless.ts'

const program = resolve('dist/bin/trustnet.js')
const network = `tn${'a'.repeat(52)}`

/** Starts a node on a host of that name, until it looks for its network or ends; gives what it printed. */
async function startOn(host: string, home: string): Promise<{ code: number | null; log: string }> {
  const quiet = '--set announce.allow=loopback --set bootstrap.dnsServers=[::1]:1 --port 0'
  const start = `${process.execPath} ${program} node start --domain host.test --network ${network} ${quiet}`
  const child = spawn('unshare', ['-u', 'sh', '-c', `hostname ${host} && exec ${start}`], {
    env: { ...process.env, TRUSTNET_HOME: home }
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const ended = once(child, 'close')
  await eventually(
    () => child.exitCode !== null || log.includes('looking for the network'),
    ceilingMs,
    () => log
  )
  child.kill('SIGTERM')
  await ended
  return { code: child.exitCode, log }
}

describeUnless(whyNotRoot())('a machine that is given another host name', () => {
  it('is the same node at its next start', async () => {
    using folder = tempFolder()
    expect((await startOn('first', folder.path)).code).toBe(0)
    const key = readFileSync(join(folder.path, 'data', 'first', 'node.key'))
    expect((await startOn('second.example.org', folder.path)).code).toBe(0)
    expect(readdirSync(join(folder.path, 'data'))).toEqual(['first'])
    expect(readFileSync(join(folder.path, 'data', 'first', 'node.key'))).toEqual(key)
    expect(readFileSync(join(folder.path, 'first.yaml'), 'utf8')).toContain('name: first')
  })

  it('starts no second node where its name could not be written down', async () => {
    using folder = tempFolder()
    await startOn('first', folder.path)
    rmSync(join(folder.path, 'first.yaml'))
    const { code, log } = await startOn('second', folder.path)
    expect(code).toBe(2)
    expect(log).toContain('This machine has the node first')
    expect(log).toContain('start it with --name first')
    expect(readdirSync(join(folder.path, 'data'))).toEqual(['first'])
  })
})
