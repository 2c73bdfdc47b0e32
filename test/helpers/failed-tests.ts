import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

interface Failure {
  readonly message: string
}

/** Names each failure in one line, as the last that is printed: of a long log often only the end is kept. */
export class FailedTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): void {
    const lines = [...modules.flatMap(failuresOf), ...unhandled.map((error) => lineOf('outside of any test', [error]))]
    if (lines.length > 0) process.stdout.write(`\nFailed (${lines.length}):\n${lines.join('\n')}\n`)
  }
}

const failuresOf = (module: TestModule): string[] => {
  const file = relative(process.cwd(), module.moduleId)
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
