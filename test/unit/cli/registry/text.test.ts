import { expect, test } from 'vitest'
import { registryText } from '../../../../src/cli/registry/text.ts'
import { registryStatusView } from '../../../helpers/commands/control-views.ts'

const shown = { epoch: 0, head: 7, ageMs: 12_000 }

test.each([
  [{ shown: null, behind: null }, 'how far its log goes is not known here'],
  [{ shown, behind: null }, 'was at entry 7 12s ago, not known since'],
  [{ shown, behind: 0 }, 'log up to date as of 12s ago'],
  [{ shown, behind: 1 }, '1 entry behind as of 12s ago'],
  [{ shown, behind: 5 }, '5 entries behind as of 12s ago']
])('of a registry that %j it says "%s"', (lag, words) => {
  const registries = registryStatusView.registries.map((row) => ({ ...row, ...lag }))
  expect(registryText({ ...registryStatusView, registries }, (_style, text) => text)).toContain(
    `connected, ${words}, -`
  )
})
