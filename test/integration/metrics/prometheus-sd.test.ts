import { expect, vi } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { testWith } from '../../helpers/commands/tool.ts'
import { freePort } from '../../helpers/free-port.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { Prometheus } from '../../helpers/servers/prometheus.ts'

testWith('prometheus')('a real Prometheus finds members by their services at a node, and scrapes them', async () => {
  await using network = await TestNetwork.create()
  const [port, elsewhere] = [await freePort(), await freePort()]
  const hal = await network.join('hal', {
    'http.listen': `[::1]:${port}`,
    services: [
      { name: 'metrics', port, protocol: 'tcp', tags: ['trustnet', '"}, {"'] },
      { name: 'web', port: elsewhere, protocol: 'tcp' }
    ]
  })
  const sd = `${hal.httpUrl}/prometheus-sd`
  const targets = async (query = ''): Promise<unknown> => (await fetch(`${sd}${query}`)).json()
  await eventually(async () => JSON.stringify(await targets()).includes('web'))
  expect(await targets('?tag=trustnet')).toMatchObject([{ targets: [`[::1]:${port}`] }])
  expect(await targets('?port=9100')).toHaveLength(2)
  expect((await fetch(`${sd}?port=70000`)).status).toBe(400)

  await using prometheus = await Prometheus.start({ discovery: `${sd}?service=metrics` })
  await vi.waitFor(
    async () => {
      const [up] = await prometheus.query('up')
      expect(up).toMatchObject({ value: '1', metric: { member: 'hal', service: 'metrics', instance: `[::1]:${port}` } })
    },
    { timeout: ceilingMs, interval: 100 }
  )
})
