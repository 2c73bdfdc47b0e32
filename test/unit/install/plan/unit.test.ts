import { expect, it } from 'vitest'
import { planFor } from '../../../../src/install/apply/session.ts'
import { deploymentOf } from '../../../../src/install/deployments/index.ts'
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

it('a unit starts after the network and after what the machine sets its clock by', () => {
  const answers = resolveAnswers({ name: 'hal', domain: 'example.org', deployment: 'systemd', trustOnFirstUse: true })
  const text = unitText({ answers, layout: layoutOf(answers.name), version: '1.2.3' })
  expect(text).toMatch(/^After=network-online\.target time-sync\.target$/m)
  expect(text).not.toMatch(/^(Wants|Requires)=.*time-sync/m)
})

it('a unit names a manual page that the same install puts where man looks for it', () => {
  const answers = resolveAnswers({ name: 'hal', domain: 'example.org', deployment: 'systemd', trustOnFirstUse: true })
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined) throw new Error('no such deployment')
  const { steps, install } = planFor(answers, '1.2.3', deployment, { ipv6: [], firewall: [], dns: [] })
  const [, name, section] = /^Documentation=man:(\w+)\((\d)\)$/m.exec(unitText(install)) ?? []
  expect(steps.flatMap((step) => step.actions)).toContainEqual({
    kind: 'link',
    path: `/usr/local/share/man/man${section}/${name}.${section}`,
    target: `${install.layout.program}/current/share/man/man${section}/${name}.${section}`
  })
})
