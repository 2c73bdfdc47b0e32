import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import {
  authorityOf,
  newPassphrase,
  readRecoveryKit,
  writeRecoveryKit
} from '../../../../src/node/offline/recovery-kit.ts'
import { tempFolder } from '../../../helpers/temp.ts'

describe('recovery kit', () => {
  it('gives both authority keys back for its passphrase, and nothing for another one', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'recovery.kit')
    const keys = { authority: SigningKey.generate(), nextAuthority: SigningKey.generate() }
    const passphrase = newPassphrase()
    writeRecoveryKit(path, keys, passphrase, 'tnexample')
    const read = readRecoveryKit(path, passphrase)
    expect(read.authority?.publicKey).toEqual(keys.authority.publicKey)
    expect(read.nextAuthority?.publicKey).toEqual(keys.nextAuthority.publicKey)
    expect(() => readRecoveryKit(path, newPassphrase())).toThrow(/passphrase is wrong/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path).includes(Buffer.from(keys.authority.seed))).toBe(false)
  })

  it('holds one of them alone, and says which', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'next-recovery.kit')
    const nextAuthority = SigningKey.generate()
    writeRecoveryKit(path, { nextAuthority }, 'secret', 'tnexample')
    const kit = readRecoveryKit(path, 'secret')
    expect(kit.authority).toBeUndefined()
    expect(authorityOf(kit, path, nextAuthority.publicKey).publicKey).toEqual(nextAuthority.publicKey)
    expect(() => authorityOf(kit, path, SigningKey.generate().publicKey)).toThrow(/does not hold the authority/)
    writeFileSync(path, readFileSync(path, 'utf8').replace('nextAuthority', 'authority'))
    expect(() => readRecoveryKit(path, 'secret')).toThrow(/was changed/)
  })

  it('is never written over, and says when it is none or was changed', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'recovery.kit')
    const keys = { authority: SigningKey.generate(), nextAuthority: SigningKey.generate() }
    writeRecoveryKit(path, keys, 'secret', 'tnexample')
    expect(() => writeRecoveryKit(path, keys, 'secret', 'tnexample')).toThrow(/EEXIST/)
    const changed = readFileSync(path, 'utf8').replace('tnexample', 'tnanother')
    writeFileSync(path, changed)
    expect(() => readRecoveryKit(path, 'secret')).toThrow(/was changed/)
    writeFileSync(path, 'garbage')
    expect(() => readRecoveryKit(path, 'secret')).toThrow(/no recovery kit/)
  })
})
