import { expect, it } from 'vitest'
import { whyNoPowerCuts } from '../../faults/disk.ts'
import { killMany } from '../../faults/kills.ts'
import { cutPowerMany } from '../../faults/power-cuts.ts'
import { cutStorePower } from '../../faults/store-power-cuts.ts'

const reason = whyNoPowerCuts()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`power cuts are skipped: ${reason}\n`)

/** A few each time; `npm run faults` does as many as it is told. */
const kills = 6
const cuts = 3

it('a registry that is killed under load has lost nothing that it acknowledged, and signs nothing twice', async () => {
  expect(await killMany(kills)).toBeGreaterThan(10 * kills)
})

it.skipIf(skipped)('nor has one whose power is cut', async () => {
  if (reason !== undefined) throw new Error(`CI must be able to cut the power: ${reason}`)
  expect(await cutPowerMany(cuts)).toBeGreaterThan(10 * cuts)
})

it.skipIf(skipped)('a store that is fetched and written while the power is cut is whole or goes on', async () => {
  if (reason !== undefined) throw new Error(`CI must be able to cut the power: ${reason}`)
  expect(await cutStorePower(cuts)).toBeGreaterThan(0)
})
