import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKey, loadKey, loadOrCreateKey } from '../../../src/identity/key-file.ts'
import { KeyFileError } from '../../../src/runtime/errors.ts'
import { keyOf } from '../../helpers/signed-objects.ts'

describe('key file', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trustnet-key-'))
    path = join(folder, 'node.key')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is libp2p protobuf of 68 bytes, mode 0600, and leads back to the key', () => {
    const key = createKey(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const bytes = readFileSync(path)
    expect(bytes.length).toBe(68)
    expect(privateKeyFromProtobuf(bytes).publicKey.raw).toEqual(key.publicKey)
    expect(loadKey(path).publicKey).toEqual(key.publicKey)
    expect(readdirSync(folder)).toEqual(['node.key'])
  })

  it('is mode 0600 under any umask, in a folder that only the owner enters', () => {
    const before = process.umask(0)
    try {
      createKey(join(folder, 'new', 'node.key'))
      expect(statSync(join(folder, 'new', 'node.key')).mode & 0o777).toBe(0o600)
      expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
    } finally {
      process.umask(before)
    }
  })

  it('is never overwritten', () => {
    const key = createKey(path)
    expect(() => createKey(path)).toThrow(/exists already/)
    expect(loadKey(path).publicKey).toEqual(key.publicKey)
    expect(readdirSync(folder)).toEqual(['node.key'])
  })

  it('is made at the first start and read at the next', () => {
    const key = loadOrCreateKey(path)
    expect(loadOrCreateKey(path).publicKey).toEqual(key.publicKey)
  })

  it('is not replaced at a start when it is refused', () => {
    writeFileSync(path, 'damaged', { mode: 0o600 })
    expect(() => loadOrCreateKey(path)).toThrow(KeyFileError)
    expect(readFileSync(path, 'utf8')).toBe('damaged')
  })

  it('is refused when others may read or write it', () => {
    createKey(path)
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o601, 0o700, 0o777]) {
      chmodSync(path, mode)
      expect(() => loadKey(path)).toThrow(`has mode 0${mode.toString(8)}`)
    }
    chmodSync(path, 0o400)
    expect(loadKey(path)).toBeDefined()
  })

  it.runIf(process.geteuid?.() === 0)('is refused when it belongs to another user', () => {
    createKey(path)
    chownSync(path, 12_345, 12_345)
    expect(() => loadKey(path)).toThrow('belongs to user 12345, not 0')
  })

  it('may be reached through a link, as secrets of a container are', () => {
    const key = createKey(path)
    symlinkSync(path, join(folder, 'link'))
    expect(loadKey(join(folder, 'link')).publicKey).toEqual(key.publicKey)
  })

  it('is refused when it is missing, no file, of another type or length, naming path and reason', async () => {
    expect(() => loadKey(path)).toThrow(`key file ${path} does not exist`)
    mkdirSync(join(folder, 'sub'))
    expect(() => loadKey(join(folder, 'sub'))).toThrow('is no file')
    const good = Buffer.from(privateKeyToProtobuf(keyOf(1).toLibp2p()))
    const mixed = Buffer.concat([good.subarray(0, 36), keyOf(2).publicKey])
    const secp256k1 = Buffer.from(privateKeyToProtobuf(await generateKeyPair('secp256k1')))
    for (const bytes of ['', good.subarray(0, 67), Buffer.concat([good, Buffer.of(0)]), secp256k1, mixed]) {
      writeFileSync(path, bytes, { mode: 0o600 })
      expect(() => loadKey(path)).toThrow('holds no Ed25519 key of libp2p')
    }
  })

  it('cannot be made where a file stands in the place of a folder', () => {
    writeFileSync(path, '')
    expect(() => createKey(join(path, 'node.key'))).toThrow('its folder cannot be made')
  })
})
