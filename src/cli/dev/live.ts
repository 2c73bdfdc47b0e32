import { emitKeypressEvents, type Key } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Output } from '../../node/api/control-api.ts'
import { either } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { changes } from '../output/changes.ts'
import type { Context } from '../output/context.ts'
import { selectPeers } from '../output/peer-rows.ts'
import type { Terminal } from '../output/terminal.ts'
import { printable, wrapped } from '../output/text.ts'
import { peersText } from '../peers/peers-text.ts'
import { fitting, openScreen, type Screen } from '../peers/watch.ts'
import type { Deed, Trouble } from './trouble.ts'

const againMs = 250
const redrawMs = 2000
const leastRows = 3
/** Messages about processes that stay on the screen. */
const mostMessages = 2

const deeds: ReadonlyMap<string, Deed> = new Map([
  ['k', 'kill'],
  ['f', 'freeze'],
  ['c', 'cut'],
  ['b', 'back']
])
const keys = '←/→ choose · k kill · f freeze · c cut off · b bring back · a add a node · q stop all'

/** Views of the network by whoever answers, from one change to the next; undefined when nobody does. */
export async function* views(
  trouble: Trouble,
  options: { signal: AbortSignal; everyMs: number | undefined }
): AsyncGenerator<Output<'peers'> | undefined> {
  while (!options.signal.aborted) {
    const signal = either(options.signal, trouble.turned)
    const viewer = await trouble.viewer(signal)
    if (viewer === undefined) yield undefined
    try {
      if (viewer !== undefined)
        for await (const _ of changes(viewer, { ...options, signal })) yield await viewer.peers({}, { signal })
      await sleep(againMs, undefined, { signal })
    } catch {
      // It is gone, or another one is to be asked: the next round finds out who answers.
    }
  }
}

/** The table, the processes and the keys that change them, on a terminal until Ctrl-C or q. */
export const live = async (context: Context, init: LiveInit): Promise<void> => {
  const over = new AbortController()
  const signal = either(context.signal, over.signal)
  const board = new Board(context, init, () => over.abort())
  try {
    for await (const view of views(init.trouble, { signal, everyMs: redrawMs })) board.show(view)
  } finally {
    board[Symbol.dispose]()
  }
}

export interface LiveInit {
  trouble: Trouble
  /** Lines under the table, as they are now. */
  notices(): readonly string[]
  onDeath(listener: (message: string) => void): void
  /** True while one node more is allowed. */
  mayAdd(): boolean
}

class Board implements Disposable {
  readonly #context: Context
  readonly #init: LiveInit
  readonly #stop: () => void
  readonly #screen: Screen
  readonly #messages: string[] = []
  #view: Output<'peers'> | undefined
  #chosen = 0
  #work: Promise<void> = Promise.resolve()

  constructor(context: Context, init: LiveInit, stop: () => void) {
    this.#context = context
    this.#init = init
    this.#stop = stop
    this.#screen = openScreen(context.terminal)
    init.onDeath((message) => this.#tell(message))
    const { stdin } = context.terminal
    emitKeypressEvents(stdin)
    stdin.on('keypress', this.#press)
    setRaw(context.terminal, true)
    stdin.resume()
  }

  show(view: Output<'peers'> | undefined): void {
    this.#view = view
    this.#draw()
  }

  [Symbol.dispose](): void {
    const { stdin } = this.#context.terminal
    stdin.off('keypress', this.#press)
    stdin.pause()
    setRaw(this.#context.terminal, false)
    this.#screen.done()
  }

  readonly #press = (_: string | undefined, { name = '', ctrl = false }: Key): void => {
    const { members } = this.#init.trouble
    const deed = deeds.get(name)
    const member = members[this.#chosen]
    if (name === 'q' || (ctrl && name === 'c')) this.#stop()
    else if (name === 'left' || name === 'up') this.#choose(this.#chosen - 1)
    else if (name === 'right' || name === 'down' || name === 'tab') this.#choose(this.#chosen + 1)
    else if (name === 'a') this.#do(() => this.#add())
    else if (deed !== undefined && member !== undefined) this.#do(() => this.#init.trouble.make(deed, member.name))
  }

  #choose(at: number): void {
    const { length } = this.#init.trouble.members
    this.#chosen = (at + length) % length
    this.#draw()
  }

  async #add(): Promise<void> {
    if (this.#init.mayAdd()) await this.#init.trouble.add()
    else this.#tell('No more nodes: each is a process of its own.')
  }

  /** One after the other; a failure is shown. */
  #do(work: () => Promise<void>): void {
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => this.#tell(error instanceof Error ? error.message : String(error)))
      .then(() => this.#draw())
    inBackground(this.#work, 'a key of the live table')
  }

  #tell(message: string): void {
    this.#messages.push(message)
    this.#messages.splice(0, this.#messages.length - mostMessages)
    this.#draw()
  }

  #draw(): void {
    const { terminal } = this.#context
    const below = [
      '',
      wrapped(this.#processes(), '  ', terminal.width, ''),
      wrapped(keys.split(' · '), ' · ', terminal.width, ''),
      ...this.#init.notices(),
      ...this.#messages.flatMap((message) => ['', message])
    ].flatMap((text) => text.split('\n'))
    const { rows } = process.stdout
    const height = rows > 0 ? Math.max(leastRows, rows - below.length) : 0
    this.#screen.draw(printable([fitting(this.#table(), height), ...below].join('\n')))
  }

  #table(): string {
    const view = this.#view
    if (view === undefined) return 'No process answers; b brings the chosen one back.'
    const { rows, kept } = selectPeers(view.peers, {})
    return peersText(this.#context, view, rows, kept, {})
  }

  #processes(): string[] {
    const { trouble } = this.#init
    return trouble.members.map(({ name }, at) => {
      const state = trouble.stateOf(name)
      const text = state === 'runs' ? name : `${name} ${state}`
      return at === this.#chosen ? `[${text}]` : text
    })
  }
}

const setRaw = ({ stdin }: Terminal, on: boolean): void => {
  if ('setRawMode' in stdin && typeof stdin.setRawMode === 'function') stdin.setRawMode(on)
}
