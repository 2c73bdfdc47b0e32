import { describe, expect, it } from 'vitest'
import type { Route } from '../../../src/node/api/route.ts'
import { routes } from '../../../src/node/api/routes.ts'
import { failureOf } from '../../../src/runtime/failures.ts'
import { TestNetwork } from '../../helpers/network.ts'

/** Names that every plain object answers to, of which the first may also be that of a member or a group, and a text that is nothing. */
const words = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', '%00 é/..']
/** Would end the node, or wait for others. */
const left = new Set(['leave', 'rotateIdentity', 'spread', 'backup'])

const samples = [1000, 500, true, 'root', 'online', 'open', 'hal', ['web'], 'delegate']
const sampleOf = (field: { safeParse(value: unknown): { success: boolean } }): unknown =>
  samples.find((value) => field.safeParse(value).success)

/** Inputs of an operation that have the word in one field, as text, in a list or as a key. */
const inputsWith = ({ input }: Route, word: string): object[] => {
  const fields = Object.entries(input.shape)
  const required = Object.fromEntries(
    fields.filter(([, field]) => !field.safeParse(undefined).success).map(([key, field]) => [key, sampleOf(field)])
  )
  const record = JSON.parse(`{"${word}":"${word}"}`)
  return fields.flatMap(([key, field]) =>
    [word, [word], record]
      .filter((value) => field.safeParse(value).success)
      .map((value) => ({ ...required, [key]: value }))
  )
}

describe('a running root', () => {
  it.each(words)(
    'takes %s in a field of any operation for a text that it does not know, or for a name',
    async (word) => {
      await using network = await TestNetwork.create()
      const { control } = network.node('root')
      const known = Object.getOwnPropertyNames(Object.prototype).toSorted()
      let calls = 0
      const bad: object[] = []
      for (const [name, route] of Object.entries(routes)) {
        for (const input of left.has(name) ? [] : inputsWith(route, word)) {
          calls++
          const call: (given: object) => Promise<object> = Reflect.get(control, name)
          const code = await call.call(control, input).then(
            () => 'answered',
            (error: unknown) => failureOf(error instanceof Error ? error : new Error(String(error))).code
          )
          if (code === 'INTERNAL') bad.push({ name, input })
        }
      }
      expect(bad).toEqual([])
      expect(calls).toBeGreaterThan(20)
      expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(known)
      expect(await control.status()).toMatchObject({ word: expect.any(String) })
    }
  )
})
