import { NotRootError } from '../../../runtime/errors.ts'

export const rootReplaced = (): NotRootError =>
  new NotRootError('another machine was made the root: run this there, `trustnet registry status` names it')

export const notRoot = (): NotRootError =>
  new NotRootError('only the root decides who is a member: run this on the machine of the root')
