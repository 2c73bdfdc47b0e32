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

/** Names among those of the others that look like this one and are not it: `web-l` for `web-1`. */
export function lookAlikes(name: string, others: Iterable<{ name: string }>): string[] {
  const skeleton = skeletonOf(name)
  const names = new Set(Array.from(others, (other) => other.name))
  return [...names].filter((other) => other !== name && skeletonOf(other) === skeleton)
}
