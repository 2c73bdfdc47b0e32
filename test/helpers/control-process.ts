import { EventEmitter, on } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { main } from '../../src/cli/main.ts'
import type { ControlApi, ControlEvent } from '../../src/node/api/control-api.ts'
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
  peerRow,
  peersView,
  registryNodesView,
  registryStatusView,
  root,
  statusView,
  unknownRow,
  whyView
} from './commands/control-views.ts'
import { logDiffView, logLevelView, matrixView, pastView, timelineView, topologyView } from './commands/past-views.ts'
import { checkpointView, policyCall, policyPreview, policyView } from './commands/policy-views.ts'
import { healthView, statsView } from './commands/process-views.ts'

/** A process's answers, fixed, behind whatever socket a test opens for them. */
export class ScriptedApi implements ControlApi {
  peersAnswer = peersView([peerRow({ ...root, self: true, role: 'root' }), peerRow(), unknownRow()])
  statusAnswer = statusView()
  joined: string[] = []
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

  health: ControlApi['health'] = async () => healthView
  ready: ControlApi['ready'] = async () => ({ schemaVersion: 1, ok: true, message: 'up', dependencies: [] })
  version: ControlApi['version'] = async () => ({
    schemaVersion: 1,
    version: '0.1.0',
    commit: null,
    builtAt: null,
    node: '24'
  })
  connections: ControlApi['connections'] = async () => ({ schemaVersion: 1, connections: [] })
  stats: ControlApi['stats'] = async () => statsView
  status: ControlApi['status'] = async () => this.statusAnswer
  peers = async () => this.peersAnswer
  lookup: ControlApi['lookup'] = async ({ peer, after } = {}) => {
    const rows = this.peersAnswer.peers.filter(({ name }) => peer === undefined || name === peer)
    const at = after === undefined ? 0 : Number(after)
    const next = at + 1 < rows.length ? String(at + 1) : null
    return { schemaVersion: 1, view: this.peersAnswer.view, rows: rows.slice(at, at + 1), next }
  }
  why = async () => whyView
  history: ControlApi['history'] = async ({ after = 0 } = {}) => {
    const events = this.happened.filter(({ id }) => id > after)
    return {
      schemaVersion: 1,
      view: this.peersAnswer.view,
      firstId: this.happened[0]?.id ?? null,
      lastId: this.happened.at(-1)?.id ?? null,
      events,
      next: null
    }
  }
  timeline = async () => timelineView
  identity = async () => identityView
  topology: ControlApi['topology'] = async () => topologyView
  matrix: ControlApi['matrix'] = async () => matrixView
  logLevel = async () => logLevelView
  recentLog: ControlApi['recentLog'] = async () => ({ schemaVersion: 1, lines: this.logLines, dropped: 0 })
  prepareEntry: ControlApi['prepareEntry'] = async () => ({
    schemaVersion: 1,
    networkId: '00',
    epoch: 0,
    n: 19,
    headHash: '00',
    timeMs: 1,
    authorityKey: '00',
    nextAuthorityDigest: '00',
    logKey: null
  })
  enterEntry: ControlApi['enterEntry'] = async () => ({ schemaVersion: 1, epoch: 1, n: 20, members: 2 })
  spread: ControlApi['spread'] = async (place) => ({
    schemaVersion: 1,
    ...place,
    members: [{ ...root, has: true, head: 20 }]
  })
  reload: ControlApi['reload'] = async () => ({
    schemaVersion: 1,
    changed: ['logging.level'],
    restart: ['listen.port'],
    message: 'in force now: logging.level; needs a restart: listen.port'
  })
  rotateIdentity: ControlApi['rotateIdentity'] = async () => ({
    schemaVersion: 1,
    ...root,
    newPeerId: root.peerId,
    entry: 19,
    message: 'goes on'
  })
  address: ControlApi['address'] = async ({ peer } = {}) => {
    if (peer === 'nobody') throw new NotFoundError('no member is called nobody')
    return { schemaVersion: 1, ...root, address: 'fd00::1', prefix: 'fd00::/48' }
  }
  registryStatus = async () => registryStatusView
  registryNodes = async () => registryNodesView
  log = async () => logView
  registryAt: ControlApi['registryAt'] = async ({ n = 12 } = {}) => ({ ...pastView, at: { ...pastView.at, n } })
  logDiff: ControlApi['logDiff'] = async () => logDiffView
  pending: ControlApi['pending'] = async () => ({ schemaVersion: 1, pending: [] })
  approve: ControlApi['approve'] = async () => ({ schemaVersion: 1, ...root, entry: 13, message: 'admitted' })
  rejectAll: ControlApi['rejectAll'] = async () => ({ schemaVersion: 1, rejected: 3 })
  reject: ControlApi['reject'] = async ({ reason }) => ({ schemaVersion: 1, ...root, entry: null, message: reason })
  fetchStore: ControlApi['fetchStore'] = async ({ peer, to }) => ({
    schemaVersion: 1,
    peerId: root.peerId,
    name: peer,
    path: to,
    refused: null
  })
  backup: ControlApi['backup'] = async ({ to } = {}) => ({ ...backupView, path: to ?? backupView.path })
  heldBack: ControlApi['heldBack'] = async () => ({
    schemaVersion: 1,
    doubt: null,
    members: [],
    evicted: false,
    message: 'nobody is held back'
  })
  evict: ControlApi['evict'] = this.heldBack
  clock: ControlApi['clock'] = async () => ({
    schemaVersion: 1,
    nowMs: 1,
    wallMs: 3,
    stepMs: 2,
    checkpointMs: 1,
    appends: false,
    message: 'the clock has stepped'
  })
  acceptClock: ControlApi['acceptClock'] = async () => ({ ...(await this.clock()), stepMs: null, appends: true })
  voidRevokes: ControlApi['voidRevokes'] = async () => ({
    schemaVersion: 1,
    offered: [{ kind: 'revoke', member: root, reason: 'stolen', epoch: 0, n: 9, claimedMs: 1, from: root, seenMs: 2 }]
  })
  dismissVoid: ControlApi['dismissVoid'] = async () => ({ schemaVersion: 1, ...root, entry: 15, message: 'stays' })
  resume: ControlApi['resume'] = async ({ head }) => ({ schemaVersion: 1, ...root, entry: head, message: 'appends' })
  invite: ControlApi['invite'] = async (query) => ({ ...inviteView, role: query?.role ?? 'integrated' })
  invites: ControlApi['invites'] = async () => invitesView
  cancelInvite: ControlApi['cancelInvite'] = async ({ id }) => ({
    schemaVersion: 1,
    id,
    entry: 9,
    message: 'is taken back'
  })
  checkpoint: ControlApi['checkpoint'] = async () => checkpointView
  policy: ControlApi['policy'] = async () => policyView
  setPolicy: ControlApi['setPolicy'] = async () => policyView
  previewPolicy: ControlApi['previewPolicy'] = async () => policyPreview
  policyCall: ControlApi['policyCall'] = async () => policyCall
  join: ControlApi['join'] = async ({ line }) => {
    this.joined.push(line)
    return { schemaVersion: 1, state: 'admitted', network: { id: network.id, domain: network.domain }, message: 'in' }
  }
  leave: ControlApi['leave'] = async () => ({ schemaVersion: 1, ...root, entry: null, message: 'left' })
  revoke: ControlApi['revoke'] = async () => ({ schemaVersion: 1, ...root, entry: 14, message: 'revoked' })
  members: ControlApi['members'] = async () => ({
    schemaVersion: 1,
    members: [{ ...root, role: 'root', groups: ['db', 'web'], ephemeralMs: 600_000, expiresMs: 1, entry: 1 }]
  })
  changeMember: ControlApi['changeMember'] = async () => ({ schemaVersion: 1, ...root, entry: 16, message: 'is now' })
  endMember: ControlApi['endMember'] = async () => ({ schemaVersion: 1, ...root, entry: 17, message: 'is over' })
  retireRegistry: ControlApi['retireRegistry'] = async () => ({
    schemaVersion: 1,
    ...root,
    entry: 18,
    message: 'retired'
  })
  operators: ControlApi['operators'] = async () => ({
    schemaVersion: 1,
    operators: [{ name: 'ann', keyId: root.peerId, entry: 3 }]
  })
  addOperator: ControlApi['addOperator'] = async ({ name, keyId }) => ({
    schemaVersion: 1,
    name,
    keyId,
    entry: 19,
    message: 'is an operator now'
  })
  removeOperator: ControlApi['removeOperator'] = async ({ name }) => ({
    schemaVersion: 1,
    name,
    keyId: root.peerId,
    entry: 20,
    message: 'is an operator no more'
  })
  waitingOrders: ControlApi['waitingOrders'] = async () => ({
    schemaVersion: 1,
    waiting: [{ id: '3fa2', sinceMs: 1, by: ['ann'], acts: [{ kind: 'revoke', subject: root, detail: 'stolen' }] }]
  })
  approveOrder: ControlApi['approveOrder'] = async ({ id }) => ({
    schemaVersion: 1,
    name: id,
    keyId: root.peerId,
    entry: 21,
    message: 'is done'
  })
  beginOrdered: ControlApi['beginOrdered'] = async ({ call }) => ({
    schemaVersion: 1,
    ticket: call,
    networkId: 'ab'.repeat(32),
    epoch: 0,
    seenN: 9,
    sign: [{ kind: 3, body: '' }],
    answer: null
  })
  signOrdered: ControlApi['signOrdered'] = async ({ ticket }) => ({
    schemaVersion: 1,
    ticket,
    networkId: 'ab'.repeat(32),
    epoch: 0,
    seenN: 9,
    sign: [],
    answer: { schemaVersion: 1, ...root, entry: 22, message: 'was signed' }
  })
  connect: ControlApi['connect'] = async ({ multiaddr: address }) => ({
    schemaVersion: 1,
    ...root,
    address,
    direction: 'out',
    member: true,
    rttMs: 1
  })
  disconnect: ControlApi['disconnect'] = async () => ({ schemaVersion: 1, ...root, closed: 1 })
  acknowledge: ControlApi['acknowledge'] = async ({ code }) => ({ schemaVersion: 1, code, message: 'acknowledged' })

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

  async serve(name: string, api: ControlApi): Promise<void> {
    this.#servers.push(await startControlServer({ path: this.socket(name), api, logger: silentLogger }))
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
  const write = (text: string): void => {
    out += text
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
