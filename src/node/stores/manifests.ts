import { digestKey } from '../../content/walk.ts'
import { openStoreManifest } from '../../registry/objects/store-manifest.ts'
import { isNewer, keyOfVersion, type Version } from './store-entry.ts'

/** Manifests that members offer, by the digest of their bytes. */
export class Manifests {
  readonly #networkId: Uint8Array
  readonly #known = new Map<string, Version>()
  /** Digests of bytes that are no manifest: they are not asked for again. */
  readonly #wrong = new Set<string>()

  constructor(networkId: Uint8Array) {
    this.#networkId = networkId
  }

  get(digest: Uint8Array): Version | undefined {
    return this.#known.get(digestKey(digest))
  }

  isWrong(digest: Uint8Array): boolean {
    return this.#wrong.has(digestKey(digest))
  }

  /** Takes bytes that were checked against their digest. undefined: they are no manifest of this network. */
  take(digest: Uint8Array, bytes: Uint8Array): Version | undefined {
    try {
      const version = openStoreManifest(bytes, this.#networkId)
      this.#known.set(digestKey(digest), version)
      return version
    } catch {
      this.#wrong.add(digestKey(digest))
      return undefined
    }
  }

  /** Forgets what is offered no more: each member offers a few, so this is what bounds it. */
  keepOnly(digests: Iterable<Uint8Array>): void {
    const offered = new Set([...digests].map(digestKey))
    for (const key of [...this.#known.keys()].filter((each) => !offered.has(each))) this.#known.delete(key)
    for (const key of [...this.#wrong].filter((each) => !offered.has(each))) this.#wrong.delete(key)
  }

  /** The newest version of each store. */
  newest(): Map<string, Version> {
    const newest = new Map<string, Version>()
    for (const version of this.#known.values())
      if (isNewer(version, newest.get(keyOfVersion(version)))) newest.set(keyOfVersion(version), version)
    return newest
  }
}
