import { type Document, isSeq, parseDocument, YAMLSeq } from 'yaml'
import { InstallError } from '../errors.ts'

/** Entries of ours in a configuration of Prometheus. */
export interface PrometheusEntries {
  /** File of alert rules. */
  readonly rules: string
  /** Files of targets: one for each node of this machine. */
  readonly targets: string
}

const jobName = 'trustnet'

const jobOf = ({ targets }: PrometheusEntries) => ({ job_name: jobName, file_sd_configs: [{ files: [targets] }] })

/** Adds the entries that are missing. What else is in the file stays, comments too. @throws InstallError for what is no YAML */
export const withEntries = (text: string, entries: PrometheusEntries): string => {
  const config = read(text)
  const rules = listOf(config, 'rule_files')
  if (!values(rules).includes(entries.rules)) rules.add(config.createNode(entries.rules))
  const jobs = listOf(config, 'scrape_configs')
  if (jobs.items.every((job) => nameOf(config, job) !== jobName)) jobs.add(config.createNode(jobOf(entries)))
  return write(config)
}

/** Takes the entries out again. */
export const withoutEntries = (text: string, entries: PrometheusEntries): string => {
  const config = read(text)
  const rules = listOf(config, 'rule_files')
  rules.items = rules.items.filter((_, at) => values(rules)[at] !== entries.rules)
  const jobs = listOf(config, 'scrape_configs')
  jobs.items = jobs.items.filter((job) => nameOf(config, job) !== jobName)
  return write(config)
}

const read = (text: string): Document => {
  const config = parseDocument(text)
  const [error] = config.errors
  if (error !== undefined) throw new InstallError(`The configuration of Prometheus is no YAML: ${error.message}`)
  return config
}

const write = (config: Document): string => config.toString({ lineWidth: 0, flowCollectionPadding: false })

/** The list of that name, made where there is none or an empty one, with the comments that stood there. */
const listOf = (config: Document, key: string): YAMLSeq => {
  const found: unknown = config.get(key, true)
  if (isSeq(found)) return found
  const list = new YAMLSeq()
  if (typeof found === 'object' && found !== null && 'comment' in found && typeof found.comment === 'string')
    list.commentBefore = found.comment
  config.set(key, list)
  return list
}

const values = (list: YAMLSeq): unknown[] => {
  const plain: unknown = list.toJSON()
  return Array.isArray(plain) ? plain : []
}

const nameOf = (config: Document, job: unknown): unknown => {
  const plain: unknown = config.createNode(job).toJSON()
  return typeof plain === 'object' && plain !== null ? Reflect.get(plain, 'job_name') : undefined
}
