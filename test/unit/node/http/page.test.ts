import { describe, expect, test } from 'vitest'
import { edgesOf, groupsOf, leftOutText } from '../../../../src/node/http/page/graph.ts'
import { stopsOf, upBySlot } from '../../../../src/node/http/page/history-tab.ts'
import { placesOf } from '../../../../src/node/http/page/places.ts'
import { isFound, lagText, nameOf, rttText, spanText, timeText } from '../../../../src/node/http/page/words.ts'

const groupOf = (hub: string, size: number): [string, string[]] => [
  hub,
  Array.from({ length: size }, (_, k) => `${hub}-${k}`)
]

describe('places of the members', () => {
  test.each([[[7]], [[0, 0]], [[500, 500]], [[10, 0, 300, 2, 2, 60]], [[1000]]])(
    'groups of %j get places that do not cover each other',
    (sizes) => {
      const groups = new Map(sizes.map((size, index) => groupOf(`hub${index}`, size)))
      const places = [...placesOf(groups).values()]
      expect(places).toHaveLength(sizes.reduce((sum, size) => sum + size + 1, 0))
      const nearest = places.map(({ x, y }, index) =>
        Math.min(...places.flatMap((other, k) => (k === index ? [] : [Math.hypot(x - other.x, y - other.y)])))
      )
      expect(Math.min(...nearest)).toBeGreaterThan(34)
    }
  )

  test('the same groups have the same places, and another group moves nobody of the first', () => {
    const one = new Map([groupOf('root', 12)])
    const two = new Map([groupOf('root', 12), groupOf('second', 3)])
    expect(placesOf(one)).toEqual(placesOf(one))
    for (const [id, place] of placesOf(one)) expect(placesOf(two).get(id)).toEqual(place)
  })

  test('nobody has no places', () => expect(placesOf(new Map())).toEqual(new Map()))
})

describe('words', () => {
  test.each([
    [null, ''],
    [-5, '0 s'],
    [119_000, '119 s'],
    [121_000, '2 min'],
    [7_300_000, '2 h'],
    [200_000_000, '2 d']
  ])('a span of %s ms is "%s"', (ms, text) => expect(spanText(ms)).toBe(text))

  test.each([
    [null, ''],
    [420, '0.4 ms'],
    [211_600, '212 ms']
  ])('a round trip of %s µs is "%s"', (us, text) => expect(rttText(us)).toBe(text))

  test.each([
    [null, null, 'not known here'],
    [0, null, 'not known: at entry 7 12 s ago'],
    [0, 0, 'up to date 12 s ago'],
    [0, 3, '3 behind 12 s ago']
  ])('a registry that showed %s and is %s behind: "%s"', (epoch, behind, text) => {
    const shown = epoch === null ? null : { epoch, head: 7, ageMs: 12_000 }
    expect(lagText({ shown, behind })).toBe(text)
  })

  test('a time of another day has its date', () => {
    const now = Date.now()
    expect(timeText(now - 3 * 86_400_000, now)).toContain(' ')
    expect(timeText(now, now)).not.toContain(' ')
    expect(timeText(null)).toBe('')
  })

  test('who has no name is called by the end of its PeerId', () => {
    expect(nameOf({ peerId: '12D3KooWabcdefghij', name: null })).toBe('…cdefghij')
    expect(nameOf({ peerId: '12D3KooWabcdefghij', name: 'node-1' })).toBe('node-1')
  })

  test('a search finds what has all of its words, in any order and case', () => {
    expect(isFound('node-1 integrated online', 'ONLINE node')).toBe(true)
    expect(isFound('node-1 integrated online', 'offline node')).toBe(false)
  })
})

describe('the last day', () => {
  const timeline = (...ups: (number | null)[][]) => ({
    fromMs: 1000,
    slotMs: 2000,
    members: ups.map((up, n) => ({ peerId: `p${n}`, name: null, up }))
  })

  test('counts who was up and who was seen, and is silent where nobody was', () => {
    expect(upBySlot(timeline([null, 100, 50], [null, 0, null]))).toEqual([
      [1, 3, 5],
      [null, 1, 0.5],
      [null, 2, 1]
    ])
  })

  test('slots of one colour are one piece of the strip', () => {
    expect(stopsOf([null, null, 100, 100])).toEqual([
      'var(--line) 0.00%',
      'var(--line) 50.00%',
      'var(--online) 50.00%',
      'var(--online) 100.00%'
    ])
    expect(stopsOf([0])).toEqual(['var(--offline) 0.00%', 'var(--offline) 100.00%'])
  })
})

describe('the picture', () => {
  const member = (peerId: string, role: 'root' | 'secondary' | 'integrated', registry?: string) => ({
    peerId,
    name: peerId,
    self: peerId === 'me',
    role,
    state: 'online' as const,
    registry: registry === undefined ? null : { peerId: registry, name: registry }
  })
  const link = (from: string, to: string, rttUs: number | null, oneSided = false) => ({
    from,
    to,
    saidBy: [from],
    oneSided,
    rttUs
  })

  test('has a hub for each registry and each holder of a lease, and nobody twice', () => {
    const members = [
      member('root', 'root'),
      member('me', 'integrated', 'root'),
      member('hub', 'integrated', 'root'),
      member('leaf', 'integrated', 'hub'),
      member('lost', 'integrated')
    ]
    expect([...groupsOf(members)]).toEqual([
      ['root', ['me']],
      ['hub', ['leaf']],
      ['', ['lost']]
    ])
  })

  test('draws what is known of connections, leases that no connection shows, and of too many only its own', () => {
    const nodes = [member('root', 'root'), member('me', 'integrated', 'root'), member('other', 'integrated', 'root')]
    const kinds = (links: ReturnType<typeof link>[]) =>
      edgesOf({ nodes, links }).map(({ data }) => `${data.id} ${data['kind']}`)
    expect(kinds([link('me', 'root', 3), link('me', 'other', null, true)])).toEqual([
      'me root own',
      'me other one-sided',
      'other lease lease'
    ])
    const many = Array.from({ length: 2001 }, () => link('other', 'root', null))
    expect(kinds([...many, link('me', 'root', 3)])).toEqual(['me root own', 'other lease lease'])
    expect(leftOutText({ nodes, links: [...many, link('me', 'root', 3)] })).toContain('2001 of 2002 connections')
    expect(leftOutText({ nodes, links: many.slice(1) })).toBe('')
  })
})
