import { createProvider } from '../../dns/providers/index.ts'
import { type DnsProvider, providerNames } from '../../dns/providers/provider.ts'
import { providerSettings } from '../../node/config/dns-provider.ts'
import { OperatorError } from '../errors.ts'

/** The provider of that name; its secret comes from the environment or a file. @throws OperatorError, ConfigError */
export const providerOf = (
  name: string,
  settings: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>
): Promise<DnsProvider> => {
  const provider = providerNames.find((one) => one === name)
  if (provider === undefined) throw new OperatorError(`--dns-provider ${name}: choose ${providerNames.join(', ')}.`)
  return createProvider(
    providerSettings({ provider, awsProfile: settings['profile'], server: settings['server'] }, env)
  )
}
