import { eventually, TestNetwork } from '../helpers/network.ts'
import { memberAt, probeAll } from '../helpers/network-views.ts'

/**
 * A program: a root at this address that waits for so many members, has the addresses of some dialled by all, and ends. Arguments: address,
 * number of members with itself, names with commas. Prints its multiaddr and network id, then the matrix.
 */
const [host = '', members = '', names = ''] = process.argv.slice(2)
await using network = await TestNetwork.create({ 'announce.allow': ['ula'], 'listen.host': host })
const root = network.node('root')
const address = `/ip6/${host}/tcp/${root.attached.port}/p2p/${root.peerId}`
process.stdout.write(`${JSON.stringify({ address, networkId: network.networkId })}\n`)
await eventually(() => root.registry.records.count() === Number(members))
await probeAll(root, ...names.split(',').map((name) => memberAt(root, name).publicKey))
process.stdout.write(`${JSON.stringify(await root.control.matrix())}\n`)
