import { existsSync } from 'node:fs'
import type { Loaded } from '../../node/config/index.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'

export interface StartInvite {
  /** Flags from the invite, for keys that are said nowhere else. */
  readonly flags: Readonly<Record<string, unknown>>
  /** The line itself, where no file holds it. */
  readonly line?: string
}

/** The invite of TRUSTNET_INVITE, TRUSTNET_INVITE_FILE or a credential, for a start that no `trustnet join` has prepared. */
export const startInvite = async ({ terminal }: Context, loaded: Loaded): Promise<StartInvite> => {
  const { env } = terminal
  if (loaded.config.bootstrap.inviteFile !== undefined) return { flags: {} }
  const direct = env['TRUSTNET_INVITE']?.trim() !== undefined && env['TRUSTNET_INVITE']?.trim() !== ''
  const file = direct ? undefined : env['TRUSTNET_INVITE_FILE'] || undefined
  const held = file === undefined ? {} : { 'bootstrap.inviteFile': file }
  // It goes with the admission, while the environment still names it.
  if (file !== undefined && !existsSync(file)) return { flags: held }
  const { readSecret } = await import('../../node/config/index.ts')
  const line = readSecret('invite', { env })
  if (line === undefined) return { flags: {} }
  const flags = { ...(await said(line, loaded)), ...held }
  return file === undefined ? { flags, line } : { flags }
}

const said = async (line: string, { sources }: Loaded): Promise<Record<string, unknown>> => {
  const [{ decodeInvite }, { networkIdText }] = await Promise.all([
    import('../../registry/objects/invite.ts'),
    import('../../identity/network-id.ts')
  ])
  try {
    const { domain, networkId, grant } = decodeInvite(line)
    const { role, name } = grant
    const values = { domain, networkId: networkIdText(networkId), role, name }
    return Object.fromEntries(
      Object.entries(values).filter(([key, value]) => value !== undefined && sources[key] === 'default')
    )
  } catch (error) {
    throw new UsageError(`The invite of the environment: ${error instanceof Error ? error.message : String(error)}`)
  }
}
