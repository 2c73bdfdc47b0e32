import { createLogUpdate } from 'log-update'
import type { ControlClient } from '../node/control/client.ts'
import { changes } from './changes.ts'
import type { Context } from './context.ts'
import { selectPeers } from './peer-rows.ts'
import { type PeersOptions, peersText } from './peers-text.ts'

/** The top of a text that is higher than the terminal: a redraw cannot reach lines that were scrolled away. */
export const fitting = (text: string, height: number): string => {
  const lines = text.split('\n')
  // One line stays free for the cursor. A height of 0 is a terminal that does not know its own.
  if (height <= 2 || lines.length < height) return text
  const shown = lines.slice(0, height - 2)
  return [...shown, `… ${lines.length - shown.length} more lines (--limit, --state or --sort choose)`].join('\n')
}

/** Redraws on a TTY, one JSON line per changed view elsewhere, until Ctrl-C or the end of the process that is watched. */
export const watchPeers = async (context: Context, client: ControlClient, options: PeersOptions): Promise<void> => {
  const { terminal, signal } = context
  const draw = terminal.isTTY && options.json !== true ? createLogUpdate(process.stdout) : undefined
  const show = async (): Promise<void> => {
    const view = await client.peers({ signal })
    const { rows, kept } = selectPeers(view.peers, options)
    if (draw === undefined) terminal.jsonLine({ ...view, peers: rows })
    else draw(fitting(peersText(context, view, rows, kept, options), process.stdout.rows))
  }
  // Ages move by themselves, so a terminal is redrawn every 2 s also without an event; a pipe gets changes alone.
  for await (const _ of changes(client, { signal, everyMs: draw === undefined ? undefined : 2000 })) await show()
  draw?.done()
}
