import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child, endAll } from '../harness/child.ts'
import { rootName } from '../harness/network.ts'
import type { PrepareMethods } from '../processes/prepare.ts'
import type { Sample, SoakingMethods } from '../processes/soaking.ts'
import { judge } from './judge.ts'

/**
 * `npm run soak -- --minutes 30`: a root, two nodes that stay and six that stop and start all the time.
 * Writes what each process uses to a file, and ends with 1 when anything still grows after the warm-up.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, out: { type: 'string', default: 'soak.jsonl' } }
})
const until = performance.now() + Number(values.minutes) * 60_000
const steady = ['kept-0', 'kept-1']
const restless = ['guest-0', 'guest-1', 'guest-2', 'guest-3', 'guest-4', 'guest-5']
const names = ['root', 'others', 'restless'] as const
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const folder = mkdtempSync(join(tmpdir(), 'trustnet-soak-'))
{
  await using prepare = new Child<PrepareMethods>('prepare')
  await prepare.call('prepare', folder, { members: 0, records: false, open: true })
}
const [root, others, guests] = names.map(() => new Child<SoakingMethods>('soaking'))
if (root === undefined || others === undefined || guests === undefined) throw new Error('no processes')
const flags = { 'heartbeat.interval': '3s', 'heartbeat.timeout': '2s' }
const samples: Record<(typeof names)[number], Sample[]> = { root: [], others: [], restless: [] }

async function round(number: number): Promise<void> {
  if (root === undefined || others === undefined || guests === undefined) return
  const going = restless.filter((_, index) => (index + number) % 3 === 0)
  for (const name of going) await guests.call('stop', name)
  await root.call('invite')
  await Promise.all(going.map((name) => guests.call('start', folder, name, guestFlags)))
  await Promise.all(going.map((name) => guests.call('joined', name)))
  const taken = {
    root: await root.call('sample'),
    others: await others.call('sample'),
    restless: await guests.call('sample')
  }
  for (const name of names) samples[name].push(taken[name])
  appendFileSync(values.out, `${JSON.stringify({ atMs: Math.round(performance.now()), ...taken })}\n`)
}

let guestFlags: Record<string, unknown> = flags
try {
  writeFileSync(values.out, '')
  await root.call('start', folder, rootName, { role: 'root', 'admission.policy': 'open', ...flags })
  guestFlags = {
    ...flags,
    'bootstrap.peers': [await root.call('address', rootName)],
    'bootstrap.trustOnFirstUse': true
  }
  for (const name of steady) await others.call('start', folder, name, guestFlags)
  for (const name of restless) await guests.call('start', folder, name, guestFlags)
  for (const name of steady) await others.call('joined', name)
  for (const name of restless) await guests.call('joined', name)
  for (let number = 0; performance.now() < until; number++) await round(number)
} finally {
  await endAll([root, others, guests])
  rmSync(folder, { recursive: true, force: true })
}
for (const name of names) {
  for (const { what, before, after, isFlat } of judge(samples[name])) {
    say(`${isFlat ? 'flat ' : 'GROWS'} ${name} ${what}: ${Math.round(before)} → ${Math.round(after)}`)
    if (!isFlat) process.exitCode = 1
  }
}
say(`${samples.root.length} rounds, all samples in ${values.out}`)
