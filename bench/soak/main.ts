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
 * `npm run soak -- --minutes 30`: a root, a secondary, two nodes that stay, six that stop and start all the time, and one that is killed.
 * Writes what each process uses to a file, and ends with 1 when anything still grows after the warm-up.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, out: { type: 'string', default: 'soak.jsonl' } }
})
const until = performance.now() + Number(values.minutes) * 60_000
const steady = ['kept-0', 'kept-1']
const restless = ['guest-0', 'guest-1', 'guest-2', 'guest-3', 'guest-4', 'guest-5']
const secondary = 'second'
const killed = 'killed'
/** So many rounds, each of a second or two, between two kills: less than a lease, so that it comes back as itself. */
const roundsPerKill = 15
const names = ['root', 'secondary', 'others', 'restless'] as const
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const folder = mkdtempSync(join(tmpdir(), 'trustnet-soak-'))
{
  await using prepare = new Child<PrepareMethods>('prepare')
  await prepare.call('prepare', folder, { members: 0, records: false, open: true })
}
const soaking = (): Child<SoakingMethods> => new Child<SoakingMethods>('soaking')
const processes = { root: soaking(), secondary: soaking(), others: soaking(), restless: soaking() }
const samples: Record<(typeof names)[number], Sample[]> = { root: [], secondary: [], others: [], restless: [] }
const flags = { 'heartbeat.interval': '3s', 'heartbeat.timeout': '2s' }
let guestFlags: Record<string, unknown> = flags
let victim: Child<SoakingMethods> | undefined
let kills = 0

/** One node in a process of its own, killed without a goodbye; resolves when the next one with its folder has joined. */
async function killAndStart(): Promise<void> {
  if (victim !== undefined) {
    await victim.kill()
    kills++
  }
  victim = soaking()
  await victim.call('start', folder, killed, guestFlags)
  await victim.call('joined', killed)
}

async function round(number: number): Promise<void> {
  const { root, restless: guests } = processes
  const going = restless.filter((_, index) => (index + number) % 3 === 0)
  for (const name of going) await guests.call('stop', name)
  await root.call('invite', rootName, 'integrated')
  await Promise.all(going.map((name) => guests.call('start', folder, name, guestFlags)))
  if (number % roundsPerKill === 0) await killAndStart()
  await Promise.all(going.map((name) => guests.call('joined', name)))
  const taken: Partial<Record<string, Sample>> = {}
  for (const name of names) {
    const sample = await processes[name].call('sample')
    taken[name] = sample
    samples[name].push(sample)
  }
  appendFileSync(values.out, `${JSON.stringify({ atMs: Math.round(performance.now()), kills, ...taken })}\n`)
}

try {
  writeFileSync(values.out, '')
  const { root, secondary: second, others, restless: guests } = processes
  await root.call('start', folder, rootName, { role: 'root', 'admission.policy': 'open', ...flags })
  const invite = await root.call('invite', rootName, 'secondary')
  await second.call('start', folder, secondary, { role: 'secondary', ...flags }, invite)
  await second.call('joined', secondary)
  guestFlags = {
    ...flags,
    'bootstrap.peers': [await root.call('address', rootName), await second.call('address', secondary)],
    'bootstrap.trustOnFirstUse': true
  }
  for (const name of steady) await others.call('start', folder, name, guestFlags)
  for (const name of restless) await guests.call('start', folder, name, guestFlags)
  for (const name of steady) await others.call('joined', name)
  for (const name of restless) await guests.call('joined', name)
  for (let number = 0; performance.now() < until; number++) await round(number)
} finally {
  await endAll([...Object.values(processes), ...(victim === undefined ? [] : [victim])])
  rmSync(folder, { recursive: true, force: true })
}
for (const name of names) {
  for (const { what, before, after, isFlat } of judge(samples[name])) {
    say(`${isFlat ? 'flat ' : 'GROWS'} ${name} ${what}: ${Math.round(before)} → ${Math.round(after)}`)
    if (!isFlat) process.exitCode = 1
  }
}
say(`${samples.root.length} rounds, ${kills} kills, all samples in ${values.out}`)
