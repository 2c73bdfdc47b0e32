import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Child, endAll } from '../harness/child.ts'
import type { PrepareMethods } from '../processes/prepare.ts'
import { type Case, cases } from './cases.ts'
import { type Ground, Loopback } from './ground.ts'
import { HonestWork, judgeWork } from './honest-work.ts'
import { judgeNames, namedBy, untilNamed } from './names.ts'
import {
  afterwards,
  atRest,
  costOf,
  judgeVictims,
  type Peaks,
  peaksBeside,
  type Rests,
  startVictims,
  type Victims
} from './victims.ts'

/**
 * `npm run hostile`: each hostile traffic against a root and a node in processes of their own, beside honest work; `-- --only WORDS` for some
 * of it, `--short` for some seconds of each in one network that they share, `--lifted` without the limits that a case is there to show,
 * `--json FILE` for the results. Ends with 1 when honest work failed or was slow, memory grew beyond its bound, the event loop stood
 * still, or somebody else than the attackers was named.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    short: { type: 'boolean', default: false },
    lifted: { type: 'boolean', default: false },
    json: { type: 'string' }
  }
})
const members = 300
const lookups = 100
/** Honest work before the first attack. */
const honestJoins = 2
const honestMs = 3_000
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const counts = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([what, count]) => `${count.toLocaleString('en-US')} ${what}`).join(', ') || 'nothing'

interface Result {
  readonly name: string
  readonly lines: string[]
  readonly faults: string[]
  /** Limits by which an attacker was named, in the counters and in the log of the root. */
  readonly named: string[]
  /** What the attackers did, and how it ended: nothing of both is no attack. */
  readonly happened: number
}

interface Scene {
  readonly ground: Ground
  readonly victims: Victims
  /** What they take beside honest work alone. */
  readonly usual: Peaks
  readonly work: HonestWork
  readonly folder: string
  /** Attackers of the cases before: what is left of theirs may be worked off, and named, during this one. */
  readonly earlier: Set<string>
}

interface Attacked {
  readonly result: Result
  /** Some of its faults are of time alone. */
  readonly isLate: boolean
  /** The others, which no second try takes back. */
  readonly lasting: string[]
  /** The victims at rest: the next attack on them begins there. */
  readonly after: Rests
}

const tries = 3

/** What took too long is tried again: a machine can stand still for a moment. */
async function attack(each: Case, scene: Scene, rested?: Rests): Promise<Attacked> {
  let attacked = await attackOnce(each, scene, rested)
  const faults: string[] = []
  for (let tried = 1; attacked.isLate && tried < tries; tried++) {
    say(`   ${each.name} is tried again: ${attacked.result.faults.join('; ')}`)
    faults.push(...attacked.lasting)
    attacked = await attackOnce(each, scene, attacked.after)
  }
  return { ...attacked, result: { ...attacked.result, faults: [...faults, ...attacked.result.faults] } }
}

async function attackOnce(each: Case, scene: Scene, rested?: Rests): Promise<Attacked> {
  const { ground, victims, usual, work, folder, earlier } = scene
  const { short: isShort } = values
  const lastsMs = isShort ? each.shortMs : each.ms
  const joins = isShort ? each.shortJoins : each.joins
  const before = rested ?? (await atRest(victims))
  const paceBefore = await work.pace()
  const namedBefore = await namedBy(victims.root)
  const from = performance.now()
  await ground.begin(each.name, victims.target)
  const done = await work.run(each.name, { lookups, joins, lastsMs: lastsMs * 0.8 }, victims)
  await pause(Math.max(0, lastsMs - (performance.now() - from)))
  if (each.isNamed) await untilNamed({ ...victims, before: namedBefore, earlier })
  const cost = await costOf(victims)
  const { sent, met, who } = await ground.end()
  const left = work.leave()
  const names = await judgeNames({ ...victims, folder, before: namedBefore, who, earlier })
  for (const peer of who) earlier.add(peer)
  await left
  const [after, paceAfter] = await Promise.all([afterwards(victims, before, isShort), work.pace()])
  const judged = [
    judgeVictims({ usual, before, cost, after }, isShort),
    judgeWork(done, lookups, paceBefore, paceAfter)
  ]
  const told = [`sent    ${counts(sent)}`, `ended   ${counts(met)}`, `named   ${names.named.join(', ') || 'nobody'}`]
  const lasting = [...judged.flatMap(({ faults }) => faults), ...names.faults]
  const result = {
    name: each.name,
    lines: [...told, ...judged.flatMap(({ lines }) => lines)],
    faults: [...lasting, ...judged.flatMap(({ late }) => late)],
    named: names.named,
    happened: [...sent.values(), ...met.values()].reduce((all, count) => all + count, 0)
  }
  return { result, after, isLate: judged.some(({ late }) => late.length > 0), lasting }
}

const usualPeaks = async (victims: Victims, work: HonestWork): Promise<Peaks> =>
  await peaksBeside(victims, async () => {
    await work.run('honest', { lookups, joins: honestJoins, lastsMs: honestMs }, victims)
    await work.leave()
  })

/** In a network of its own. */
async function runAlone(each: Case, prepared: string): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
  cpSync(prepared, folder, { recursive: true })
  await using ground = each.ground()
  const victims = await startVictims(folder, ground, values.lifted ? each.lifted : {})
  try {
    await using work = await HonestWork.start(victims, ground.honest, folder)
    const usual = await usualPeaks(victims, work)
    return (await attack(each, { ground, victims, usual, work, folder, earlier: new Set() })).result
  } finally {
    await endAll([victims.root, victims.node])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** All that need no namespaces, one after the other against the same two. */
async function runShort(chosen: readonly Case[], folder: string, done: (result: Result) => void): Promise<void> {
  await using ground = new Loopback()
  const lifted = values.lifted ? Object.assign({}, ...chosen.map((each) => each.lifted)) : {}
  const victims = await startVictims(folder, ground, lifted)
  try {
    await using work = await HonestWork.start(victims, ground.honest, folder)
    const usual = await usualPeaks(victims, work)
    let rested: Rests | undefined
    const earlier = new Set<string>()
    for (const each of chosen.filter(({ isOnLoopback, shortMs }) => isOnLoopback && shortMs > 0)) {
      const { result, after } = await attack(each, { ground, victims, usual, work, folder, earlier }, rested)
      rested = after
      done(result)
    }
  } finally {
    await endAll([victims.root, victims.node])
  }
}

const prepared = mkdtempSync(join(tmpdir(), 'trustnet-hostile-'))
const results: Result[] = []
const tell = (result: Result): void => {
  results.push(result)
  say(`\n== ${result.name}`)
  for (const line of result.lines) say(`   ${line}`)
}
const chosen = cases.filter(({ name }) => name.includes(values.only))
try {
  {
    await using prepare = new Child<PrepareMethods>('prepare')
    await prepare.call('prepare', prepared, { members, records: true, open: true })
  }
  if (values.short) await runShort(chosen, prepared, tell)
  for (const each of values.short ? [] : chosen) {
    const reason = each.whyNot()
    if (reason === undefined) tell(await runAlone(each, prepared))
    else say(`\n== ${each.name}\n   skipped: it ${reason}`)
  }
} finally {
  rmSync(prepared, { recursive: true, force: true })
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results))
const faults = results.flatMap(({ name, faults: found }) => found.map((fault) => `${name}: ${fault}`))
for (const fault of faults) say(`FAILED ${fault}`)
if (faults.length > 0) process.exitCode = 1
