import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Files NAME.crt and NAME.key in a folder: an authority (ca), a certificate for servers on ::1 that are clients of each other (member), one for
 * clients (client); and one for clients that another authority (other-ca) has signed (stranger).
 */
export async function certify(folder: string): Promise<void> {
  // One that adds nothing: the configuration of the system may.
  writeFileSync(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name=name\n[name]\n')
  for (const name of ['ca', 'other-ca']) await sign(folder, name, [], 'basicConstraints=critical,CA:TRUE')
  const by = (ca: string): string[] => ['-CA', join(folder, `${ca}.crt`), '-CAkey', join(folder, `${ca}.key`)]
  const both = 'extendedKeyUsage=serverAuth,clientAuth'
  await sign(folder, 'member', by('ca'), 'subjectAltName=IP:::1', both)
  await sign(folder, 'client', by('ca'), 'extendedKeyUsage=clientAuth')
  await sign(folder, 'stranger', by('other-ca'), 'extendedKeyUsage=clientAuth')
}

async function sign(folder: string, name: string, by: readonly string[], ...extensions: string[]): Promise<void> {
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
  const added = extensions.flatMap((each) => ['-addext', each])
  const config = ['-config', join(folder, 'openssl.cnf')]
  await run('openssl', ['req', ...config, ...made, '-subj', `/O=${name}`, ...by, ...added, ...files])
}
