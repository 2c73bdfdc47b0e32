/** Spellings that people take for the same in a name, longest first. Names are of a-z, 0-9 and inner hyphens. */
const seenAs: readonly (readonly [RegExp, string])[] = [
  [/(?<!\d)-|-(?!\d)/g, ''],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/0/g, 'o'],
  [/[1i]/g, 'l']
]

/** The same for names that look alike: rn and m, vv and w, cl and d, 0 and o, 1, i and l, with and without hyphens but those between digits. */
const skeletonOf = (name: string): string =>
  seenAs.reduce((text, [pattern, shape]) => text.replaceAll(pattern, shape), name)

/** Names that members have, by how they look. */
export class LookAlikes {
  /** By what they look like, names by their owner. */
  readonly #looks = new Map<string, Map<string, string>>()
  readonly #names = new Map<string, string>()

  /** Names by whoever has them. */
  constructor(names: Iterable<readonly [owner: string, name: string]> = []) {
    for (const [owner, name] of names) this.put(owner, name)
  }

  /** Gives the owner a name; undefined: none. */
  put(owner: string, name: string | undefined): void {
    const before = this.#names.get(owner)
    if (before === name) return
    if (before !== undefined) this.#drop(owner, skeletonOf(before))
    if (name === undefined) {
      this.#names.delete(owner)
      return
    }
    this.#names.set(owner, name)
    const skeleton = skeletonOf(name)
    const alike = this.#looks.get(skeleton) ?? new Map<string, string>()
    this.#looks.set(skeleton, alike.set(owner, name))
  }

  #drop(owner: string, skeleton: string): void {
    const alike = this.#looks.get(skeleton)
    alike?.delete(owner)
    if (alike?.size === 0) this.#looks.delete(skeleton)
  }

  /** Names that look like this one and are not it: `web-l` for `web-1`. */
  of(name: string): string[] {
    const alike = this.#looks.get(skeletonOf(name))?.values() ?? []
    return [...new Set(alike)].filter((other) => other !== name)
  }
}
