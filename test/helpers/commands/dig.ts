import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Asks the name server at that port of ::1 with dig: for all that it prints, the data of the answers, or the word of its code. */
export const digAt = (port: number) => {
  const dig = async (...args: string[]): Promise<string> =>
    (await run('dig', ['@::1', '-p', `${port}`, '+tries=1', '+time=20', ...args])).stdout
  return {
    dig,
    short: async (...args: string[]): Promise<string[]> =>
      (await dig('+short', ...args)).split('\n').filter((line) => line !== ''),
    status: async (...args: string[]): Promise<string | undefined> => /status: (\w+)/.exec(await dig(...args))?.[1]
  }
}
