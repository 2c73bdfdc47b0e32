import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { doable } from '../../../../src/install/apply/actions/index.ts'
import { planFor, toolsFor } from '../../../../src/install/apply/session.ts'
import { deploymentOf } from '../../../../src/install/deployments/index.ts'
import { runningProgram } from '../../../../src/install/machine/running-program.ts'
import type { PrometheusAction } from '../../../../src/install/model/action.ts'
import { withEntries, withoutEntries } from '../../../../src/install/monitoring/prometheus-config.ts'
import { rulesText } from '../../../../src/install/monitoring/rules.ts'
import { type Given, resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** Like the one of Debian: the list of rules is there, and empty. */
const debian = `# Sample config for Prometheus.

global:
  scrape_interval:     15s # Every 15 seconds.

rule_files:
  # - "first_rules.yml"

scrape_configs:
  # Prometheus itself.
  - job_name: 'prometheus'
    static_configs:
      - targets: ['localhost:9090']
`
const entries = { rules: '/etc/prometheus/trustnet/rules.yml', targets: '/etc/prometheus/trustnet/targets-*.yml' }

describe('the configuration of a Prometheus that is there', () => {
  it('gets the rules and the job once, and keeps all else with its comments', () => {
    const changed = withEntries(debian, entries)
    expect(withEntries(changed, entries)).toBe(changed)
    for (const line of [
      '# Sample config',
      '# Every 15 seconds.',
      'first_rules.yml',
      '# Prometheus itself.',
      'localhost:9090'
    ])
      expect(changed).toContain(line)
    expect(changed.match(/job_name/g)).toHaveLength(2)
    expect(withoutEntries(changed, entries)).toBe(debian)
  })

  it.each([
    [
      'of another spacing',
      "rule_files:\n- \"a.yml\"\n\n\nscrape_configs:\n- job_name:   'p'\n  static_configs:\n  - targets: ['a',   'b']\n"
    ],
    [
      'with comments behind a list',
      'rule_files:\n  - a.yml\n  # - b.yml\n\n# The jobs\nscrape_configs:\n  - job_name: a\n'
    ],
    ['in brackets', 'rule_files: [ a.yml,b.yml ]\nscrape_configs: []\n'],
    ['with anchors', 'rule_files: []\nscrape_configs:\n  - &a\n    job_name: a\n  - <<: *a\n    job_name: b\n']
  ])('%s is the same byte for byte when they are gone', (_, text) => {
    const changed = withEntries(text, entries)
    expect(parse(changed, { merge: true })).toMatchObject({
      rule_files: expect.arrayContaining([entries.rules]),
      scrape_configs: expect.arrayContaining([expect.objectContaining({ job_name: 'trustnet' })])
    })
    expect(withoutEntries(changed, entries)).toBe(text)
  })

  it.each(['', 'global: {}\n', 'rule_files: [other.yml]\nscrape_configs: []\n'])(
    'gets them where there is %j',
    (text) => {
      const changed = withEntries(text, entries)
      expect(changed).toContain(entries.rules)
      expect(changed).toContain('job_name: trustnet')
      if (text.includes('other')) expect(withoutEntries(changed, entries)).toContain('other.yml')
    }
  )

  it.each([
    ['a: [', 'no YAML'],
    ['rule_files: one.yml\n', 'rule_files is no list'],
    ['x: &r [one.yml]\nrule_files: *r\n', 'rule_files is no list'],
    ['scrape_configs:\n  - *nobody\n', 'no YAML'],
    ['- a\n', 'no mapping'],
    ['? rule_files\n: - one.yml\n', 'not known here']
  ])('%j is refused: what is there would be lost', (text, why) => {
    expect(() => withEntries(text, entries)).toThrow(why)
  })

  it('shows nothing of itself when it is no YAML', () => {
    expect(() => withEntries('password: [secret\n', entries)).toThrow(/no YAML(?!.*secret)/s)
  })
})

const said: string[] = []
const tools = toolsFor({
  signal: new AbortController().signal,
  program: runningProgram(),
  say: () => undefined,
  tell: (text) => said.push(text),
  env: {}
})

describe.runIf(process.geteuid?.() === 0)('what an install adds to it', () => {
  const set = (text: string | undefined) => {
    const folder = tempFolder()
    const path = join(folder.path, 'prometheus.yml')
    if (text !== undefined) writeFileSync(path, text)
    mkdirSync(join(folder.path, 'trustnet'))
    writeFileSync(join(folder.path, 'trustnet/rules.yml'), rulesText())
    const action: PrometheusAction = {
      kind: 'prometheus',
      path,
      rules: join(folder.path, 'trustnet/rules.yml'),
      targets: join(folder.path, 'trustnet/targets-*.yml')
    }
    return { folder, path, action }
  }

  it('is a configuration that Prometheus takes, and gone with the last byte after it', async () => {
    const { folder, path, action } = set(debian)
    using _ = folder
    const undo = await doable(action).before(tools)
    await doable(action).apply(tools, undo)
    await doable(action).apply(tools, undo)
    execFileSync('promtool', ['check', 'config', path], { stdio: 'pipe' })
    expect(readFileSync(path, 'utf8')).toContain('job_name: trustnet')
    await doable(action).revert(undo, tools)
    expect(readFileSync(path, 'utf8')).toBe(debian)
  })

  it('goes alone where somebody changed the file meanwhile', async () => {
    const { folder, path, action } = set(debian)
    using _ = folder
    const undo = await doable(action).before(tools)
    await doable(action).apply(tools, undo)
    writeFileSync(path, readFileSync(path, 'utf8').replace('15s', '30s'))
    await doable(action).revert(undo, tools)
    expect(readFileSync(path, 'utf8')).toBe(debian.replace('15s', '30s'))
  })

  it('is read anew by an install over another one, whose rules may be others', async () => {
    const { folder, action } = set(withEntries(debian, entries))
    using _ = folder
    const ran: string[] = []
    const run = async (command: readonly string[]) => {
      ran.push(command.join(' '))
      return { code: 0, out: '', err: '' }
    }
    await doable({ ...action, ...entries }).apply({ ...tools, run }, {})
    expect(ran).toEqual(['systemctl reload prometheus'])
  })

  it('holds up no uninstall where it was refused, as it was or mended since', async () => {
    const { folder, path, action } = set('rule_files: one.yml\n')
    using _ = folder
    const undo = await doable(action).before(tools)
    await expect(doable(action).apply(tools, undo)).rejects.toThrow('no list')
    await doable(action).revert(undo, tools)
    expect(readFileSync(path, 'utf8')).toBe('rule_files: one.yml\n')
    writeFileSync(path, debian)
    await doable(action).apply(tools, undo)
    await doable(action).revert(undo, tools)
    expect(readFileSync(path, 'utf8')).toBe(debian)
  })

  it('leaves the file its owner and its group, by which Prometheus reads it; no file of root runs as root', async () => {
    const { folder, path, action } = set(debian)
    using _ = folder
    chownSync(path, 12_345, 12_346)
    chmodSync(path, 0o4640)
    const undo = await doable(action).before(tools)
    await doable(action).apply(tools, undo)
    expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 12_346, mode: constants.S_IFREG | 0o640 })
    await doable(action).revert(undo, tools)
    expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 12_346, mode: constants.S_IFREG | 0o640 })
  })

  it('leaves a folder of Grafana as it is', async () => {
    using folder = tempFolder()
    chownSync(folder.path, 0, 12_346)
    chmodSync(folder.path, 0o750)
    const path = '/etc/grafana/provisioning/dashboards'
    const found = planned({ monitoring: true }).find((each) => 'path' in each && each.path === path)
    if (found?.kind !== 'folder') throw new Error('there is no such folder in the plan')
    const action = { ...found, path: folder.path }
    const undo = await doable(action).before(tools)
    await doable(action).apply(tools, undo)
    expect(statSync(folder.path)).toMatchObject({ gid: 12_346, mode: constants.S_IFDIR | 0o750 })
    await doable(action).revert(undo, tools)
    expect(statSync(folder.path)).toMatchObject({ gid: 12_346, mode: constants.S_IFDIR | 0o750 })
  })

  it('is nothing where no Prometheus is, and that is said', async () => {
    const { folder, path, action } = set(undefined)
    using _ = folder
    const undo = await doable(action).before(tools)
    await doable(action).apply(tools, undo)
    await doable(action).revert(undo, tools)
    expect(existsSync(path)).toBe(false)
    expect(said.join()).toContain('Prometheus is not installed here')
  })
})

