import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { loadOrCreateKey } from '../../../../src/identity/key-file.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { dataFiles } from '../../../../src/node/config/paths.ts'
import type { Config } from '../../../../src/node/config/schema.ts'
import { createNetworkHere } from '../../../../src/node/offline/create-network.ts'
import { refuseUnfinished } from '../../../../src/node/offline/unfinished-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const passphrase = 'a passphrase of some length'

const rootIn = (folder: string): Config => {
  const lines = [
    'name: root',
    'role: root',
    'domain: unfinished.invalid',
    'paths:',
    `  data: ${join(folder, 'data')}`,
    'bootstrap:',
    "  dnsServers: ['[::1]:1']"
  ]
  return parseConfig({ text: lines.join('\n'), env: {} }).config
}

const make = (config: Config, onMade?: (networkId: string) => void): Promise<unknown> =>
  createNetworkHere(config, { passphrase, newNetwork: true, ...(onMade !== undefined && { onMade }) })

/** Leftovers of a process that is killed when all is made and nobody has heard of it. */
const killedAtEnd = async (from: string, to: string, onMade?: (networkId: string) => void): Promise<Config> => {
  await make(rootIn(from), (networkId) => {
    cpSync(from, to, { recursive: true, force: true })
    onMade?.(networkId)
  })
  const config = rootIn(to)
  const { unfinished } = dataFiles(config.paths.data)
  writeFileSync(unfinished, readFileSync(unfinished, 'utf8').replace(/ \d+/, ' 1'))
  return config
}

describe('a network that was not made to its end', () => {
  const left = tempFolder()
  beforeAll(async () => {
    using from = tempFolder()
    await killedAtEnd(from.path, left.path)
  })
  afterAll(() => left[Symbol.dispose]())

  const last = ['recoveryKit', 'nextRecoveryKit', 'store', 'operatorKey', 'logKey'] as const
  test.each(last.map((name, at) => [name, last.slice(0, at + 1)] as const))(
    'is made anew by the next init when its process was killed before %s was there',
    async (_, missing) => {
      using to = tempFolder()
      cpSync(left.path, to.path, { recursive: true })
      const config = rootIn(to.path)
      const files = dataFiles(config.paths.data)
      for (const name of missing) rmSync(files[name])
      expect(() => refuseUnfinished(config)).toThrow('call `trustnet init` again')
      await make(config)
      expect(existsSync(files.unfinished)).toBe(false)
      expect(existsSync(files.recoveryKit)).toBe(true)
      expect(() => refuseUnfinished(config)).not.toThrow()
    }
  )

  it('is whole where the configuration names it: the start takes it', async () => {
    using from = tempFolder()
    using to = tempFolder()
    const { networkId } = await createNetworkHere(rootIn(from.path), {
      passphrase,
      newNetwork: true,
      onMade: () => cpSync(from.path, to.path, { recursive: true })
    })
    const config = rootIn(to.path)
    expect(() => refuseUnfinished({ ...config, networkId })).not.toThrow()
    expect(existsSync(dataFiles(config.paths.data).unfinished)).toBe(false)
  })

  it('is whole where the configuration names it: another init refuses, and removes nothing', async () => {
    using from = tempFolder()
    using to = tempFolder()
    let networkId = ''
    const onMade = (made: string): void => {
      networkId = made
    }
    const config = await killedAtEnd(from.path, to.path, onMade)
    for (const newNetwork of [false, true]) {
      await expect(createNetworkHere({ ...config, networkId }, { passphrase, newNetwork })).rejects.toThrow(
        'holds a network already'
      )
    }
    const { recoveryKit, logKey, store } = dataFiles(config.paths.data)
    expect([recoveryKit, logKey, store].filter((path) => !existsSync(path))).toEqual([])
  })

  it('is left alone while its process lives', async () => {
    using folder = tempFolder()
    const config = rootIn(folder.path)
    let second: Promise<unknown> | undefined
    await make(config, () => {
      second = make(config).catch(String)
    })
    expect(await second).toContain(`process ${process.pid} is making a network`)
    expect(existsSync(dataFiles(config.paths.data).logKey)).toBe(true)
  })

  it('is one alone where two are begun at once', async () => {
    using folder = tempFolder()
    const config = rootIn(folder.path)
    // Both have looked at the folder before they ask who is behind the domain.
    const begun = [config, config].map((each) => createNetworkHere(each, { passphrase }))
    const ends = await Promise.allSettled(begun)
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const { recoveryKit, logKey, operatorKey, store, unfinished } = dataFiles(config.paths.data)
    const whole = [recoveryKit, logKey, operatorKey, store, config.paths.key]
    expect(whole.filter((path) => !existsSync(path))).toEqual([])
    expect(existsSync(unfinished)).toBe(false)
  })

  it('leaves alone what another process has made while this one asked who is behind the domain', async () => {
    using folder = tempFolder()
    const config = rootIn(folder.path)
    const late = createNetworkHere(config, { passphrase }).catch(String)
    await make(config)
    expect(await late).toMatch(/is making a network|holds a network already/)
    const { logKey, store, recoveryKit } = dataFiles(config.paths.data)
    expect([logKey, store, recoveryKit].filter((path) => !existsSync(path))).toEqual([])
  })

  it('keeps the key that the node had before', async () => {
    using folder = tempFolder()
    const config = rootIn(folder.path)
    const told = new Error('told')
    const fails = (): Promise<unknown> =>
      make(config, () => {
        throw told
      })
    await expect(fails()).rejects.toBe(told)
    expect(existsSync(config.paths.key)).toBe(false)
    loadOrCreateKey(config.paths.key)
    await expect(fails()).rejects.toBe(told)
    expect(existsSync(config.paths.key)).toBe(true)
    expect(existsSync(dataFiles(config.paths.data).logKey)).toBe(false)
  })
})
