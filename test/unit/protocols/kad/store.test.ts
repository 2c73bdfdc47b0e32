import { describe, expect, test } from 'vitest'
import { ValueStore } from '../../../../src/protocols/kad/store.ts'

const value = (index: number): string => `/dht/record/${index}`

describe('ValueStore', () => {
  test('keeps what kad-dht puts as values', () => {
    const store = new ValueStore(2)
    store.put(value(1), Uint8Array.of(1))
    expect(store.get(value(1))).toEqual(Uint8Array.of(1))
    expect(store.has(value(2))).toBe(false)
    expect(() => store.get(value(2))).toThrow(expect.objectContaining({ name: 'NotFoundError' }))
  })

  test('a flood of provider records fills nothing', () => {
    const store = new ValueStore(2)
    for (let index = 0; index < 1_000; index++) store.put(`/dht/provider/${index}`, Uint8Array.of(1))
    expect(store.size).toBe(0)
  })

  test('never holds more than its bound; the value put longest ago makes room', () => {
    const store = new ValueStore(2)
    store.put(value(1), Uint8Array.of(1))
    store.put(value(2), Uint8Array.of(2))
    store.put(value(1), Uint8Array.of(3))
    store.put(value(3), Uint8Array.of(4))
    expect(store.size).toBe(2)
    expect(store.has(value(2))).toBe(false)
    expect(store.get(value(1))).toEqual(Uint8Array.of(3))
  })
})
