import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take more than a minute, the longest first: one that begins last would keep everybody waiting. */
export const longest = [
  'hosts/install/install',
  'hosts/network/faults',
  'attacks/log/old-log-key',
  'hosts/install/upgrade',
  'integration/cli/cli-broken-off',
  'attacks/machine/service-user',
  'hosts/install/install-signals',
  'attacks/admission/waiting-joins',
  'attacks/wire/floods',
  'integration/host/long-sleep',
  'attacks/admission/invite-uses',
  'integration/process/refused-starts',
  'integration/cli/cli-conditions',
  'hosts/install/install-docker',
  'hosts/install/install-systemd',
  'attacks/log/clock-jumps',
  'attacks/log/thief-at-the-head',
  'integration/registry/registry-promote'
]

/** Starts the files of `longest`, then the rest as vitest orders them: by what it measured, or by their size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return rank === -1 ? longest.length : rank
}
