export interface Place {
  x: number
  y: number
}

/** Distance between neighbours in a group. */
const gap = 46
const golden = Math.PI * (3 - Math.sqrt(5))

const radiusOf = (size: number): number => gap * (Math.sqrt(size) + 1)

/**
 * Places for groups of members around their hubs: each group a sunflower with its hub in the middle, the first group in the centre and the
 * others on a ring. The same groups get the same places, so that nothing jumps when a state changes, and a thousand take a millisecond.
 */
export const placesOf = (groups: ReadonlyMap<string, readonly string[]>): Map<string, Place> => {
  const places = new Map<string, Place>()
  const [centre = 0, ...radii] = [...groups.values()].map((members) => radiusOf(members.length))
  const around = radii.reduce((sum, radius) => sum + 2 * radius, 0)
  const ring = Math.max(centre + Math.max(0, ...radii), around / (2 * Math.PI))
  let angle = 0
  for (const [index, [hub, members]] of [...groups].entries()) {
    const share = index === 0 ? 0 : (2 * Math.PI * 2 * (radii[index - 1] ?? 0)) / around
    const distance = index === 0 ? 0 : ring
    const middle = { x: distance * Math.cos(angle + share / 2), y: distance * Math.sin(angle + share / 2) }
    angle += share
    places.set(hub, middle)
    for (const [k, member] of members.entries()) places.set(member, seedAt(middle, k))
  }
  return places
}

const seedAt = ({ x, y }: Place, k: number): Place => {
  const distance = gap * Math.sqrt(k + 2)
  return { x: x + distance * Math.cos(k * golden), y: y + distance * Math.sin(k * golden) }
}
