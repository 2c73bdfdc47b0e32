import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take more than half a minute, the longest first: one that begins last would keep everybody waiting. Those that wait stand between those that compute. */
export const longest = [
  'hosts/install/install',
  'attacks/admission/waiting-joins',
  'attacks/machine/service-user',
  'attacks/wire/floods',
  'hosts/install/install-ipv6',
  'integration/cli/cli-broken-off',
  'attacks/admission/invite-uses',
  'hosts/network/faults',
  'hosts/install/install-dns',
  'hosts/install/upgrade',
  'attacks/log/clock-jumps',
  'integration/cli/cli-outputs',
  'attacks/log/thief-at-the-head',
  'hosts/install/install-systemd',
  'integration/process/release',
  'hosts/install/install-docker',
  'hosts/network/late-address',
  'integration/registry/store-gone',
  'attacks/log/old-log-key',
  'integration/process/refused-starts',
  'integration/registry/authority-revoke',
  'integration/cli/cli-signals',
  'integration/process/wrong-clocks',
  'hosts/install/install-signals',
  'integration/registry/registry-promote',
  'integration/cli/cli-conditions',
  'integration/host/long-sleep',
  'integration/cli/cli-at-work',
  'hosts/network/phases',
  'integration/cli/cli-daemons',
  'integration/network/network-join',
  'hosts/install/install-wizard',
  'integration/cli/cli-drill'
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
