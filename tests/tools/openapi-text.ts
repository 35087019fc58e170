interface Described {
  readonly paths: Readonly<Record<string, unknown>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** One line for each path and each component, so that a change of the API is a change of its lines. */
export function openapiText({ paths, components, ...rest }: Described): string {
  const lines = (entries: Readonly<Record<string, unknown>>) =>
    `{\n${Object.entries(entries)
      .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n')}\n}`
  const parts = Object.entries(components).map(([name, entries]) => `${JSON.stringify(name)}: ${lines(entries)}`)
  const about = JSON.stringify(rest).slice(1, -1)
  return `{\n${about},\n"paths": ${lines(paths)},\n"components": {\n${parts.join(',\n')}\n}\n}\n`
}
