import { expect, test, vi } from 'vitest'
import { rulesText } from '../../../src/install/monitoring/rules.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { freePort } from '../../helpers/free-port.ts'
import { Machines } from '../../helpers/machines.ts'
import { Prometheus } from '../../helpers/servers/prometheus.ts'

const waiting = { timeout: ceilingMs, interval: 100 }

test('a real Prometheus scrapes root and member; when the root is killed, the alerts for it fire, and those of the log do not', async () => {
  const ports = { root: await freePort(), a: await freePort() }
  const listen = (port: number) => ({ TRUSTNET_HTTP_LISTEN: `[::1]:${port}` })
  const addressOf = (port: number): string => `[::1]:${port}`
  await using machines = new Machines({})
  await machines.root(listen(ports.root))
  machines.start('a', ['node', 'start'], {
    TRUSTNET_INVITE: await machines.invite('a', 'integrated'),
    ...listen(ports.a)
  })
  await machines.member('a')
  const targets = Object.values(ports).map(addressOf)
  // Without the waits of the rules: a test does not watch for minutes.
  await using prometheus = await Prometheus.start({ rules: rulesText('0s'), targets })
  const firing = async (): Promise<string[]> =>
    (await prometheus.alerts())
      .filter(({ state }) => state === 'firing')
      .map(({ labels: { alertname, instance } }) => `${alertname} ${instance}`)

  await vi.waitFor(async () => {
    const online = await prometheus.query('sum by (instance) (trustnet_members{state="online"})')
    expect(new Map(online.map(({ metric, value }) => [metric['instance'], value]))).toEqual(
      new Map(targets.map((instance) => [instance, '2']))
    )
    expect((await firing()).filter((alert) => alert.includes('Down'))).toEqual([])
  }, waiting)

  await machines.stop('root', 'SIGKILL')
  await vi.waitFor(
    async () =>
      expect(await firing()).toEqual(
        expect.arrayContaining([
          `TrustNetNodeDown ${addressOf(ports.root)}`,
          `TrustNetRootDown ${addressOf(ports.a)}`,
          `TrustNetNoLease ${addressOf(ports.a)}`
        ])
      ),
    waiting
  )
  const others = (await firing()).filter((alert) => /Forked|Store|Alarm|RootStopped/.test(alert))
  expect(others).toEqual([])
})
