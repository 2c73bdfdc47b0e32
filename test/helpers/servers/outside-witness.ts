import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A witness that is written from https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature alone. */
export class OutsideWitness {
  readonly #name: string
  readonly #key: KeyObject
  readonly #keyId: Buffer
  readonly verifierKey: string

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const encoded = Buffer.from([4, ...Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')])
    this.#name = name
    this.#key = privateKey
    this.#keyId = createHash('sha256').update(`${name}\n`).update(encoded).digest().subarray(0, 4)
    this.verifierKey = `${name}+${this.#keyId.toString('hex')}+${encoded.toString('base64')}`
  }

  /** The note with the line of this witness behind those that it has. */
  sign(note: string, seconds: number): string {
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1)
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(seconds))
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), this.#key)
    return `${note}\u2014 ${this.#name} ${Buffer.concat([this.#keyId, time, signature]).toString('base64')}\n`
  }
}
