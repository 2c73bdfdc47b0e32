/** Figures as they are printed. */
export const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
