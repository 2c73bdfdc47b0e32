import { join } from 'node:path'
import { type Config, parseConfig } from '../../src/node/config/index.ts'

export type Flags = Readonly<Record<string, unknown>>

const often = '100000000/1s'
/** A machine that is busy with something else makes the figures worse, and ends no benchmark. */
export const helloMs = 60_000

/** For benchmarks that ask for more than any peer may: what a remote is limited to is not what the machine can do. */
export const liftedLimits: Flags = {
  'protocols.hello.deadline': `${helloMs}ms`,
  'protocols.hello.settle': `${helloMs}ms`,
  'protocols.register.frames': often,
  'protocols.register.puts': often,
  'protocols.register.requests': often,
  'protocols.register.heartbeats': often,
  'protocols.register.registers': often,
  'protocols.register.registryRequests': often,
  'protocols.register.opens': often,
  'protocols.lookup.questions': often,
  'protocols.lookup.rate': often,
  'protocols.lookup.cost': often,
  'protocols.sync.rate': often,
  'protocols.connection.streams': often,
  'protocols.connection.frames': often
}

/** The configuration of one process of a network that lies in `folder`. */
export const benchConfig = (folder: string, name: string, flags: Flags = {}): Config =>
  parseConfig({
    env: {},
    homes: { config: folder, data: join(folder, 'data'), runtime: join(folder, 'run') },
    flags: {
      name,
      domain: 'bench.test',
      'listen.host': '::1',
      'listen.port': 0,
      'announce.allow': ['loopback'],
      // Nobody answers there, at once: nothing here needs DNS.
      'bootstrap.dnsServers': ['[::1]:1'],
      'bootstrap.dnsTimeout': '500ms',
      'backup.enabled': false,
      ...flags
    }
  }).config

export const rootName = 'root'

export interface NetworkSize {
  /** Besides the root, admitted by invites. */
  readonly members: number
  /** True: each has a record. */
  readonly records: boolean
  /** Each record names the root as the registry that holds the lease. */
  readonly leased?: boolean
  /** Whoever asks is let in; without it, by invite. */
  readonly open?: boolean
}
