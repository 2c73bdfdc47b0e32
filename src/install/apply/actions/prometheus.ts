import { idsOf, modeOf, replaceFile, textOf } from '../../machine/files-on-disk.ts'
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
    await change(action.path, text, withEntries(text, action), tools)
  },
  revert: async (action, undo, tools) => {
    const text = await textOf(action.path)
    if (text === undefined) return
    const before = undo['text']
    // Where nobody else has changed it, every byte is as it was.
    const isOurs = typeof before === 'string' && text === withEntries(before, action)
    await change(action.path, text, isOurs ? before : withoutEntries(text, action), tools)
  }
}

const change = async (path: string, before: string, after: string, tools: Tools): Promise<void> => {
  if (after === before) return
  await replaceFile(path, after, (await modeOf(path)) ?? 0o644, await idsOf('root'))
  // One that does not run reads it when it starts.
  await tools.run(['systemctl', 'reload', 'prometheus']).catch(() => {})
}
