import { parseArgs } from 'node:util'
import { openGround } from './ground.ts'
import { httpFigures } from './http.ts'
import { readFigures } from './reads.ts'
import { table } from './report.ts'
import { compare, type Figure } from './rounds.ts'
import { sizeFigures } from './sizes.ts'
import { writes } from './writes.ts'

/**
 * What Daybook costs, against the same work by stock MikroORM without audit and isolation, in one run on one machine: ratios travel
 * between machines, times do not.
 *
 *   node bench/run.ts [--rounds 15] [--only create] [--json]
 */
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, only: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
})
const rounds = Number(options.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a whole number, and got "${options.rounds}".`)

await using ground = await openGround()
const wanted = (name: string) => name.includes(options.only)
const figures: Figure[] = []
for (const comparison of writes(ground)) if (wanted(comparison.name)) figures.push(await compare(comparison, rounds))
if (wanted('read')) figures.push(...(await readFigures(ground, rounds)))
if (wanted('http')) figures.push(...(await httpFigures(ground, rounds)))
if (wanted('size')) figures.push(...(await sizeFigures(ground)))
process.stdout.write(options.json ? `${JSON.stringify({ server: ground.origin, rounds, figures }, null, 2)}\n` : table(figures, rounds))
