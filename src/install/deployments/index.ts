import type { DeploymentName } from '../model/answers.ts'
import type { Deployment } from '../model/deployment.ts'
import { docker } from './docker.ts'
import { foreground } from './foreground.ts'
import { kubernetes } from './kubernetes.ts'
import { systemd } from './systemd.ts'

/** Those that can be installed, in the order of the menu. */
export const deployments: readonly Deployment[] = [systemd, foreground, docker, kubernetes]

export const deploymentOf = (name: DeploymentName): Deployment | undefined =>
  deployments.find((deployment) => deployment.name === name)
