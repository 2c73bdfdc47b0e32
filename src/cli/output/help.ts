/** The end of a command's help: command lines as they are typed. */
export const exampleOf = (...lines: string[]): string =>
  ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
