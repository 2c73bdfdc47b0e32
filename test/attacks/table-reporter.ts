import { relative } from 'node:path'
import type { Reporter, TestCase } from 'vitest/node'

interface Row {
  readonly file: string
  readonly name: string
  readonly passed: boolean
  readonly happened: string
  readonly held: string
}

/** Prints one block for each attack that ran, once all tests are over: what it is, what happened, what held. */
export class AttackTable implements Reporter {
  readonly #rows: Row[] = []

  onTestCaseResult(testCase: TestCase): void {
    const file = relative('test/attacks', testCase.module.moduleId)
    if (file.startsWith('..') || !testCase.name.startsWith('attack: ')) return
    const { state, errors = [] } = testCase.result()
    if (state === 'skipped') return
    const { attack } = testCase.meta()
    const happened = attack?.happened ?? errors[0]?.message.split('\n')[0] ?? 'nothing was reported'
    this.#rows.push({
      file,
      name: testCase.name.slice('attack: '.length),
      passed: state === 'passed',
      happened,
      held: attack?.held ?? 'NOTHING'
    })
  }

  onTestRunEnd(): void {
    if (this.#rows.length === 0) return
    process.stdout.write('\nAttacks\n')
    for (const { file, name, passed, happened, held } of this.#rows.toSorted((a, b) => a.file.localeCompare(b.file))) {
      process.stdout.write(`\n${passed ? 'held  ' : 'FAILED'}  ${name}  (${file})\n`)
      process.stdout.write(`        happened  ${happened}\n        held      ${held}\n`)
    }
    const held = this.#rows.filter(({ passed }) => passed).length
    process.stdout.write(`\n${held} of ${this.#rows.length} attacks held\n\n`)
  }
}
