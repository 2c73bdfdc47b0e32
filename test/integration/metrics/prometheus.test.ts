import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { rulesText } from '../../../src/install/monitoring/rules.ts'
import { controlClient } from '../../../src/node/api/client.ts'
import { devPid, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { Prometheus } from '../../helpers/servers/prometheus.ts'
import { tempFolder } from '../../helpers/temp.ts'

const waiting = { timeout: ceilingMs, interval: 100 }

test('a real Prometheus scrapes a dev network; when the root is killed, the alerts for it fire, and those of the log do not', async () => {
  using folder = tempFolder()
  const dev = startProgram(['dev', '--nodes', '1', '--dir', folder.path], {})
  try {
    await vi.waitFor(() => expect(dev.soFar()).toContain('3 members: 3 online'), waiting)
    const addressOf = async (name: string): Promise<string> => {
      const { http } = await controlClient({ path: join(folder.path, 'run', `${name}.sock`) }).status()
      return new URL(http ?? '').host
    }
    const [root, ...others] = await Promise.all(['root', 'secondary', 'node-1'].map(addressOf))
    const targets = [root ?? '', ...others]
    // Without the waits of the rules: a test does not watch for minutes.
    await using prometheus = await Prometheus.start({ rules: rulesText('0s'), targets })
    const firing = async (): Promise<string[]> =>
      (await prometheus.alerts())
        .filter(({ state }) => state === 'firing')
        .map(({ labels: { alertname, instance } }) => `${alertname} ${instance}`)

    await vi.waitFor(async () => {
      const online = await prometheus.query('sum by (instance) (trustnet_members{state="online"})')
      expect(new Map(online.map(({ metric, value }) => [metric['instance'], value]))).toEqual(
        new Map(targets.map((instance) => [instance, '3']))
      )
      expect((await firing()).filter((alert) => alert.includes('Down'))).toEqual([])
    }, waiting)

    process.kill(devPid(folder.path, 'root'), 'SIGKILL')
    const due = [`TrustNetNodeDown ${root}`, ...others.map((instance) => `TrustNetRootDown ${instance}`)]
    await vi.waitFor(async () => expect(await firing()).toEqual(expect.arrayContaining(due)), waiting)
    const strange = (await firing()).filter((alert) => /Forked|Store|Alarm|RootStopped/.test(alert))
    expect(strange).toEqual([])
  } finally {
    dev.process.kill('SIGTERM')
    await dev.ended
  }
})
