import { expect, it } from 'vitest'
import { whyNoPowerCuts } from '../../faults/disk.ts'
import { killMany } from '../../faults/kills.ts'
import { cutPowerMany } from '../../faults/power-cuts.ts'
import { cutStorePower } from '../../faults/store-power-cuts.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'

/** A few each time; `npm run faults` does as many as it is told. */
const kills = 6
const cuts = 3

it('a registry that is killed under load has lost nothing that it acknowledged, and signs nothing twice', async () => {
  expect(await killMany(kills)).toBeGreaterThan(10 * kills)
})

describeUnless(whyNoPowerCuts())('a registry whose power is cut', () => {
  it('has lost nothing that it acknowledged', async () => {
    expect(await cutPowerMany(cuts)).toBeGreaterThan(10 * cuts)
  })

  it('keeps a store that was being fetched and written whole, or goes on with it', async () => {
    expect(await cutStorePower(cuts)).toBeGreaterThan(0)
  })
})
