import type { PeersView, RegistryStatusView, StatusView } from '../../node/api/control-api.ts'
import { type Check, fail, pass, warn } from '../model/check.ts'
import { statAt } from './open-safely.ts'

/** A checkpoint is signed every minute: a clock that is further off than that and a cushion is wrong. */
const clockMs = 600_000

/** The key of a node is nobody else's to read. */
export const keyMode = (path: string): Check => {
  try {
    const found = statAt(path)
    if (found?.isFile() !== true) return warn('key', 'Key file', `${path} is no file, or not there`)
    const mode = found.mode & 0o777
    return (mode & 0o077) === 0
      ? pass('key', 'Key file', `${path} has mode ${mode.toString(8)}`)
      : fail('key', 'Key file', `${path} has mode ${mode.toString(8)}: others can read it`, `chmod 600 ${path}`)
  } catch (error) {
    return warn(
      'key',
      'Key file',
      `${path} cannot be looked at: ${error instanceof Error ? error.message : String(error)}`
    )
  }
}

/** Warnings of a running node about the clock of this machine. */
const clockCodes: ReadonlySet<string> = new Set(['clock', 'clock_step'])

/** By the clocks of other members, which the node hears, and by the time that the root signed last. */
export const clock = ({ sync: { checkpointMs }, warnings: held }: StatusView, nowMs: number): Check => {
  const wrong = held.find(({ code }) => clockCodes.has(code))
  if (wrong !== undefined) return fail('clock', 'Clock', wrong.message, wrong.fix)
  if (checkpointMs === null) return warn('clock', 'Clock', 'no checkpoint to compare with yet')
  const ahead = checkpointMs - nowMs
  if (ahead > clockMs)
    return fail(
      'clock',
      'Clock',
      `${Math.round(ahead / 1000)} s behind the time that the root signed`,
      'timedatectl set-ntp true'
    )
  if (-ahead > clockMs)
    return warn('clock', 'Clock', 'nobody was heard to compare it with, and what the root signed last is old', null)
  return pass('clock', 'Clock', `agrees with the newest checkpoint (${Math.max(0, Math.round(-ahead / 1000))} s old)`)
}

export const membership = ({ membership: { state, message }, summary }: StatusView): Check => {
  if (state === 'member') return pass('membership', 'Membership', summary)
  return warn(
    'membership',
    'Membership',
    `${state}: ${message ?? summary}`,
    state === 'pending' ? 'on the root: trustnet registry pending' : 'trustnet status'
  )
}

/** Turns the word of a peer that dialled back into a check. */
export const reach = ({ reach: found, announced }: StatusView): Check => {
  if (announced.length === 0)
    return fail(
      'reach',
      'Reachability',
      'no address is announced: others cannot dial this node',
      'trustnet install --plan shows which addresses will do'
    )
  if (found === 'direct') return pass('reach', 'Reachability', `others dial ${announced.join(', ')}`)
  if (found === 'outbound')
    return warn(
      'reach',
      'Reachability',
      'others cannot dial this node; it is reached over the connections that it opened',
      'open its port in the firewall'
    )
  return warn('reach', 'Reachability', 'nobody has tried to dial this node yet')
}

/** Words of the router, which count where others do not get through. None where it was not asked. */
export const pinholes = ({ pinholes: all = [], reach: found }: Partial<StatusView>): Check[] =>
  all.map(({ address, router, state, message }) => {
    if (state === 'open') return pass('pinholes', 'Pinhole', `the router ${router} lets others in at ${address}`)
    const text = `the router ${router} was asked to let others in at ${address}: ${message ?? 'it has not answered yet'}`
    if (found !== 'outbound') return pass('pinholes', 'Pinhole', text)
    return warn('pinholes', 'Pinhole', text, `let others in at ${address} in the firewall of the router`)
  })

