import { describe, expect, test } from 'vitest'
import { placesOf } from '../../../../src/node/http/page/places.ts'
import { isFound, nameOf, rttText, spanText, timeText } from '../../../../src/node/http/page/words.ts'

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
    [0.42, '0.4 ms'],
    [211.6, '212 ms']
  ])('a round trip of %s ms is "%s"', (ms, text) => expect(rttText(ms)).toBe(text))

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
