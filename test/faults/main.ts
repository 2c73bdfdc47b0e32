import { parseArgs } from 'node:util'
import { whyNoPowerCuts } from './disk.ts'
import { killMany } from './kills.ts'
import { cutPowerMany } from './power-cuts.ts'
import { cutProgramPower, killProgramMany } from './program.ts'
import { killRootsMany, whyNoRootStore } from './root-store-kills.ts'
import { cutStorePower } from './store-power-cuts.ts'

/**
 * `npm run faults -- --kills 200 --power-cuts 20`: of a registry alone; with `--program` of `trustnet registry start` and real members over
 * sockets; `--store-cuts 20` of a store that is followed; `--root-store 200` of roots on
 * PostgreSQL. Ends with 1 when something was lost, or what CI asks for cannot be done here.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '0' },
    'power-cuts': { type: 'string', default: '0' },
    'store-cuts': { type: 'string', default: '0' },
    'root-store': { type: 'string', default: '0' },
    program: { type: 'boolean', default: false }
  }
})
const kills = Number(values.kills)
const cuts = Number(values['power-cuts'])
const storeCuts = Number(values['store-cuts'])
const [kill, cut] = values.program ? [killProgramMany, cutProgramPower] : [killMany, cutPowerMany]
const say = (line: string): void => void process.stdout.write(`${line}\n`)

if (kills > 0) say(`${kills} kills: ${await kill(kills, say)} acknowledgements, nothing lost, nothing signed twice`)
const roots = Number(values['root-store'])
const lacking = roots > 0 ? whyNoRootStore() : undefined
if (lacking !== undefined) {
  say(`kills of roots on a database are skipped: ${lacking}`)
  if (process.env['CI'] === 'true') process.exitCode = 1
} else if (roots > 0)
  say(
    `${roots} faults of roots on a database: ${await killRootsMany(roots, say)} acknowledgements, nothing lost, one history`
  )
const reason = cuts + storeCuts > 0 ? whyNoPowerCuts() : undefined
if (reason !== undefined) {
  say(`power cuts are skipped: ${reason}`)
  if (process.env['CI'] === 'true') process.exitCode = 1
} else {
  if (cuts > 0) say(`${cuts} power cuts: ${await cut(cuts, say)} acknowledgements, nothing lost, nothing signed twice`)
  if (storeCuts > 0)
    say(`${storeCuts} power cuts of a store: ${await cutStorePower(storeCuts, say)} blocks fetched again`)
}
