import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { ProcessMetrics } from '../../../src/node/metrics/index.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** Value of a metric with these labels, as text; undefined: it is not there. */
const sampleOf = (text: string, name: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1)

const metricsOf = ({ metrics }: TrustNode): ProcessMetrics => {
  if (metrics === undefined) throw new Error('it has no HTTP API')
  return metrics
}

it('what a root and a member measure follows the rules of Prometheus, and counts what happened', async () => {
  await using network = await TestNetwork.create({ 'http.listen': '[::1]:0' })
  const root = network.node('root')
  const metrics = metricsOf(root)
  const member = await network.join('a')
  const ofMember = metricsOf(member)

  await eventually(
    async () => sampleOf(await metrics.text(), 'trustnet_members{role="integrated",state="online"}') === '1'
  )
  await network.join('b')
  await eventually(async () => Number(sampleOf(await metrics.text(), 'trustnet_push_delivery_seconds_count')) > 0)
  const answer = await fetch(`${root.httpUrl}/metrics`)
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const text = await answer.text()
  execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  execFileSync('promtool', ['check', 'metrics'], { input: await ofMember.text(), encoding: 'utf8' })
  expect(sampleOf(text, 'trustnet_members{role="root",state="online"}')).toBe('1')
  expect(sampleOf(text, 'trustnet_members{role="secondary",state="offline"}')).toBe('0')
  expect(sampleOf(text, 'trustnet_admissions_total')).toBe('2')
  expect(sampleOf(text, 'trustnet_leases')).toBe('2')
  expect(sampleOf(text, 'trustnet_log_appends')).toBe('1')
  expect(sampleOf(text, 'trustnet_store_failing')).toBe('0')
  expect(Number(sampleOf(text, 'trustnet_store_commit_duration_seconds_count'))).toBeGreaterThan(0)
  const page = readFileSync('docs/monitoring.md', 'utf8')
  const names = `${text}\n${await ofMember.text()}`.match(/(?<=^# TYPE )trustnet_\w+/gm) ?? []
  expect(names.length).toBeGreaterThan(40)
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
  expect(Number(sampleOf(text, 'libp2p_noise_xxhandshake_successes_total'))).toBeGreaterThan(0)
  // A member says what members alone do, and nothing of what a root does.
  expect(sampleOf(await ofMember.text(), 'trustnet_lease_held')).toBe('1')
  expect(sampleOf(await ofMember.text(), 'trustnet_log_appends')).toBeUndefined()
})

it('a name of a member or a key is in no label', async () => {
  await using network = await TestNetwork.create({ 'http.listen': '[::1]:0' })
  const root = network.node('root')
  const metrics = metricsOf(root)
  for (let each = 0; each < 300; each++) root.attached.trust.culprits.exceeded('stream.slow', { peer: `peer-${each}` })
  const member = await network.join('a-member')
  // A part of a process is named after the registry that it follows.
  await eventually(() => member.services.parts.some(({ name }) => name.includes('root')))
  const text = await metrics.text()
  const labels = `${text}\n${await metricsOf(member).text()}`.split('\n').filter((line) => !line.startsWith('#'))
  expect(sampleOf(text, 'trustnet_limits_exceeded_total{limit="stream.slow"}')).toBe('300')
  for (const word of ['peer-', 'a-member', 'from root', '12D3KooW', '/ip6/'])
    expect(labels.filter((line) => line.includes(word))).toEqual([])
})

it('a process without an HTTP API gathers what is known when it is asked, for a report', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  expect(root.metrics).toBeUndefined()
  const { lines, dropped } = await root.control.metrics()
  const text = lines.join('\n')
  execFileSync('promtool', ['check', 'metrics'], { input: `${text}\n`, encoding: 'utf8' })
  expect(sampleOf(text, 'trustnet_log_forked')).toBe('0')
  expect(sampleOf(text, 'trustnet_members{role="secondary",state="online"}')).toBe('0')
  expect(text).toContain('http.listen is not set')
  expect(dropped).toBe(0)
})
