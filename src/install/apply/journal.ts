import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../errors.ts'
import { idsOf, kindOf, makeFolder, removeEmpty, removeFile, replaceFile } from '../machine/files-on-disk.ts'
import { type Action, actionKey } from '../model/action.ts'
import type { Answers } from '../model/answers.ts'
import type { Undo } from './actions/index.ts'

export interface JournalEntry {
  action: Action
  /** State from before it was first begun. */
  undo: Undo
  done: boolean
}

/** Changes of one install, written before each change: whatever interrupts it, the next run goes on and `uninstall` takes it back. */
export interface JournalState {
  schemaVersion: 1
  node: string
  version: string
  begunMs: number
  finished: boolean
  answers: Answers
  /** Passphrase of the recovery kit of a network that was made here, until it was shown. */
  passphrase: string | null
  entries: JournalEntry[]
}

const suffix = '.json'

export class Journal {
  readonly state: JournalState
  readonly #folder: string
  /** The entry that was looked at last: a new one comes behind it, so that it is taken back before what it builds on. */
  #last: JournalEntry | undefined

  constructor(folder: string, state: JournalState) {
    this.#folder = folder
    this.state = state
  }

  /** undefined: nothing of that name was installed here. */
  static async open(folder: string, node: string): Promise<Journal | undefined> {
    const path = join(folder, node + suffix)
    if ((await kindOf(path)) === undefined) return undefined
    return new Journal(folder, parse(await readFile(path, 'utf8'), path))
  }

  /** Journals of all nodes of this machine, oldest first. */
  static async all(folder: string): Promise<Journal[]> {
    if ((await kindOf(folder)) !== 'folder') return []
    const names = (await readdir(folder)).filter((name) => name.endsWith(suffix) && !name.startsWith('.'))
    const found = await Promise.all(names.map((name) => Journal.open(folder, name.slice(0, -suffix.length))))
    return found.filter((one) => one !== undefined).toSorted((a, b) => a.state.begunMs - b.state.begunMs)
  }

  entry(action: Action): JournalEntry | undefined {
    const key = actionKey(action)
    const found = this.state.entries.find((entry) => actionKey(entry.action) === key)
    this.#last = found ?? this.#last
    return found
  }

  /** Written and on the disk before the change is made. An action that was begun before keeps what was there then. */
  async begin(action: Action, before: () => Promise<Undo>): Promise<JournalEntry> {
    const known = this.entry(action)
    if (known !== undefined) {
      known.action = action
      known.done = false
      await this.save()
      return known
    }
    const entry: JournalEntry = { action, undo: await before(), done: false }
    const at = this.#last === undefined ? -1 : this.state.entries.indexOf(this.#last)
    this.state.entries.splice(at < 0 ? this.state.entries.length : at + 1, 0, entry)
    this.#last = entry
    await this.save()
    return entry
  }

  async done(entry: JournalEntry): Promise<void> {
    entry.done = true
    await this.save()
  }

  /** The action was taken back, or belongs to another node now. */
  async forget(entry: JournalEntry): Promise<void> {
    this.state.entries = this.state.entries.filter((one) => one !== entry)
    await this.save()
  }

  /** All is done: secrets have no business here any more, but for a passphrase that nobody has seen yet. */
  async finish({ shown }: { shown: boolean }): Promise<void> {
    this.state.finished = true
    if (shown) this.state.passphrase = null
    const { trust } = this.state.answers
    if (trust.kind === 'invite') this.state.answers = { ...this.state.answers, trust: { ...trust, line: '' } }
    for (const entry of this.state.entries) {
      if (entry.action.kind === 'file' && entry.action.secret === true) entry.action = { ...entry.action, text: '' }
    }
    await this.save()
  }

  async save(): Promise<void> {
    const root = await idsOf('root')
    if ((await kindOf(this.#folder)) === undefined) await makeFolder(this.#folder, 0o700, root)
    await replaceFile(
      join(this.#folder, this.state.node + suffix),
      `${JSON.stringify(this.state, undefined, 1)}\n`,
      0o600,
      root
    )
  }

  /** Everything was taken back. */
  async remove(): Promise<void> {
    await removeFile(join(this.#folder, this.state.node + suffix))
    await removeEmpty(this.#folder)
  }
}

const parse = (text: string, path: string): JournalState => {
  try {
    const state: JournalState = JSON.parse(text)
    if (state.schemaVersion === 1 && Array.isArray(state.entries)) return withDeployment(state)
  } catch {
    // Said below: it is replaced in one step, so it was changed by other hands.
  }
  throw new OperatorError(`${path} is no journal of this version of the installer: use the version that wrote it.`)
}

/** A service of systemd was called `vm`. */
const withDeployment = (state: JournalState): JournalState => {
  const word: string = state.answers.deployment
  return word === 'vm' ? { ...state, answers: { ...state.answers, deployment: 'systemd' } } : state
}
