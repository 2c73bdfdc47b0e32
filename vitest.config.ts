import { existsSync, statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { AttackTable } from './test/attacks/table-reporter.ts'
import { ceilingMs, hungMs } from './test/helpers/ceiling.ts'
import { FailedTests } from './test/helpers/failed-tests.ts'
import { LongestFirst } from './test/helpers/longest-first.ts'

// Threads that tests start compile the same source again and again. Coverage is exact only without it.
if (!process.argv.includes('--coverage')) process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compiled')

/** What decides over the log, over signatures, over which record stays, over who is a member, and over documents. */
const core = [
  'objects/*',
  'objects/{encoding,orders,policy}/*',
  'log/*',
  'log/{epochs,forks,snapshots}/*',
  'log/state/*',
  'records/{records,unadmitted-records,record-digest}',
  'admission/{admission,root-admission,invites,join-judge,pending-joins,root-request-queue,renewals,single-flight}',
  'documents/*',
  'store/{group-commit,log-table,record-table,admission-tables,document-table}'
]

/** Where unit tests put their stores: in memory where there is a GiB for that, since they spend most of their time waiting for the disk. */
const inMemory = (folder = '/dev/shm'): { TMPDIR?: string } => {
  if (!existsSync(folder)) return {}
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize >= 2 ** 30 ? { TMPDIR: folder } : {}
}

/** Unit tests that look at what the whole process has. */
const alone = ['test/unit/cli/network/idle-gc.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // They leave nothing behind, and loading the same modules for each file takes longer than most of them.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: alone, isolate: false, env: inMemory() }
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/{attacks,conformance,hosts,integration,simulation}/**/*.test.ts', ...alone]
        }
      }
    ],
    setupFiles: ['test/helpers/own-environment.ts'],
    testTimeout: hungMs,
    hookTimeout: hungMs,
    expect: { poll: { timeout: ceilingMs, interval: 20 } },
    // Many tests wait for other processes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // What failed comes last.
    reporters: [new AttackTable(), 'default', new FailedTests()],
    coverage: {
      include: ['src/registry/**', 'src/protocols/**'],
      exclude: ['**/pb/**'],
      reporter: ['text', 'json-summary'],
      // docs/reliability.md says what is missing, and why.
      thresholds: {
        [`src/registry/{${core.join(',')}}.ts`]: { branches: 100 },
        'src/registry/**': { branches: 90 },
        'src/protocols/**': { branches: 85 }
      }
    }
  }
})
