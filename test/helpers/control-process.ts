import { EventEmitter, on } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { main } from '../../src/cli/main.ts'
import type { ControlApi, ControlEvent } from '../../src/node/api/control-api.ts'
import { stamp } from '../../src/node/api/stamp.ts'
import { startControlServer } from '../../src/node/control/server.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { NotFoundError } from '../../src/runtime/errors.ts'
import {
  backupView,
  happening,
  identityView,
  invitesView,
  inviteView,
  logView,
  network,
  origin,
  peerRow,
  peersView,
  registryNodesView,
  registryStatusView,
  root,
  statusView,
  unknownRow,
  whyView
} from './commands/control-views.ts'
import { forwardsView } from './commands/forward-views.ts'
import {
  compareView,
  logDiffView,
  logLevelView,
  matrixView,
  pastView,
  pingAnswer,
  timelineView,
  topologyView
} from './commands/past-views.ts'
import { checkpointView, policyCall, policyPreview, policyView, witnessLinesView } from './commands/policy-views.ts'
import { healthView, movedRootView, preparedView, reloadView, statsView } from './commands/process-views.ts'
import type { Scripted } from './commands/scripted.ts'
import { ScriptedContent } from './commands/scripted-content.ts'

/** The same with the stamp of a process on each answer. */
export const stampedApi = (api: Scripted): ControlApi =>
  new Proxy<object>(api, {
    get(scripted, name) {
      const call: unknown = Reflect.get(scripted, name)
      if (typeof call !== 'function') return call
      if (name === 'events') return call.bind(scripted)
      return async (...args: unknown[]) => ({ ...stamp(origin, Date.now()), ...(await call.apply(scripted, args)) })
    }
  }) as ControlApi

/** A process's answers, fixed, behind whatever socket a test opens for them. */
export class ScriptedApi extends ScriptedContent implements Scripted {
  peersAnswer = peersView([peerRow({ ...root, self: true, role: 'root' }), peerRow(), unknownRow()])
  statusAnswer = statusView()
  joined: string[] = []
  pings = 0
  /** Those that get no answer, from 1. */
  lostPings: number[] = []
  logLines: string[] = []
  happened = [happening()]
  readonly #emitter = new EventEmitter()

  /** Tells every watcher. */
  emit(event: ControlEvent): void {
    this.#emitter.emit('event', event)
  }

  get watchers(): number {
    return this.#emitter.listenerCount('event')
  }

