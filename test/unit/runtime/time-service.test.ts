import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isClockServed } from '../../../src/runtime/machine/time-service.ts'
import { tempFolder } from '../../helpers/temp.ts'

const hour = 3_600_000
const nowMs = Date.UTC(2026, 5, 1)
const slackMs = hour / 6

it('knows nothing of a clock where no time service leaves a word', () => {
  expect(isClockServed({ nowMs, upMs: hour, slackMs, folder: '/nowhere/timesync' })).toBeUndefined()
})

it('knows nothing of a clock where that word cannot be read', () => {
  using home = tempFolder()
  symlinkSync('synchronized', join(home.path, 'synchronized'))
  expect(isClockServed({ nowMs, upMs: hour, slackMs, folder: home.path })).toBeUndefined()
})

it.each([
  ['has not set it yet', undefined, false],
  ['set it an hour before the machine started: it was moved since', -2 * hour, false],
  ['set it half an hour ago', -hour / 2, true],
  ['set it when the machine started', -hour, true],
  ['set it just now, by the file system', 1_000, true],
  ['set it in a time that is still to come: it was moved back since', hour, false]
])('a time service that %s', (_, sinceMs, served) => {
  using home = tempFolder()
  const folder = join(home.path, 'timesync')
  mkdirSync(folder)
  if (sinceMs !== undefined) {
    const file = join(folder, 'synchronized')
    writeFileSync(file, '')
    utimesSync(file, (nowMs + sinceMs) / 1_000, (nowMs + sinceMs) / 1_000)
  }
  expect(isClockServed({ nowMs, upMs: hour, slackMs, folder })).toBe(served)
})
