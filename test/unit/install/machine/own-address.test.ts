import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  addressUnit,
  addressUnitText,
  assignAddress,
  removeAddress
} from '../../../../src/install/machine/own-address.ts'

const own = { address: 'fd12:3456:789a:1::5', prefix: 'fd12:3456:789a::/48' }

const refused = async (given: typeof own, device = 'eth0'): Promise<{ error: unknown; ran: unknown[] }> => {
  const ran: unknown[] = []
  const tools = {
    run: async (command: readonly string[]) => {
      ran.push(command)
      return { code: 1, out: '', err: 'not in this test' }
    },
    tell: () => {}
  }
  const assigned = assignAddress(given, { ...tools, device, persist: false })
  return { error: await assigned.catch((error: unknown) => error), ran }
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

describe('the own address', () => {
  test.each([
    ['a global address', { address: '2001:db8::5', prefix: '2001:db8::/48' }],
    ['one outside of the prefix', { address: 'fd12:3456:789b::5', prefix: own.prefix }],
    ['all unique local addresses', { address: own.address, prefix: 'fd00::/8' }],
    ['words of a shell', { address: own.address, prefix: 'fd12:3456:789a::/48; reboot' }],
    ['a new line', { address: own.address, prefix: 'fd12:3456:789a::/48\nExecStart=/bin/true' }],
    ['loopback', { address: '::1', prefix: '::/48' }]
  ])('is not taken from a process that says %s', async (_, given) => {
    const { error, ran } = await refused(given)
    expect(String(error)).toContain('names no unique local address')
    expect(ran).toEqual([])
    await expect(
      removeAddress(given, { run: async () => ({ code: 0, out: '', err: '' }), tell: () => {} })
    ).rejects.toThrow('names no unique local address')
  })

  test.each(['-x', 'a b', "eth0';reboot;'", 'eth0\n', '', 'e'.repeat(16), '$(reboot)', '%n'])(
    'is put on no interface called %j',
    async (device) => {
      const { error, ran } = await refused(own, device)
      expect(String(error)).toContain('is no name of an interface')
      expect(ran).toEqual([])
    }
  )

  test('is said to come back where a unit does that, also when that was asked for before', async () => {
    const units = mkdtempSync(join(tmpdir(), 'trustnet-units-'))
    folders.push(units)
    const told: string[] = []
    const tools = {
      run: async () => ({ code: 0, out: '', err: '' }),
      tell: (text: string) => void told.push(text),
      units
    }
    await assignAddress(own, { ...tools, device: 'eth0', persist: false })
    expect(told.at(-1)).toContain('gone after a reboot')
    writeFileSync(join(units, addressUnit(own)), addressUnitText(own, 'eth0', true))
    await assignAddress(own, { ...tools, device: 'eth0', persist: false })
    expect(told.at(-1)).toContain(`${addressUnit(own)} brings it back`)
  })

  test('comes back by a unit with the same commands, in the order address, route', () => {
    expect(addressUnit(own)).toBe('trustnet-address-fd12-3456-789a.service')
    const text = addressUnitText(own, 'eth0', true)
    expect(text).toContain(
      "ExecStart=/bin/sh -ec 'ip -6 address replace fd12:3456:789a:1::5/128 dev eth0 nodad; ip -6 route replace fd12:3456:789a::/48 dev eth0 proto static src fd12:3456:789a:1::5'"
    )
    expect(addressUnitText(own, 'lo', false)).not.toContain('route')
  })
})
