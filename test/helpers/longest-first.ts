import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take more than half a minute, the longest first: one that begins last would keep everybody waiting. */
export const longest = [
  'hosts/install/install',
  'attacks/machine/service-user',
  'integration/cli/cli-broken-off',
  'integration/process/release',
  'hosts/install/upgrade',
  'hosts/install/install-ipv6',
  'hosts/network/faults',
  'attacks/wire/floods',
  'attacks/admission/waiting-joins',
  'integration/cli/cli-outputs',
  'hosts/install/install-dns',
  'hosts/install/install-systemd',
  'hosts/install/install-docker',
  'integration/process/refused-starts',
  'hosts/install/install-signals',
  'integration/registry/store-gone',
  'integration/cli/cli-signals',
  'attacks/admission/invite-uses',
  'attacks/log/clock-jumps',
  'attacks/log/thief-at-the-head',
  'integration/registry/authority-revoke',
  'attacks/log/old-log-key',
  'integration/process/wrong-clocks',
  'integration/cli/cli-conditions',
  'integration/cli/cli-at-work',
  'hosts/network/late-address',
  'hosts/install/install-wizard',
  'hosts/network/phases',
  'integration/host/long-sleep',
  'integration/registry/registry-promote',
  'integration/network/network-join',
  'integration/cli/cli-daemons',
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
