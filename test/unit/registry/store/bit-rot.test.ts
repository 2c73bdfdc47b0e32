import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { verifyStore } from '../../../../src/registry/backup/verify-store.ts'
import { openRegistry, type Registry } from '../../../../src/registry/registry.ts'
import { StoreError } from '../../../../src/runtime/errors.ts'
import { RealNetwork, recordBy } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** What a registry tells others of its network. */
const told = (registry: Registry): unknown => ({
  head: registry.replica.head,
  root: Buffer.from(registry.replica.state.root()).toString('hex'),
  entries: registry.replica.read(-1, 2 ** 24).map(({ envelope }) => Buffer.from(envelope).toString('hex')),
  records: registry.records.changesAfter(0, 1000).map(({ envelope }) => Buffer.from(envelope).toString('hex'))
})

it('a byte that the disk changed is found at the start or with the signatures, or it is nothing that others are told', async () => {
  await using network = await RealNetwork.create()
  using folder = tempFolder()
  const { rootKey, logKey, clock } = network
  const open = (path: string): Promise<Registry> =>
    openRegistry({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, { clock })
  for (let i = 0; i < 12; i++) {
    const key = SigningKey.generate()
    await network.admit(`node-${i}`, key)
    await network.root.records.put(recordBy(network.root, key, 1))
  }
  const before = told(network.root)
  await network.root.close()
  const whole = readFileSync(network.path('root'))
  const found = { start: 0, signatures: 0, nothing: 0 }

  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const place = mkdtempSync(join(folder.path, 'run-'))
      const path = join(place, 'registry.db')
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(at) ^ change, at)
      writeFileSync(path, bytes)
      let registry: Registry
      try {
        registry = await open(path)
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError)
        found.start++
        return
      }
      await registry.close()
      try {
        await verifyStore(path)
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError)
        found.signatures++
        return
      }
      const again = await open(path)
      expect(told(again)).toEqual(before)
      await again.close()
      found.nothing++
    }),
    { numRuns: 150 }
  )
  expect(found.start).toBeGreaterThan(0)
  expect(found.signatures).toBeGreaterThan(0)
})
