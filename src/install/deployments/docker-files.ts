import { keys } from '../../node/config/index.ts'
import type { Install } from '../model/deployment.ts'

/** Image that an installed program is built into: it brings its own Node, and wants the C library that it was made for. */
export const imageBase = 'debian:bookworm-slim'

/** Whatever happens to be in a name, it stays one value of YAML, and Compose replaces nothing in it. */
const quoted = (value: string): string => JSON.stringify(value.replaceAll('$', '$$$$'))

/** In a comment, which ends with its line. */
const remark = (value: string): string => value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')

const doc = (name: string): string => keys.find(({ yaml }) => yaml === name)?.doc ?? ''

export const containerName = ({ answers }: Install): string => `trustnet-${answers.name}`

export const imageOf = ({ answers, version }: Install): string => answers.image ?? `trustnet:v${version}`

/** The same program that runs under systemd, as an image: a build takes neither npm nor a checkout. */
export const dockerfileText = ({
  version
}: Install): string => `# Written by \`trustnet install\`; the context is the installed program.
ARG BASE=${imageBase}
FROM \${BASE}
LABEL org.opencontainers.image.title="trustnet" \\
      org.opencontainers.image.licenses="Apache-2.0" \\
      org.opencontainers.image.version="${version}"
COPY . /opt/trustnet
ENV NODE_ENV=production \\
    PATH=/opt/trustnet/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 1000:1000
STOPSIGNAL SIGTERM
ENTRYPOINT ["trustnet"]
CMD ["node", "start"]
`

/** Values that an operator may want to change. No secret has a place here: those are files. */
export const envText = (
  install: Install
): string => `# TrustNet ${install.answers.role} ${install.answers.name}, written by \`trustnet install\`.
# It wins over ${install.layout.configFile}: one TRUSTNET_SECTION_KEY a line (trustnet config show --example has them all).
# After a change: trustnet install --name ${install.answers.name}

# name under which Compose knows the container
COMPOSE_PROJECT_NAME=${containerName(install)}
# ${doc('logging.level')}
TRUSTNET_LOGGING_LEVEL=info
# ${doc('logging.format')}
TRUSTNET_LOGGING_FORMAT=json
`

const bind = (path: string, more = ''): string =>
  `{ type: bind, source: ${quoted(path)}, target: ${quoted(path)}${more} }`

const volumes = ({ configFolder, data, runtime }: Install['layout']): string => `    volumes:
      # Configuration, which is root's.
      - ${bind(configFolder, ', read_only: true')}
      # Keys and database.
      - ${bind(data)}
      # Control socket: trustnet peers and the other commands work on the machine as they do without a container.
      - ${bind(runtime)}`

/**
 * One container on the network of the machine: a node tells others the addresses of its interfaces, and registries count by the /64
 * that a dial comes from. A network of Docker's own would hide both.
 */
export const composeText = (install: Install): string => {
  const { answers, layout } = install
  return `# TrustNet ${answers.role} ${remark(answers.name)} of ${remark(answers.domain)}, written by \`trustnet install\`; settings are in .env beside it.

services:
  node:
    # Never :latest, so that a restart is no upgrade.
    image: ${quoted(imageOf(install))}
    container_name: ${quoted(containerName(install))}
    command: [node, start, --config, ${quoted(layout.configFile)}]
    # Comes back after a failure and after a reboot, not after it was stopped.
    restart: unless-stopped
    # The machine's own IPv6 addresses are what others dial; nothing is translated.
    network_mode: host
    userns_mode: host
    # The node's own user of this machine; no capability, and nothing but two of the folders below can be written to.
    user: '@UID@:@GID@'
    read_only: true
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
    # As the service of systemd has them.
    mem_limit: 4g
    pids_limit: 128
    ulimits: { core: 0 }
    # Over the image's own data folder, which this container does not use.
    tmpfs: [/tmp, '/var/lib/trustnet:mode=0755']
${volumes(layout)}
    env_file: [.env]
    healthcheck:
      test: [CMD, trustnet, status, --check, --config, ${quoted(layout.configFile)}]
      interval: 30s
      timeout: 10s
      start_period: 60s
      retries: 3
    # It says goodbye and closes its database within 5 s.
    stop_grace_period: 10s
    logging:
      driver: json-file
      options: { max-size: 10m, max-file: '3' }
`
}
