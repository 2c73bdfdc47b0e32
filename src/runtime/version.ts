import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface VersionInfo {
  version: string
  commit: string | null
  builtAt: string | null
  node: string
}

/** package.json lies two folders above the sources and three above dist/src/cli; a release adds build.json beside it. */
const readNear = (name: string): Record<string, unknown> | undefined => {
  for (const up of ['../../', '../../../']) {
    try {
      const found: Record<string, unknown> = JSON.parse(
        readFileSync(fileURLToPath(new URL(up + name, import.meta.url)), 'utf8')
      )
      return found
    } catch {
      // Not at this depth: a source tree and dist/ differ by one folder.
    }
  }
  return undefined
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

export const versionInfo = (): VersionInfo => {
  const build = readNear('build.json')
  return {
    version: textOf(readNear('package.json')?.['version']) ?? 'unknown',
    commit: textOf(build?.['commit']),
    builtAt: textOf(build?.['builtAt']),
    node: process.versions.node
  }
}