  health: Scripted['health'] = async () => healthView
  ready: Scripted['ready'] = async () => ({ ok: true, message: 'up', dependencies: [] })
  version: Scripted['version'] = async () => ({
    version: '0.1.0',
    commit: null,
    builtAt: null,
    node: '24'
  })
  connections: Scripted['connections'] = async () => ({ connections: [] })
  stats: Scripted['stats'] = async () => statsView
  status: Scripted['status'] = async () => this.statusAnswer
  peers = async () => this.peersAnswer
  lookup: Scripted['lookup'] = async ({ peer, after } = {}) => {
    const rows = this.peersAnswer.peers.filter(({ name }) => peer === undefined || name === peer)
    const at = after === undefined ? 0 : Number(after)
    const next = at + 1 < rows.length ? String(at + 1) : null
    return { rows: rows.slice(at, at + 1), next }
  }
  why = async () => whyView
  history: Scripted['history'] = async ({ after = 0 } = {}) => {
    const events = this.happened.filter(({ id }) => id > after)
    return {
      firstId: this.happened[0]?.id ?? null,
      lastId: this.happened.at(-1)?.id ?? null,
      events,
      next: null
    }
  }
  timeline: Scripted['timeline'] = async () => timelineView
  identity = async () => identityView
  topology: Scripted['topology'] = async () => topologyView
  compare: Scripted['compare'] = async () => compareView
  matrix: Scripted['matrix'] = async () => matrixView
  logLevel: Scripted['logLevel'] = async () => logLevelView
  metrics: Scripted['metrics'] = async () => ({ lines: ['trustnet_up{address="2001:db8::77"} 1'], dropped: 0 })
  recentLog: Scripted['recentLog'] = async () => ({ lines: this.logLines, dropped: 0 })
  prepareEntry: Scripted['prepareEntry'] = async () => preparedView
  enterEntry: Scripted['enterEntry'] = async () => ({ epoch: 1, n: 20, members: 2 })
  moveRoot = async () => movedRootView
  spread: Scripted['spread'] = async (place) => ({
    ...place,
    members: [{ ...root, has: true, head: 20 }]
  })
  reload = async () => reloadView
  rotateIdentity: Scripted['rotateIdentity'] = async () => ({
    ...root,
    newPeerId: root.peerId,
    entry: 19,
    message: 'goes on'
  })
  address: Scripted['address'] = async ({ peer } = {}) => {
    if (peer === 'nobody') throw new NotFoundError('no member is called nobody')
    return { ...root, address: 'fd00::1', prefix: 'fd00::/48' }
  }
  registryStatus = async () => registryStatusView
  registryNodes = async () => registryNodesView
  log: Scripted['log'] = async () => logView
  registryAt: Scripted['registryAt'] = async ({ n = 12 } = {}) => ({ ...pastView, at: { ...pastView.at, n } })
  logDiff: Scripted['logDiff'] = async () => logDiffView
  pending: Scripted['pending'] = async () => ({ pending: [] })
  approve: Scripted['approve'] = async () => ({ ...root, entry: 13, message: 'admitted' })
  rejectAll: Scripted['rejectAll'] = async () => ({ rejected: 3 })
  reject: Scripted['reject'] = async ({ reason }) => ({ ...root, entry: null, message: reason })
  backup: Scripted['backup'] = async ({ to } = {}) => ({ ...backupView, path: to ?? backupView.path })
  heldBack: Scripted['heldBack'] = async () => ({
    doubt: null,
    members: [],
    evicted: false,
    message: 'nobody is held back'
  })
  evict: Scripted['evict'] = this.heldBack
  clock: Scripted['clock'] = async () => ({
    nowMs: 1,
    wallMs: 3,
    stepMs: 2,
    checkpointMs: 1,
    appends: false,
    message: 'the clock has stepped'
  })
  acceptClock: Scripted['acceptClock'] = async () => ({ ...(await this.clock()), stepMs: null, appends: true })
  voidRevokes: Scripted['voidRevokes'] = async () => ({
    offered: [{ kind: 'revoke', member: root, reason: 'stolen', epoch: 0, n: 9, claimedMs: 1, from: root, seenMs: 2 }]
  })
  dismissVoid: Scripted['dismissVoid'] = async () => ({ ...root, entry: 15, message: 'stays' })
  resume: Scripted['resume'] = async ({ head }) => ({ ...root, entry: head, message: 'appends' })
  invite: Scripted['invite'] = async (query) => ({ ...inviteView, role: query?.role ?? 'integrated' })
  invites: Scripted['invites'] = async () => invitesView
  cancelInvite: Scripted['cancelInvite'] = async ({ id }) => ({
    id,
    entry: 9,
    message: 'is taken back'
  })
  checkpoint: Scripted['checkpoint'] = async () => checkpointView
  witnessLines: Scripted['witnessLines'] = async () => witnessLinesView
  policy: Scripted['policy'] = async () => policyView
  setPolicy: Scripted['setPolicy'] = async () => policyView
  previewPolicy: Scripted['previewPolicy'] = async () => policyPreview
  policyCall: Scripted['policyCall'] = async () => policyCall
  join: Scripted['join'] = async ({ line }) => {
    this.joined.push(line)
    return { state: 'admitted', network: { id: network.id, domain: network.domain }, message: 'in' }
  }
  leave: Scripted['leave'] = async () => ({ ...root, entry: null, message: 'left' })
  revoke: Scripted['revoke'] = async () => ({ ...root, entry: 14, message: 'revoked' })
  members: Scripted['members'] = async () => ({
    members: [{ ...root, role: 'root', groups: ['db', 'web'], ephemeralMs: 600_000, expiresMs: 1, entry: 1 }]
  })
  changeMember: Scripted['changeMember'] = async () => ({ ...root, entry: 16, message: 'is now' })
  endMember: Scripted['endMember'] = async () => ({ ...root, entry: 17, message: 'is over' })
  retireRegistry: Scripted['retireRegistry'] = async () => ({
    ...root,
    entry: 18,
    message: 'retired'
  })
  forwards: Scripted['forwards'] = async () => forwardsView
  expose: Scripted['expose'] = async ({ name, to = '[::1]:80' }) => ({ name, to, message: 'members may call it now' })
  unexpose: Scripted['unexpose'] = async ({ name }) => ({ name, to: '[::1]:80', message: 'nobody calls it any more' })
  operators: Scripted['operators'] = async () => ({
    operators: [{ name: 'ann', keyId: root.peerId, entry: 3 }]
  })
  addOperator: Scripted['addOperator'] = async ({ name, keyId }) => ({
    name,
    keyId,
    entry: 19,
    message: 'is an operator now'
  })
  removeOperator: Scripted['removeOperator'] = async ({ name }) => ({
    name,
    keyId: root.peerId,
    entry: 20,
    message: 'is an operator no more'
  })
  waitingOrders: Scripted['waitingOrders'] = async () => ({
    waiting: [{ id: '3fa2', sinceMs: 1, by: ['ann'], acts: [{ kind: 'revoke', subject: root, detail: 'stolen' }] }]
  })
  approveOrder: Scripted['approveOrder'] = async ({ id }) => ({
    name: id,
    keyId: root.peerId,
    entry: 21,
    message: 'is done'
  })
  withdrawOrder: Scripted['withdrawOrder'] = async ({ id }) => ({
    name: id,
    keyId: root.peerId,
    entry: null,
    message: 'is taken back'
  })
  beginOrdered: Scripted['beginOrdered'] = async ({ call }) => ({
    ticket: call,
    networkId: 'ab'.repeat(32),
    epoch: 0,
    seenN: 9,
    sign: [{ kind: 3, body: '' }],
    answer: null
  })
  signOrdered: Scripted['signOrdered'] = async ({ ticket }) => ({
    ticket,
    networkId: 'ab'.repeat(32),
    epoch: 0,
    seenN: 9,
    sign: [],
    answer: { ...root, entry: 22, message: 'was signed' }
  })
  ping: Scripted['ping'] = async () => pingAnswer(++this.pings, this.lostPings)
  connect: Scripted['connect'] = async ({ multiaddr: address = '/ip6/2001:db8::5/tcp/9000' } = {}) => ({
    ...root,
    address,
    direction: 'out',
    member: true,
    rttUs: 1000
  })
  disconnect: Scripted['disconnect'] = async () => ({ ...root, closed: 1 })
  acknowledge: Scripted['acknowledge'] = async ({ code }) => ({ code, message: 'acknowledged' })

