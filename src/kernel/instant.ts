/** A moment as PostgreSQL writes it, as JSON has it. Where the server thinks in UTC, that is a matter of letters. */
export function instantIn(stored: string): string {
  const fraction = inUtc.exec(stored)?.[1]
  if (fraction === undefined) return new Date(stored).toISOString()
  return `${stored.slice(0, 10)}T${stored.slice(11, 19)}.${fraction.slice(1).padEnd(3, '0')}Z`
}

const inUtc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d((?:\.\d{1,3})?)\+00$/