/** None where others dial this node. */
export const relays = ({ relay, reach: found }: Partial<StatusView>): Check[] => {
  if (relay === undefined || (relay.relays.length === 0 && relay.trouble === null)) return []
  const through = relay.relays.map(({ name, peerId }) => name ?? peerId).join(', ')
  if (relay.trouble === null)
    return [pass('relays', 'Relays', `whoever cannot be dialled either reaches this node through ${through}`)]
  const text = `nobody relays for this node: ${relay.trouble}`
  if (found !== 'outbound') return [pass('relays', 'Relays', text)]
  return [warn('relays', 'Relays', text, 'connect it to a root or secondary, or let its port in: docs/relay.md')]
}

/** None where the configuration wants no names. */
export const names = ({ names: address, parts, network }: StatusView): Check[] => {
  const part = parts.find(({ name }) => name === 'names')
  if (part === undefined) return []
  if (address !== null) return [pass('names', 'Names', `NAME.${network?.domain ?? ''} is answered at ${address}`)]
  const why = part.lastError ?? 'it is not open yet'
  return [warn('names', 'Names', `names of members are not answered: ${why}`, 'choose another port for dns.listen')]
}

/** None where the configuration leaves links alone. */
export const link = ({ link: found, parts }: Partial<StatusView>): Check[] => {
  if (found === null || found === undefined) return []
  const { interfaces, hints } = found
  if (interfaces.length > 0)
    return [pass('link', 'Link', `members are looked for on ${interfaces.join(', ')}; ${hints} addresses were heard`)]
  const why = parts?.find(({ name }) => name === 'link')?.lastError ?? 'no interface has a link-local address'
  return [warn('link', 'Link', `no member is looked for on a link: ${why}`, 'ip -6 address show scope link')]
}

/** The database that keeps the log. None where the store of the root does, or this node does not stand for its place. */
export const rootStore = (found: RegistryStatusView['rootStore'] | undefined): Check[] => {
  if (found === null || found === undefined) return []
  const { store, held, term, holder, behind, failure, fault, weaknesses, candidates } = found
  const check = ['root-store', 'Root log'] as const
  if (failure !== null) return [fail(...check, `${store} is not reached: ${failure}`, 'trustnet registry status')]
  if (fault !== null) return [fail(...check, `this machine cannot take the place of the root: ${fault}`, needsKey)]
  if (weaknesses.length > 0)
    return [warn(...check, `${store} may lose what it has answered: ${weaknesses.join(', ')}`, needsStandby)]
  if (term === null) return [warn(...check, `${store} was not asked yet`)]
  const who = held ? 'this process' : (holder?.name ?? holder?.peerId ?? 'somebody else')
  const waiting = candidates.length === 1 ? '1 other candidate' : `${candidates.length} other candidates`
  return [pass(...check, `${store}: ${who} has the lease (term ${term}), ${waiting}, ${behind ?? 0} entries behind`)]
}

const needsKey = 'what the reason says, on this machine; docs/operations.md "A root that does without its machine"'
const needsStandby = 'mend the settings of the database; docs/operations.md "A root that does without its machine"'

/** Version N talks to N−1: more than two at once are too many. */
export const versions = ({ peers, self }: PeersView): Check => {
  const others = peers.flatMap(({ version }) => (version === null ? [] : [version]))
  const all = [...new Set([self.version, ...others])].toSorted()
  if (all.length <= 1) return pass('versions', 'Versions', `all known peers run ${self.version}`)
  return warn(
    'versions',
    'Versions',
    `peers run ${all.join(', ')}`,
    'upgrade secondaries, then the root, then the nodes'
  )
}

export const warnings = (status: StatusView): Check[] =>
  status.warnings
    .filter(({ acknowledged, code }) => !acknowledged && !clockCodes.has(code))
    .map(({ code, level, message, fix }) =>
      level === 'alarm' ? fail(code, 'Alarm', message, fix) : warn(code, 'Warning', message, fix)
    )
