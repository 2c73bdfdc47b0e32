import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

interface Failure {
  readonly message: string
}

/** Environment variable with the path of the list of files that failed, a line each. */
const listAt = 'FAILED_TEST_FILES'

/**
 * Names each failure in one line, as the last that is printed: of a long log often only the end is kept. Writes the files that failed to where
 * `FAILED_TEST_FILES` says, for a second run; an error outside of any file stands there as a line that names none.
 */
export class FailedTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): void {
    const lines = [...modules.flatMap(failuresOf), ...unhandled.map((error) => lineOf('outside of any test', [error]))]
    if (lines.length > 0) process.stdout.write(`\nFailed (${lines.length}):\n${lines.join('\n')}\n`)
    const list = process.env[listAt]
    if (list === undefined) return
    const files = modules.filter((module) => !module.ok()).map(fileOf)
    writeFileSync(list, [...files, ...unhandled.map(() => 'outside of any test')].map((line) => `${line}\n`).join(''))
  }
}

const fileOf = ({ moduleId }: TestModule): string => relative(process.cwd(), moduleId)

const failuresOf = (module: TestModule): string[] => {
  const file = fileOf(module)
  const suites = [...module.children.allSuites()].map((suite) => ({ name: suite.fullName, errors: suite.errors() }))
  const tests = [...module.children.allTests('failed')].map((test) => {
    return { name: test.fullName, errors: test.result().errors ?? [] }
  })
  const failed = [...suites.filter(({ errors }) => errors.length > 0), ...tests]
  const named = failed.map(({ name, errors }) => lineOf(`${file} > ${name}`, errors))
  return [...module.errors().map((error) => lineOf(file, [error])), ...named]
}

const maxChars = 400

const lineOf = (what: string, [first]: readonly Failure[]): string =>
  `  ${what}: ${first?.message.split('\n')[0] ?? 'no reason was given'}`.slice(0, maxChars)
