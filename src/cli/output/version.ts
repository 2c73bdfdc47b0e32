import { versionInfo } from '../../runtime/version.ts'
import type { AddCommand } from './context.ts'
import { exampleOf } from './help.ts'

export const addVersion: AddCommand = (program, { terminal }) => {
  program
    .command('version')
    .description('version, commit and build time')
    .option('--json', 'print JSON')
    .addHelpText('after', exampleOf('trustnet version --json'))
    .action((options: { json?: boolean }) => {
      const info = versionInfo()
      if (options.json === true) return terminal.json({ ...info })
      const commit = info.commit === null ? '' : `, commit ${info.commit}`
      const built = info.builtAt === null ? '' : `, built ${info.builtAt}`
      terminal.print(`trustnet ${info.version}${commit}${built}, node ${info.node}`)
    })
}
