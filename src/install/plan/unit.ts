import type { Install } from '../model/deployment.ts'
import { serviceUser } from '../model/layout.ts'

/** The process says every third of it that its event loop turns. */
const watchdogSeconds = 60

/**
 * A hardened unit. IPv4 sockets stay allowed for resolvers like 127.0.0.53 and V8 needs memory that it may both write and execute;
 * the rest of what a node does not need is closed. /proc stays whole: addresses and their flags are read there.
 */
export const unitText = ({ answers, layout }: Install): string => `[Unit]
Description=TrustNet ${answers.role} ${answers.name} of ${answers.domain}
Documentation=man:trustnet(1)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${layout.command} node start --config ${layout.configFile}
User=${serviceUser}
Group=${serviceUser}
RuntimeDirectory=trustnet
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
StateDirectory=trustnet
StateDirectoryMode=0750
UMask=0077
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2
WatchdogSec=${watchdogSeconds}
TimeoutStartSec=90
TimeoutStopSec=10
LimitNOFILE=65536

AmbientCapabilities=
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
ReadWritePaths=${layout.configFolder}
RemoveIPC=yes
RestrictAddressFamilies=AF_INET6 AF_INET AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@resources @privileged

[Install]
WantedBy=multi-user.target
`
