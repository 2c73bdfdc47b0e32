import { expect, it } from 'vitest'
import { layoutOf } from '../../../../src/install/model/layout.ts'
import { resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { unitText } from '../../../../src/install/plan/unit.ts'

it('a unit bounds memory and tasks, writes no core, and gives the process nothing that it does not need', () => {
  const answers = resolveAnswers({ name: 'hal', domain: 'example.org', deployment: 'systemd', trustOnFirstUse: true })
  const lines = unitText({ answers, layout: layoutOf(answers.name), version: '1.2.3' }).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'MemoryMax=4G',
      'TasksMax=128',
      'LimitCORE=0',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict'
    ])
  )
})
