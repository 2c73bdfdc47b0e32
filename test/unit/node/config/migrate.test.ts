import { chmodSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig, migrateConfig, migrateConfigFile, parseConfig } from '../../../../src/node/config/index.ts'
import { ConfigError } from '../../../../src/node/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const fixture = (name: string): string => new URL(`../../../fixtures/config/${name}`, import.meta.url).pathname
const older = readFileSync(fixture('version-1.yaml'), 'utf8')
const now = readFileSync(fixture('version-2.yaml'), 'utf8')
const env = {}

describe('a configuration of an older version', () => {
  it('means the same as before, and each key that is written otherwise now is named', () => {
    const { config, warnings } = parseConfig({ text: older, file: 'hal.yaml', env })
    expect(config.protocols.strangers).toMatchObject({ open: 64, ms: 20_000 })
    expect(config).toEqual(parseConfig({ text: now, file: 'hal.yaml', env }).config)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^hal\.yaml: limits\.strangers is protocols\.strangers\.open now \(`trustnet config migrate`/
      ),
      expect.stringMatching(/limits\.strangerTime is protocols\.strangers\.time now/),
      expect.stringMatching(/gossip\.batch is left out: /)
    ])
  })

  it('is rewritten in place, the old one beside it, with mode and the comments of the other keys', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'hal.yaml')
    cpSync(fixture('version-1.yaml'), file)
    chmodSync(file, 0o640)
    const { changes, copy } = migrateConfigFile(file)
    expect(changes).toHaveLength(3)
    expect(readFileSync(file, 'utf8')).toBe(now)
    expect(readFileSync(String(copy), 'utf8')).toBe(older)
    expect([file, String(copy)].map((path) => statSync(path).mode & 0o777)).toEqual([0o640, 0o640])
    expect(loadConfig({ file, env }).warnings).toEqual([])
    expect(migrateConfigFile(file)).toEqual({ changes: [], copy: null })
    // The copy is no second configuration of the folder.
    expect(loadConfig({ env: { TRUSTNET_HOME: folder.path } }).file).toBe(file)
    expect(readdirSync(folder.path)).toHaveLength(2)
    // An older file again, at once: its copy takes nobody's place.
    cpSync(fixture('version-1.yaml'), file)
    const again = migrateConfigFile(file)
    expect(again.copy).not.toBe(copy)
    expect(readdirSync(folder.path)).toHaveLength(3)
  })

  it('keeps the new key when both are there', () => {
    const text = 'limits: { strangers: 64 }\nprotocols: { strangers: { open: 16 } }\n'
    expect(parseConfig({ text, env }).config.protocols.strangers.open).toBe(16)
    expect(migrateConfig(text, 'f').changes).toEqual([
      'limits.strangers is left out: protocols.strangers.open takes its place and is there'
    ])
  })

  it('an old key in a file of the new version is unknown', () => {
    expect(() => parseConfig({ text: 'configVersion: 2\ngossip: { batch: 5 }\n', env })).toThrow(
      /gossip\.batch: there is no such key/
    )
  })
})

describe('a configuration of a newer version', () => {
  it('is refused with what to do, and stays as it is', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'hal.yaml')
    writeFileSync(file, 'configVersion: 3\nrole: integrated\n')
    const refusal = /configVersion: 3 is of a newer TrustNet, this one reads up to 2: run the newer program, or go back/
    expect(() => loadConfig({ file, env })).toThrow(ConfigError)
    expect(() => loadConfig({ file, env })).toThrow(refusal)
    expect(() => migrateConfigFile(file)).toThrow(refusal)
    expect(readFileSync(file, 'utf8')).toBe('configVersion: 3\nrole: integrated\n')
  })

  it.each(['0', 'two', '1.5'])('configVersion %s is no version', (version) => {
    expect(() => parseConfig({ text: `configVersion: ${version}\n`, env })).toThrow(
      /must be a whole number from 1 to 2/
    )
  })
})
