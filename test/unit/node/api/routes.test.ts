import { globSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { Route } from '../../../../src/node/api/route.ts'
import { routes } from '../../../../src/node/api/routes.ts'
import { failureOf } from '../../../../src/runtime/failures.ts'
import { ControlHome, ScriptedApi } from '../../../helpers/control-process.ts'

const table: [string, Route][] = Object.entries(routes)
let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('hal', new ScriptedApi())
})
afterAll(() => home[Symbol.asyncDispose]())

interface Answer {
  status: number
  error?: { code: string; name: string; message: string }
}

const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath: home.socket('hal'), method, path: `/v1/${path}`, agent: false }, (response) => {
      const answer = async (): Promise<Answer> => ({
        ...JSON.parse(Buffer.concat(await response.toArray()).toString()),
        status: response.statusCode ?? 0
      })
      resolve(answer())
    })
    call.on('error', reject)
    call.end(JSON.stringify(body))
  })

/** Something that the field takes. */
const samples = ['hal', 1000, 500, true, 'root', 'online', 'open', ['web'], 'delegate', 'info']
const sampleOf = (field: { safeParse(value: unknown): { success: boolean } }): unknown =>
  samples.find((value) => field.safeParse(value).success)
const validInput = ({ input }: Route): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input.shape).map(([key, field]) => [key, sampleOf(field)]))

describe.each(table)('%s', (name, route) => {
  test('takes what its route says', async () => {
    expect(await ask('POST', name, validInput(route))).toMatchObject({ status: 200, schema: 1 })
  })

  const bad: [string, Record<string, unknown> | unknown[] | null][] = [
    ['no object', null],
    ['a list', []],
    ['an unknown field', { ...validInput(route), nonsense: 1 }],
    ...Object.keys(route.input.shape).flatMap((key): [string, Record<string, unknown>][] =>
      [null, {}, [[]], Number.NaN, -1, 1.5, key === 'content' ? '*' : 'x'.repeat(17_000)].map((value) => [
        `${key}: ${JSON.stringify(value)?.slice(0, 10)}`,
        { ...validInput(route), [key]: value }
      ])
    ),
    ...Object.entries(route.input.shape)
      .filter(([, field]) => !field.safeParse(undefined).success)
      .map(([key]): [string, Record<string, unknown>] => [`no ${key}`, { ...validInput(route), [key]: undefined }])
  ]
  test.each(bad)('refuses %s with a code and the name of the field', async (what, input) => {
    const { status, error } = await ask('POST', name, input)
    expect({ status, code: error?.code, name: error?.name }).toEqual({
      status: 400,
      code: 'BAD_REQUEST',
      name: 'ControlInputError'
    })
    expect(error?.message).toMatch(/The request is not understood|(is|has) (less|more) than \d/)
    const [field = ''] = what.split(':')
    if (field in route.input.shape) expect(error?.message).toContain(field)
  })

  const tooLong = 'x'.repeat(17_000)
  const fields: [string, z.ZodType][] = Object.entries(route.input.shape)
  const texts = fields.filter(([, field]) =>
    field.safeParse(tooLong).error?.issues.every(({ code }) => code === 'too_big')
  )
  test.each(texts)('says how long %s may be, and asks for no other version', async (key) => {
    const { error } = await ask('POST', name, { ...validInput(route), [key]: tooLong })
    expect(error?.message).toMatch(new RegExp(`^${key} has more than \\d+ characters\\.$`))
  })

  test('is asked by GET, too, when it only reads', async () => {
    // A query has no lists: those of a question that has any may be left out.
    const plain = Object.entries(validInput(route)).filter(
      ([, value]) => value !== undefined && typeof value !== 'object'
    )
    const input = plain.map(([key, value]): [string, string] => [key, String(value)])
    const { status } = await ask('GET', `${name}?${new URLSearchParams(input)}`)
    expect(status).toBe(route.writes ? 400 : 200)
  })
})

test('a code is what programs act on: an error that has none is a fault of ours', () => {
  expect(failureOf(new RangeError('a mistake'))).toMatchObject({ code: 'INTERNAL' })
  expect(failureOf(Object.assign(new Error(), { name: 'constructor' })).code).toBe('INTERNAL')
})

test('no other file lists the operations: only the table and their handlers', () => {
  // Names of one word are also those of commands, fields and methods of a registry.
  const names = Object.keys(routes).filter((name) => /[A-Z]/.test(name))
  expect(names.length).toBeGreaterThan(8)
  const lists = globSync('src/**/*.ts').filter((file) => {
    const text = readFileSync(file, 'utf8')
    const listed = names.filter((name) => new RegExp(`(^\\s*(async )?|['"])${name}(['"]|:|\\(|\\s*=)`, 'm').test(text))
    return listed.length > names.length / 2
  })
  expect(lists.toSorted()).toEqual(['src/node/api/routes.ts', 'src/node/control/handlers.ts'])
})