const planned = (given: Given) => {
  const answers = resolveAnswers({ name: 'hal', domain: 'example.org', trustOnFirstUse: true, ...given })
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined) throw new Error('no such deployment')
  const { steps } = planFor(answers, '1.2.3', deployment, { ipv6: [], firewall: [], dns: [] })
  return steps.flatMap((step) => step.actions)
}

describe('install --monitoring', () => {
  it('plans its files, the entries and the HTTP server that is looked at; without it there is nothing of them', () => {
    const paths = (given: Given) => planned(given).flatMap((action) => ('path' in action ? [action.path] : []))
    const isOurs = (path: string) => path.includes('prometheus') || path.includes('grafana')
    expect(paths({ monitoring: true }).filter(isOurs)).toEqual([
      '/etc/prometheus/trustnet',
      '/etc/prometheus/trustnet/rules.yml',
      '/etc/prometheus/trustnet/targets-hal.yml',
      '/etc/prometheus/prometheus.yml',
      '/etc/grafana/trustnet',
      '/etc/grafana/trustnet/trustnet.json',
      '/etc/grafana/provisioning/dashboards',
      '/etc/grafana/provisioning/dashboards/trustnet.yaml'
    ])
    expect(paths({}).filter(isOurs)).toEqual([])
    const files = planned({ monitoring: true }).filter((action) => action.kind === 'file')
    const config = files.find(({ path }) => path === '/etc/trustnet/hal.yaml')
    expect(parseConfig({ text: config?.text ?? '', file: 'hal.yaml', env: {} }).config.http.listen).toBe('[::1]:9400')
    expect(files.find(({ path }) => path.endsWith('targets-hal.yml'))?.text).toContain('[::1]:9400')
  })

  it('is refused for containers, whose files are elsewhere, and for a port that leaves no room', () => {
    expect(() => resolveAnswers({ ...given, deployment: 'docker', monitoring: true })).toThrow('docs/monitoring.md')
    expect(() => resolveAnswers({ ...given, port: 65_500, monitoring: true })).toThrow('http.listen')
  })
  const given: Given = { name: 'hal', domain: 'example.org', trustOnFirstUse: true }
})
