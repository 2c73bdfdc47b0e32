import type { RegisterBackend } from './backend.ts'

/** Resolves when the replica has the key as a member, or when it took too long. */
export async function untilAdmitted(backend: RegisterBackend, publicKey: Uint8Array, timeoutMs: number): Promise<void> {
  if (backend.member(publicKey) !== undefined) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  const onAdmitted = () => {
    if (backend.member(publicKey) !== undefined) resolve()
  }
  backend.events.addEventListener('admitted', onAdmitted)
  await promise
  clearTimeout(timer)
  backend.events.removeEventListener('admitted', onAdmitted)
}
