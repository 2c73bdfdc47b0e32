import { Child } from './harness/child.ts'
import type { BlocksMethods } from './processes/blocks.ts'
const count = Number(process.argv[2] ?? 1024)
const owner = new Child<BlocksMethods>('blocks'), asker = new Child<BlocksMethods>('blocks'), third = new Child<BlocksMethods>('blocks')
const address = await owner.call('start'); const askerAt = await asker.call('start'); await third.call('start')
await owner.call('name', count, true); await asker.call('name', count, false)
const bare = await owner.call('startBare')
for (let i = 0; i < 1; i++) {
  let u=[await owner.usage(),await asker.usage()];const cpu=async(w:string)=>{const v=[await owner.usage(),await asker.usage()];console.log(w,'cpu ms owner',v[0]!.cpuMs-u[0]!.cpuMs,'asker',v[1]!.cpuMs-u[1]!.cpuMs);u=v}
  console.log('bare', await asker.call('receive', bare, count * 262144))
await cpu('bare');  console.log('idle beats', await third.call('beat', [address, askerAt], 2000))
await cpu('idle');const t = third.call('beat', [address, askerAt], 4000)
  console.log('ours', await asker.call('fetch', [address]), 'owner sent', await owner.call('sent'))
await cpu('ours');  console.log('beats', await t)
}
await Promise.all([owner,asker,third].map((c)=>c[Symbol.asyncDispose]()))
