import type { Action } from './action.ts'
import type { Answers } from './answers.ts'
import type { Install } from './deployment.ts'
import { layoutOf } from './layout.ts'

const portStep = 400

/** Address of the HTTP API where no other is named: on loopback, at a port of its own beside the one of the network. */
export const defaultHttp = (port: number): string => `[::1]:${port + portStep}`

/** Address of the HTTP API; undefined: there is none. */
export const httpListen = ({ http, monitoring, port }: Answers): string | undefined =>
  http ?? (monitoring === true ? defaultHttp(port) : undefined)

/** true: no other machine reaches it. The address is written in the usual way. */
export const isLoopback = (listen: string): boolean => listen.startsWith('[::1]:')

/** File of the token that requests bring; undefined: they need none. */
export const httpTokenFile = (answers: Answers): string | undefined => {
  const listen = httpListen(answers)
  return listen === undefined || isLoopback(listen) ? undefined : layoutOf(answers.name).httpToken
}

/** Keys of the configuration for it. */
export const httpValues = (answers: Answers): Record<string, string | undefined> => ({
  'http.listen': httpListen(answers),
  'http.tokenFile': httpTokenFile(answers)
})

/** The token, which is made where it is written: no plan and no journal has it. One that is there stays. */
export const httpActions = ({ answers, layout }: Install): Action[] => {
  const path = httpTokenFile(answers)
  if (path === undefined) return []
  return [
    {
      kind: 'file',
      path,
      text: '@TOKEN@\n',
      mode: 0o640,
      owner: 'root',
      group: layout.user,
      secret: true,
      once: true,
      filled: true
    }
  ]
}
