import type { Context } from '../output/context.ts'

export interface Choice<T extends string> {
  readonly value: T
  readonly name: string
  readonly description: string
}

/** The kinds of questions that the wizard asks. Ctrl-C ends it and nothing was changed. */
export interface Ask {
  select<T extends string>(message: string, choices: readonly Choice<T>[], fallback: T): Promise<T>
  input(
    message: string,
    options?: { fallback?: string | undefined; check?: (value: string) => string | undefined }
  ): Promise<string>
  /** Not shown while it is typed or pasted. */
  secret(message: string, check: (value: string) => string | undefined): Promise<string>
  confirm(message: string, fallback: boolean): Promise<boolean>
}

/** A check as the prompts want it. */
const verdict =
  (check?: (value: string) => string | undefined) =>
  (value: string): string | true =>
    check?.(value.trim()) ?? true

/** On this terminal: the prompts are loaded only when somebody is asked. They go to stderr, so that stdout stays data. */
export const terminalAsk = async ({ signal }: Context): Promise<Ask> => {
  const [select, input, password, confirm] = await Promise.all([
    import('@inquirer/select'),
    import('@inquirer/input'),
    import('@inquirer/password'),
    import('@inquirer/confirm')
  ])
  const where = { input: process.stdin, output: process.stderr, signal }
  return {
    select: async (message, choices, fallback) =>
      await select.default({ message, choices: choices.map((choice) => ({ ...choice })), default: fallback }, where),
    input: async (message, { fallback, check } = {}) => {
      const base = { message, validate: verdict(check) }
      return (await input.default(fallback === undefined ? base : { ...base, default: fallback }, where)).trim()
    },
    secret: async (message, check) => (await password.default({ message, validate: verdict(check) }, where)).trim(),
    confirm: async (message, fallback) => await confirm.default({ message, default: fallback }, where)
  }
}
