import type { Figure } from './rounds.ts'

/** The figures as a plain table; times in milliseconds for one piece of work, medians of the rounds. */
export function table(figures: readonly Figure[], rounds: number): string {
  const head = ['', 'stock', 'daybook', 'ratio', 'middle half', 'target', '']
  const rows = [head, ...figures.map(cells)]
  const widths = head.map((_title, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))))
  return `${lines.map(line => line.join('  ').trimEnd()).join('\n')}\n\nMedians of ${rounds} rounds, A B A B.\n`
}

function cells({ name, unit, stock, daybook, value, target, isAtLeast, spread }: Figure): string[] {
  const isRatio = stock !== undefined
  return [
    name,
    stock === undefined ? '' : amount(stock, unit),
    amount(daybook, unit),
    isRatio ? value.toFixed(2) : '',
    spread ? spread.map(each => (isRatio ? each.toFixed(2) : amount(each, unit))).join(' to ') : '',
    target === undefined ? '' : isRatio ? target.toFixed(2) : amount(target, unit),
    target === undefined ? '' : verdict(isAtLeast ? target / value : value / target),
  ]
}

function verdict(part: number): string {
  const percent = `${Math.abs((part - 1) * 100).toFixed(0)} %`
  return part <= 1 ? `met by ${percent}` : `missed by ${percent}`
}

function amount(value: number, unit: Figure['unit']): string {
  if (unit === 'per second') return `${value.toFixed(0)}/s`
  if (unit === 'bytes') return value >= 1e6 ? `${(value / 1e6).toFixed(0)} MB` : `${value.toFixed(0)} B`
  return `${value.toFixed(value < 10 ? 3 : 1)} ms`
}