  async *events(options: { signal?: AbortSignal } = {}): AsyncGenerator<ControlEvent> {
    try {
      for await (const [event] of on(this.#emitter, 'event', options)) yield event
    } catch (error) {
      if (options.signal?.aborted !== true) throw error
    }
  }
}

/** A folder for TRUSTNET_HOME, and control sockets of named nodes in it. */
export class ControlHome implements AsyncDisposable {
  readonly folder: string
  readonly #servers: AsyncDisposable[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<ControlHome> {
    return new ControlHome(await mkdtemp(join(tmpdir(), 'tn-cli-')))
  }

  socket(name: string): string {
    return join(this.folder, 'run', `${name}.sock`)
  }

  async serve(name: string, api: Scripted): Promise<void> {
    this.#servers.push(
      await startControlServer({ path: this.socket(name), api: stampedApi(api), logger: silentLogger })
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

export interface RunInit {
  home: string
  env?: Record<string, string>
  stdin?: string
  /** Columns of the terminal; without it stdout is a pipe. */
  columns?: number
  signal?: AbortSignal
  onWrite?: (text: string) => void
}

/** Runs a command line in this process and gives what it wrote. */
export const runCli = async (argv: string[], init: RunInit): Promise<{ code: number; out: string; err: string }> => {
  let out = ''
  let err = ''
  const isTTY = init.columns !== undefined
  const write = (data: string | Uint8Array): void => {
    out += typeof data === 'string' ? data : Buffer.from(data).toString()
    init.onWrite?.(out)
  }
  const code = await main({
    argv,
    stdout: { isTTY, columns: init.columns, write },
    stderr: { isTTY, write: (text: string) => (err += text) },
    stdin: Readable.from(init.stdin === undefined ? [] : [init.stdin]),
    env: { TRUSTNET_HOME: init.home, ...init.env },
    signal: init.signal ?? new AbortController().signal
  })
  return { code, out, err }
}
