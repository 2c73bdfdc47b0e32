import { expect, it } from 'vitest'
import type { MatrixView } from '../../../src/node/api/control-api.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt, probeAll } from '../../helpers/network-views.ts'

/** `from → to` of each pair that is known, with `+` for reached and `!` for one-way. */
const pairsOf = ({ pairs }: MatrixView): string[] =>
  pairs
    .filter(({ reaches }) => reaches !== null)
    .map(
      ({ from, to, reaches, oneWay }) => `${from.name} ${reaches === true ? '+' : '-'}${oneWay ? '!' : ''} ${to.name}`
    )
    .toSorted()

it('shows at every node who reaches whom and at which address, as each member says, and the pairs that are one-way', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const open = await network.join('open')
  // Nobody listens at the address that it tells, as behind a firewall that lets nothing in; a registry is never called outbound for it.
  const shut = await network.join('shut', { role: 'secondary', 'announce.addresses': ['/ip6/::1/tcp/1'] })
  await eventually(() => network.nodes.every((node) => node.registry.records.count() === 3))
  await probeAll(root, memberAt(root, 'shut').publicKey)
  const view = await open.control.matrix()
  expect(pairsOf(view)).toEqual([
    'open + root',
    'open -! shut',
    'root + open',
    'root -! shut',
    'shut +! open',
    'shut +! root'
  ])
  const said = view.members.find(({ name }) => name === 'shut')?.addresses
  expect(said?.map(({ address }) => address)).toEqual([`/ip6/::1/tcp/1/p2p/${shut.peerId}`])
  expect(
    said?.[0]?.words.map(({ prober, registry, failure }) => [prober.name, registry.name, failure]).toSorted()
  ).toEqual([
    ['open', 'root', 'refused'],
    ['root', 'root', 'refused']
  ])
  // What the root was told is all that it shows itself.
  expect(pairsOf(await root.control.matrix())).toEqual(pairsOf(view))
  expect(await shut.control.matrix({ limit: 1 })).toMatchObject({ total: 3, members: [{ name: 'shut' }] })
  const pages: MatrixView[] = []
  for (let offset: number | null = 0; offset !== null; offset = pages.at(-1)?.next ?? null)
    pages.push(await open.control.matrix({ limit: 2, offset }))
  expect(pages.map(({ members, next }) => [members.length, next])).toEqual([
    [2, 2],
    [1, null]
  ])
  expect(pages[0]?.members[0]?.name).toBe('shut')
  expect(new Set(pages.flatMap(({ members }) => members.map(({ name }) => name)))).toEqual(
    new Set(['shut', 'root', 'open'])
  )
  expect(pages.flatMap(pairsOf).toSorted()).toEqual(pairsOf(view))
  const why = await open.control.why({ peer: 'shut' })
  const [at] = why.addresses
  expect(at?.address).toBe(`/ip6/::1/tcp/1/p2p/${shut.peerId}`)
  expect(at?.words).toHaveLength(2)
  expect(at?.dials.at(-1)?.error).toContain('nobody listens there')
  expect(why.record?.way).toMatch(/sync|gossip|registry|session/)
})
