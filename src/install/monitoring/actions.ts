import { stringify } from 'yaml'
import type { Action, FolderAction } from '../model/action.ts'
import type { Install } from '../model/deployment.ts'
import { httpListen } from '../model/http.ts'
import { dashboardText } from './dashboard.ts'
import { rulesText } from './rules.ts'

const prometheus = '/etc/prometheus'
const grafana = '/etc/grafana'
/** Folder of ours beside the files of Grafana: what is provisioned from there is shown, and removed when it goes. */
const dashboards = `${grafana}/trustnet`

const provider = {
  apiVersion: 1,
  providers: [{ name: 'trustnet', type: 'file', options: { path: dashboards }, allowUiUpdates: true }]
}

/** Files that Prometheus and Grafana of Debian read: rules and dashboard of all nodes of the machine, and this node as a target. */
export const monitoringActions = ({ answers }: Install): Action[] => {
  const { name } = answers
  const targets = [{ targets: [httpListen(answers)], labels: { node: name } }]
  return [
    folder(`${prometheus}/trustnet`),
    file(`${prometheus}/trustnet/rules.yml`, rulesText()),
    file(`${prometheus}/trustnet/targets-${name}.yml`, stringify(targets)),
    {
      kind: 'prometheus',
      path: `${prometheus}/prometheus.yml`,
      rules: `${prometheus}/trustnet/rules.yml`,
      targets: `${prometheus}/trustnet/targets-*.yml`
    },
    folder(dashboards),
    file(`${dashboards}/trustnet.json`, dashboardText()),
    { ...folder(`${grafana}/provisioning/dashboards`), foreign: true },
    file(`${grafana}/provisioning/dashboards/trustnet.yaml`, stringify(provider))
  ]
}

const folder = (path: string): FolderAction => ({ kind: 'folder', path, mode: 0o755, owner: 'root' })

const file = (path: string, text: string): Action => ({ kind: 'file', path, text, mode: 0o644, owner: 'root' })
