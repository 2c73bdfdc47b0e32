import { readFileSync } from 'node:fs'

/** Recorded vectors of 32 bytes that are no key, since they are of small order, written in another way than the one, or off the curve. */
export const notKeys: readonly { name: string; publicKey: Uint8Array }[] = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/keys.json', import.meta.url), 'utf8')
).bad.map(({ name, publicKey }: { name: string; publicKey: string }) => ({
  name,
  publicKey: Uint8Array.from(Buffer.from(publicKey.slice('hex:'.length), 'hex'))
}))
