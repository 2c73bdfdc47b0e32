import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take more than half a minute, the longest first: one that begins last would keep everybody waiting. Those that wait stand between those that compute. */
export const longest = [
  'attacks/machine/service-user',
  'hosts/install/install',
  'integration/cli/dev-live',
  'hosts/install/install-wizard',
  'hosts/network/pinholes',
  'integration/cli/cli-broken-off',
  'hosts/network/faults',
  'attacks/wire/floods',
  'hosts/install/upgrade',
  'attacks/log/flooded-log',
  'hosts/install/install-dns',
  'integration/cli/cli-signals',
  'attacks/admission/waiting-joins',
  'integration/cli/cli-drill',
  'hosts/install/install-ipv6',
  'integration/cli/cli-outputs',
  'hosts/network/relay/relay',
  'integration/cli/cli-daemons',
  'hosts/install/install-systemd',
  'integration/network/network-restore',
  'hosts/install/install-docker',
  'integration/witness/witnesses',
  'integration/root-store/etcd-killed-roots',
  'hosts/network/phases',
  'integration/registry/registry-promote',
  'hosts/install/install-signals',
  'integration/cli/cli-conditions',
  'conformance/client',
  'attacks/log/old-epoch-evidence',
  'integration/process/wrong-clocks',
  'integration/registry/authority-revoke',
  'attacks/admission/invite-uses',
  'integration/network/network-join',
  'integration/tracing/otlp',
  'attacks/log/thief-at-the-head',
  'integration/registry/peers-compare',
  'integration/cli/cli-dev',
  'integration/process/refused-starts',
  'integration/registry/store-gone',
  'integration/network/network-liveness',
  'attacks/log/old-log-key',
  'conformance/registry',
  'integration/cli/path-errors',
  'hosts/network/matrix',
  'integration/root-store/killed-roots',
  'integration/cli/cli-at-work',
  'integration/registry/lying-registry',
  'hosts/network/late-address',
  'integration/network/network-instances',
  'attacks/log/lying-prober',
  'integration/host/long-sleep',
  'attacks/log/clock-jumps',
  'integration/process/release',
  'hosts/network/silent-sockets',
  'attacks/offered/wrong-stores',
  'attacks/wire/probe-places'
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
