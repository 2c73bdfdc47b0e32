import { instanceOf } from '../../node/config/paths.ts'
import type { Install } from '../model/deployment.ts'
import { credentialLines } from '../model/root-store.ts'

/** The process says every third of it that its event loop turns. */
const watchdogSeconds = 60

/** About four times what a root with 10,000 sessions takes; who has a larger network sets MemoryMax in a drop-in (systemctl edit). */
const memoryMax = '4G'
/** A process has some 20 threads; the rest is for hooks. */
const tasksMax = 128

/**
 * Hardening. IPv4 sockets stay allowed for resolvers like 127.0.0.53 and V8 needs memory that it may both write and execute;
 * the rest of what a node does not need is closed. /proc stays whole: addresses and their flags are read there.
 */
const hardening = `AmbientCapabilities=
CapabilityBoundingSet=
KeyringMode=private
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET6 AF_INET AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@resources @privileged
`

/** It waits for the clock to be set where the machine has a service that waits for it (chrony-wait, systemd-time-wait-sync): a unit does not pull that in. */
export const unitText = ({ answers, layout }: Install): string => `[Unit]
Description=TrustNet ${answers.role} ${answers.name} of ${answers.domain}
Documentation=man:trustnet(1)
Wants=network-online.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${layout.command} node start --config ${layout.configFile}
ExecReload=${layout.command} reload --config ${layout.configFile}
User=${layout.user}
Group=${layout.user}
RuntimeDirectory=trustnet/${instanceOf(answers.name)}
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
StateDirectory=trustnet/${answers.name}
StateDirectoryMode=0700
UMask=0077
${credentialLines(answers.rootStore)}Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2
WatchdogSec=${watchdogSeconds}
TimeoutStartSec=90
TimeoutStopSec=10
LimitNOFILE=65536
LimitCORE=0
MemoryMax=${memoryMax}
TasksMax=${tasksMax}

${hardening}
[Install]
WantedBy=multi-user.target
`
