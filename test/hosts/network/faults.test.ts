import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostMembers, type Rows } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { LinkFaults } from '../link-faults.ts'
import { startNameServer } from '../name-server.ts'
import { SlowLink } from '../slow-link.ts'

const domain = 'example.test'
const secondaries = ['s1', 's2']
const registries = ['root', ...secondaries]
const nodes = Array.from({ length: 12 }, (_, index) => `n${index + 1}`)
const residents = [...registries, ...nodes]
const newcomers = ['x1', 'x2', 'x3']

/** The lease and the doubt that may follow it: by then the slowest way to notice has been gone. */
const detectMs = 180_000
/** The longest pause between two tries is one minute; a slow machine takes several. */
const recoverMs = 240_000
/** More than all that a test waits for one after the other. */
vi.setConfig({ testTimeout: 1_500_000, hookTimeout: 1_500_000 })

// A story: each test goes on where the one before it ended.
describeUnless(whyNoNamespaces())('three registries and twelve nodes when things go wrong', { shuffle: false }, () => {
  let network: HostNetwork
  let members: HostMembers
  let faults: LinkFaults
  const measured: string[] = []

  const note = (what: string, seconds: number): void => {
    measured.push(`${seconds.toFixed(1).padStart(6)} s  ${what}`)
  }
  const others = (...away: string[]) => members.names.filter((name) => !away.includes(name))

  /** Everybody sees all of them down, and why. */
  const noticed = async (what: string, down: readonly string[], by = others(...down)): Promise<void> => {
    note(`${what}: seen`, await members.peers(by, detectMs, (rows) => down.every((name) => isDown(rows, name))))
  }
  /** Everybody is online for everybody, and all hold the same. */
  const whole = async (what: string): Promise<void> => {
    const from = performance.now()
    const names = members.names
    await members.peers(names, recoverMs, (rows) => names.every((name) => rows.get(name)?.state === 'online'))
    note(`${what}: all online again`, (performance.now() - from) / 1000)
    await members.status(names, recoverMs, ({ registry, word }) => registry.lease !== null && word === 'healthy')
    await equal(names)
    note(`${what}: all replicas equal`, (performance.now() - from) / 1000)
  }
  /** The log and the records of all are those of the root. */
  const equal = async (names: readonly string[]): Promise<void> => {
    const [{ sync }, { peers }] = await Promise.all([members.client('root').status(), members.client('root').peers()])
    await members.status(names, recoverMs, (status) => status.sync.headHash === sync.headHash)
    await members.peers(names, recoverMs, (rows, self) =>
      peers.every(({ name, seq, addresses }) => {
        const row = rows.get(name)
        // A record with nothing but a higher seq is pushed to registries alone; the pulls of the others take minutes.
        const isNew = !registries.includes(self) || (row?.seq ?? -1) >= (seq ?? 0)
        return isNew && row?.addresses.join() === addresses.join()
      })
    )
  }

  beforeAll(async () => {
    network = new HostNetwork(['dns', ...residents, ...newcomers])
    members = new HostMembers(network, domain)
    faults = new LinkFaults(network)
    network.useNameServer(network.host('dns').address)
    await startNameServer(
      network,
      'dns',
      domain,
      ['root', ...secondaries].map((name) => `tnr IN AAAA ${network.host(name).address}`)
    )
    members.found()
    members.registry('root')
    await members.status(['root'], recoverMs, ({ membership }) => membership.state === 'member')
    for (const name of secondaries) await members.join(name, 'secondary')
    for (const name of nodes) members.node(name)
    await whole('started')
  })

  /** Lets something go wrong for as long as the test takes: the next one begins with a whole network whatever becomes of this one. */
  const during = async (wrong: () => void, end: () => void, seen: () => Promise<unknown>): Promise<void> => {
    wrong()
    try {
      await seen()
    } finally {
      end()
    }
  }

  const unplugged = (name: string, seen: () => Promise<unknown>): Promise<void> =>
    during(
      () => network.cable(name, 'down'),
      () => network.cable(name, 'up'),
      seen
    )
  const faulty = (wrong: () => void, seen: () => Promise<unknown>): Promise<void> =>
    during(wrong, () => faults.heal(), seen)

  afterAll(() => {
    process.stdout.write(`\nfaults, as every member sees them:\n${measured.join('\n')}\n`)
    network?.[Symbol.dispose]()
  })

  it('a killed node', async () => {
    await during(
      () => members.signal('n1', 'SIGKILL'),
      () => members.node('n1'),
      () => noticed('killed node', ['n1'], others('n1'))
    )
    await whole('killed node')
  })

  it('a frozen node', async () => {
    await during(
      () => members.signal('n2', 'SIGSTOP'),
      () => members.signal('n2', 'SIGCONT'),
      () => noticed('frozen node', ['n2'])
    )
    await whole('frozen node')
  })

  it('a node whose cable is pulled', async () => {
    await unplugged('n3', () =>
      Promise.all([
        noticed('pulled cable of a node', ['n3']),
        members.status(['n3'], detectMs, ({ word, registry }) => word === 'isolated' && registry.lease === null)
      ])
    )
    await whole('pulled cable of a node')
  })

  it('the root whose cable is pulled', async () => {
    await unplugged('root', async () => {
      await noticed('pulled cable of the root', ['root'])
      const { resilience } = await members.client('n1').status()
      expect(resilience.root.survives).toBe(true)
    })
    await whole('pulled cable of the root')
  })

  it('a frozen root', async () => {
    await during(
      () => members.signal('root', 'SIGSTOP'),
      () => members.signal('root', 'SIGCONT'),
      async () => {
        await noticed('frozen root', ['root'])
        const moved = await members.status(others('root'), detectMs, ({ registry }) => {
          return registry.lease !== null && registry.lease.name !== 'root'
        })
        note('frozen root: every lease is held elsewhere, after it was seen', moved)
      }
    )
    await whole('frozen root')
  })

  it('no DNS', async () => {
    await unplugged('dns', async () => {
      await members.end('n4', 'SIGTERM')
      members.node('n4')
      await whole('no DNS, a node restarts')
    })
  })

  it('a partition with registries on both sides, and joins on both', async () => {
    const withRoot = ['root', 's1', ...nodes.slice(0, 6)]
    const without = ['s2', ...nodes.slice(6)]
    await faulty(
      () => faults.cut([...withRoot, 'x1'], [...without, 'x2']),
      async () => {
        await Promise.all([
          noticed('partition, on the side of the root', without, withRoot),
          noticed('partition, on the other side', withRoot, without)
        ])
        const held = await members.status(others(), detectMs, ({ registry: { lease } }, name) => {
          return (withRoot.includes(name) ? withRoot : without).includes(String(lease?.name))
        })
        note('partition: every lease is held on the own side, after it was seen', held)
        members.node('x1')
        await members.status(['x1'], detectMs, ({ membership }) => membership.state === 'member')
        members.node('x2')
        await members.status(['x2'], detectMs, ({ membership }) => membership.state === 'pending')
      }
    )
    await whole('partition')
  })

  it('a partition that leaves nodes without any registry', async () => {
    const alone = ['n10', 'n11', 'n12']
    const rest = others(...alone)
    await faulty(
      () => faults.cut(alone, rest),
      async () => {
        await Promise.all([
          noticed('three nodes cut off, for all others', alone, rest),
          noticed('three nodes cut off, for themselves', rest, alone)
        ])
        const held = await members.status(alone, detectMs, ({ registry: { lease } }) =>
          alone.includes(String(lease?.name))
        )
        note('three nodes cut off: they hold the leases of each other, after it was seen', held)
      }
    )
    await whole('three nodes cut off')
  })

  it('a node that is heard by nobody, and one that hears nobody', async () => {
    await faulty(
      () => {
        faults.oneWay(['n5'], others('n5'))
        faults.oneWay(others('n6'), ['n6'])
      },
      async () => {
        await noticed('one-way cuts of two nodes', ['n5', 'n6'])
      }
    )
    await whole('one-way cuts of two nodes')
  })

  it('a secondary that the root does not hear', async () => {
    await faulty(
      () => faults.oneWay(['s1'], ['root']),
      async () => {
        const moved = await members.status(['s1'], detectMs, ({ registry: { lease } }) => {
          return lease !== null && lease.name !== 'root'
        })
        note('one-way cut between secondary and root: the secondary holds its lease elsewhere', moved)
        await whole('one-way cut between secondary and root, not healed')
      }
    )
    await whole('one-way cut between secondary and root')
  })

  it('every tenth packet lost', async () => {
    await faulty(
      () => faults.lose(10),
      async () => {
        members.node('x3')
        await members.status(['x3'], recoverMs, ({ membership }) => membership.state === 'member')
        await whole('10 % loss, not healed, a node joins')
      }
    )
    await whole('10 % loss')
  })

  it('a slow wire to the root and to two nodes', async () => {
    const links: SlowLink[] = []
    try {
      for (const name of ['root', 'n7', 'n8']) links.push(await SlowLink.insert(network, name, 100, 30))
      await members.status(['n7', 'n8'], recoverMs, ({ registry: { rttUs } }) => (rttUs ?? 0) > 120_000)
      await members.end('n9', 'SIGTERM')
      members.node('n9')
      await whole('100 ± 30 ms each way, not removed, a node restarts')
    } finally {
      for (const link of links) await link[Symbol.asyncDispose]()
    }
    await whole('100 ± 30 ms each way')
  })
})

const isDown = (rows: Rows, name: string): boolean => {
  const row = rows.get(name)
  return row !== undefined && ['suspect', 'offline', 'unknown'].includes(row.state) && row.reason !== null
}
