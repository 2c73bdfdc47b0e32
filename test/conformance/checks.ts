/** Named checks of another implementation, told one a line as they are made. */
export class Checks {
  passed = 0
  failed = 0
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  /** Runs one check; it fails when it throws. Gives its result, undefined where it failed. */
  async check<T>(name: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await run()
      this.passed++
      this.#print(`ok      ${name}`)
      return result
    } catch (error) {
      this.failed++
      this.#print(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  get summary(): string {
    return `${this.passed} passed, ${this.failed} failed`
  }
}

/** @throws Error that says what was expected */
export function expectEqual(given: unknown, expected: unknown, what: string): void {
  if (given !== expected) throw new Error(`${what} is ${String(given)}, not ${String(expected)}`)
}
