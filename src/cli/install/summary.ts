import { instructionsFor } from '../../dns/providers/instructions.ts'
import { providerNames, type RecordEdit } from '../../dns/providers/provider.ts'
import { stableAddress } from '../../install/machine/checks.ts'
import type { Answers } from '../../install/model/answers.ts'
import type { MachineFacts } from '../../install/model/facts.ts'
import type { Painter } from '../output/text.ts'
import { box, httpRow } from './result-card.ts'

const trustWords = {
  new: 'a new network',
  invite: 'an invite',
  network: 'its network id',
  'first-use': 'the first that answers'
} as const

/** Screen that boxes are drawn on. */
export interface Screen {
  readonly paint: Painter
  /** Columns of the terminal; undefined: there is none. */
  readonly columns: number | undefined
}

/** The machine as it was found. */
export const systemBox = (facts: MachineFacts, deployment: string, { paint, columns }: Screen): string[] => {
  const address = stableAddress(facts)
  const device = facts.ipv6.addresses.find((one) => one.address === address)?.device ?? '-'
  const { gateway } = facts.ipv6
  return box(
    'This machine',
    [
      ['Interface', device],
      ['IPv6', address ?? 'none that stays'],
      ['Gateway', gateway === null ? '-' : gateway.via],
      ['DNS servers', facts.resolvers.join(', ') || '-'],
      ['System', facts.os.name],
      ['Runtime', `Node ${process.versions.node}, ${facts.systemd ? 'systemd' : 'no systemd'}`],
      ['Target', deployment]
    ],
    paint,
    columns
  )
}

/** The record, and how it is entered. */
export const recordBox = (record: RecordEdit, provider: string, { paint, columns }: Screen): string[] => {
  const known = providerNames.find((name) => name === provider) ?? 'manual'
  const { how, check } = instructionsFor(record, { provider: known })
  const rows: (readonly [string, string])[] = [
    ['Name', record.name],
    ['Type', record.type],
    ['TTL', String(record.ttlSeconds)],
    ['Value', record.add.join(', ')],
    ['Look', check]
  ]
  const steps = how.flatMap(({ title, steps: each }) => [
    '',
    paint('bold', title),
    ...each.map((step, at) => `  ${at + 1}. ${step}`)
  ])
  return [...box('DNS record', rows, paint, columns), ...steps]
}

export const summaryBox = (answers: Answers, { paint, columns }: Screen): string[] =>
  box(
    'What will be installed',
    [
      ['Name', answers.name],
      ['Role', answers.role],
      ['Domain', answers.domain],
      ['Recognised by', trustWords[answers.trust.kind]],
      ['Port', String(answers.port)],
      ['Announces', answers.announce.length === 0 ? 'its stable addresses' : answers.announce.join(', ')],
      ...(answers.rootStore == null ? [] : [['Log kept by', answers.rootStore.url] as const]),
      ['HTTP', httpRow(answers) ?? 'off'],
      ...(answers.names === true ? [['Names', `of ${answers.domain} by systemd-resolved`] as const] : []),
      ['Deployment', answers.deployment]
    ],
    paint,
    columns
  )
