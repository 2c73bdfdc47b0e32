import { Converter, ReflectionKind } from 'typedoc'

/** Leaves out of the reference what every class of errors has: a constructor like that of Error, and its name. */
export const load = (app) => {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const each of project
      .getReflectionsByKind(ReflectionKind.Class)
      .filter(({ name }) => name.endsWith('Error'))) {
      const plain =
        each.children?.filter(({ name, comment }) => ['constructor', 'name'].includes(name) && !comment) ?? []
      for (const child of plain) project.removeReflection(child)
    }
  })
}
