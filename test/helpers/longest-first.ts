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
    const known = files.filter((file) => rankOf(file) >= 0)
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which gives a new list
    const others = await super.sort(files.filter((file) => rankOf(file) < 0))
    return [...known.toSorted((a, b) => rankOf(a) - rankOf(b)), ...others]
  }
}

/** Place among the longest; -1: none. */
const rankOf = ({ moduleId }: TestSpecification): number =>
  longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
