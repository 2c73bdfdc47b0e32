import { expect, test } from 'vitest'
import { clockDoubt } from '../../../../src/node/offline/evidence.ts'

const day = 86_400_000

test.each<[string, number[], string | undefined]>([
  ['nobody was heard', [], undefined],
  ['all agree', [0, 60_000, -300_000], undefined],
  ['one of two differs', [0, 9 * day], undefined],
  ['the only one differs', [9 * day], 'is 9 days ahead of those of 1 of 1 members'],
  ['most differ', [-26 * 3_600_000, 0, -26 * 3_600_000], 'is 26 hours behind those of 2 of 3 members']
])('a machine that is to be the root, where %s', (_, offs, said) => {
  if (said === undefined) expect(clockDoubt(offs)).toBeUndefined()
  else
    expect(clockDoubt(offs)).toContain(`the clock of this machine ${said} that were asked, and what a new root signs`)
})
