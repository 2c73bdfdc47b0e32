import { replaceFile, textOf } from '../../machine/files-on-disk.ts'
import { statAt } from '../../machine/open-safely.ts'
import type { PrometheusAction } from '../../model/action.ts'
import type { Tools } from '../../model/tools.ts'
import { withEntries, withoutEntries } from '../../monitoring/prometheus-config.ts'
import type { Kind } from './kind.ts'

/** Entries in the configuration of a Prometheus that is there already. */
export const prometheusKind: Kind<PrometheusAction> = {
  describe: ({ path, rules, targets }) => ({
    text: `the job trustnet and its alert rules in ${path}, where Prometheus is installed; it reads them anew`,
    lines: [`rule_files: ${rules}`, `scrape_configs: job trustnet, targets of ${targets}`]
  }),
  before: async ({ path }) => ({ text: (await textOf(path)) ?? null }),
  apply: async (action, tools) => {
    const text = await textOf(action.path)
    if (text === undefined) {
      tools.tell(`Prometheus is not installed here (no ${action.path}): docs/monitoring.md has what another one needs`)
      return
    }
    await change(action.path, text, withEntries(text, action))
    // The rules of this version may be others, also where the entries stay.
    await reload(tools)
  },
  revert: async (action, undo, tools) => {
    const text = await textOf(action.path)
    if (text === undefined) return
    const before = undo['text']
    if (text === before) return
    // Where nobody else has changed it, every byte is as it was.
    const isOurs = typeof before === 'string' && isMadeOf(text, before, action)
    if (await change(action.path, text, isOurs ? before : withoutEntries(text, action))) await reload(tools)
  }
}

/** Gives false also for one that was refused at first, and mended since. */
const isMadeOf = (text: string, before: string, action: PrometheusAction): boolean => {
  try {
    return text === withEntries(before, action)
  } catch {
    return false
  }
}

/** Tells whether it is another one now. */
const change = async (path: string, before: string, after: string): Promise<boolean> => {
  if (after === before) return false
  // It stays its owner's: the Prometheus that reads it may have it by its group alone.
  const { mode, uid, gid } = statAt(path) ?? { mode: 0o644, uid: 0, gid: 0 }
  await replaceFile(path, after, mode & 0o777, { uid, gid })
  return true
}

/** Makes the one that runs read it; another reads it when it starts. */
const reload = async (tools: Tools): Promise<void> => {
  await tools.run(['systemctl', 'reload', 'prometheus']).catch(() => {})
}
