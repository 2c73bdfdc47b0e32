import { decodeLink, type Link } from '../../content/link.ts'
import { sha256 } from '../../identity/hash.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { compareRecords } from '../../registry/objects/record.ts'
import type { StoreManifest } from '../../registry/objects/store-manifest.ts'

/** One version of a store. */
export type Version = Signed<StoreManifest>

/** A store that this node shares, follows or keeps, and what it remembers of it over restarts. */
export interface StoreEntry {
  readonly owner: Uint8Array
  readonly name: string
  readonly isOwn: boolean
  /** Newest first. All blocks of each are here. */
  versions: Version[]
  /** The version that is being fetched. */
  coming: Version | undefined
  /** Own: the folder that is shared. Of another: the one in which its files appear, where that is wanted. */
  folder: string | undefined
  /** Version of another's store whose files are all in the folder; 0: none. */
  writtenSeq: number
  /** Roots of what was written to the folder: of the last version that is all there, and of newer ones that were begun. */
  written: Link[]
  /** Own: its folder is read again when it changes. */
  watch: boolean
  /** Never dropped to make room, or because its owner is gone. */
  pinned: boolean
  /** An operator asked for it; false: the configuration does. */
  asked: boolean
  /** An operator removed it here, and the configuration names it: it comes back when somebody asks for it. */
  isDropped: boolean
}

/** The version that an entry leads to: the one that is fetched, or the newest that is here. */
export const newestOf = ({ coming, versions }: Pick<StoreEntry, 'coming' | 'versions'>): Version | undefined =>
  coming ?? versions[0]

/** A folder is wanted, and has not all files of the newest version that is here. */
export const isUnwritten = ({
  isOwn,
  folder,
  versions,
  writtenSeq
}: Omit<StoreEntry, 'asked' | 'isDropped' | 'written'>): boolean =>
  !isOwn && folder !== undefined && versions[0] !== undefined && versions[0].value.seq !== writtenSeq

/** Tells whether a version counts more than another one of its store. */
export const isNewer = (version: Version, than: Version | undefined): boolean =>
  than === undefined || compareRecords(positionOf(version), positionOf(than)) > 0

const positionOf = ({ value, hash }: Version) => ({ seq: value.seq, hash })

/** Key of a store: its owner, and the name that it has there. Fit for a file. */
export const storeKey = (owner: Uint8Array, name: string): string => `${peerIdText(owner)}.${name}`

export const keyOfVersion = ({ value }: Version): string => storeKey(value.publicKey, value.name)

const digests = new WeakMap<Version, Uint8Array>()

/** Digest by which records name a version, and by which its manifest is fetched. */
export function digestOf(version: Version): Uint8Array {
  const digest = digests.get(version) ?? sha256(version.bytes)
  digests.set(version, digest)
  return digest
}

/** Roots whose blocks are kept for an entry. */
export const rootsOf = ({ versions, coming, written }: StoreEntry): Link[] => [
  ...[...versions, ...(coming === undefined ? [] : [coming])]
    .filter(({ value }) => !value.removed)
    .map(({ value }) => decodeLink(value.root)),
  ...written
]

/** Versions of a store whose blocks are kept. */
export const stateText = ({ owner, name, versions, coming, written }: StoreEntry): string =>
  [storeKey(owner, name), written.length, ...versions.map(({ value }) => value.seq), coming?.value.seq ?? ''].join(' ')
