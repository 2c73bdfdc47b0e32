type Env = Readonly<Record<string, string | undefined>>

/** Variables that a program of the system needs to find itself, its user and its language. */
const passed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TERM', 'TMPDIR'] as const

/**
 * The environment of a child process: a short list of variables, and what the caller adds. The rest stays here: passphrases and tokens,
 * settings of this program, and what makes a loader or an interpreter run other code (LD_PRELOAD, NODE_OPTIONS).
 */
export const cleanEnvironment = (
  more: Env = {},
  { env = process.env, also = [] }: { env?: Env; also?: readonly string[] } = {}
): NodeJS.ProcessEnv => {
  const names: readonly string[] = [...passed, ...also]
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return { ...Object.fromEntries(kept), ...more }
}
