import { createLogUpdate } from 'log-update'
import type { ControlApi } from '../../node/api/control-api.ts'
import { stampOf } from '../../node/api/stamp.ts'
import { changes } from '../output/changes.ts'
import type { Context } from '../output/context.ts'
import { selectPeers } from '../output/peer-rows.ts'
import type { Terminal } from '../output/terminal.ts'
import { printable } from '../output/text.ts'
import { PeerChanges } from './peer-changes.ts'
import { type PeersOptions, peersText } from './peers-text.ts'

/** The top of a text that is higher than the terminal: a redraw cannot reach lines that were scrolled away. */
export const fitting = (text: string, height: number): string => {
  const lines = text.split('\n')
  // One line stays free for the cursor. A height of 0 is a terminal that does not know its own.
  if (height <= 2 || lines.length < height) return text
  const shown = lines.slice(0, height - 2)
  return [...shown, `… ${lines.length - shown.length} more lines (--limit, --state or --sort choose)`].join('\n')
}

export interface Screen {
  draw(text: string): void
  done(): void
}

/** A serial line does not know its size: nothing can be drawn over. */
const append = (terminal: Terminal): Screen => ({ draw: (text) => terminal.print(`${text}\n`), done: () => undefined })

/** Screen that a table is drawn on; real unless a test brings its own. */
const redraw = (): Screen => {
  let log = createLogUpdate(process.stdout)
  let last = ''
  // A terminal of another width has wrapped the old lines anew: how many they are now is not known, so it begins afresh.
  const resized = (): void => {
    log.done()
    log = createLogUpdate(process.stdout)
    process.stdout.write('\u001B[2J\u001B[H')
    log(last)
  }
  process.stdout.on('resize', resized)
  return {
    draw(text) {
      last = text
      log(text)
    },
    done() {
      process.stdout.off('resize', resized)
      log.done()
    }
  }
}

/** Screen of a terminal, which a text is drawn on again and again. */
export const openScreen = (terminal: Terminal): Screen => (terminal.width === undefined ? append(terminal) : redraw())

/** Redraws on a TTY, one JSON line for each change of a peer elsewhere, until Ctrl-C or the end of the process that is watched. */
export const watchPeers = async (context: Context, client: ControlApi, options: PeersOptions): Promise<void> => {
  const { terminal, signal } = context
  const isShown = terminal.isTTY && options.json !== true
  const screen = isShown ? openScreen(terminal) : undefined
  const told = new PeerChanges()
  const show = async (): Promise<void> => {
    const view = await client.peers({}, { signal })
    const { rows, kept } = selectPeers(view.peers, options)
    if (screen === undefined) for (const change of told.take(rows)) terminal.jsonLine({ ...stampOf(view), ...change })
    else {
      screen.draw(printable(fitting(peersText(context, view, rows, kept, options), process.stdout.rows)))
    }
  }
  try {
    // Ages move by themselves, so a terminal is redrawn every 2 s also without an event; a pipe gets changes alone.
    for await (const _ of changes(client, { signal, everyMs: screen === undefined ? undefined : 2000 })) await show()
  } finally {
    screen?.done()
  }
}
