/** Nested values by name, before they are known to be a configuration. */
export interface Tree {
  [name: string]: unknown
}

export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

export const treeAt = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, part) => (isTree(node) ? node[part] : undefined), tree)

/** Sets a leaf, or with `undefined` only makes the sections above it. */
export const treePut = (tree: Tree, path: readonly string[], value: unknown): void => {
  const [first = '', ...rest] = path
  if (rest.length === 0) {
    if (value !== undefined) tree[first] = value
    return
  }
  const known = tree[first]
  const below: Tree = isTree(known) ? known : {}
  tree[first] = below
  treePut(below, rest, value)
}
