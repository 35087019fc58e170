import { parseArgs } from 'node:util'
import { confirmProduction } from '../../seeders/confirm-production.ts'
import { fillVolume, type VolumeProgress } from '../../seeders/volume/fill-volume.ts'
import { isProfileName, profileNamed, profileNames } from '../../seeders/volume/profiles.ts'
import { durationOf, progressLine } from '../../seeders/volume/progress-line.ts'
import { readSeedConfig } from '../config.ts'
import { openDaybook } from '../open-daybook.ts'
import { UsageError, wordsOf } from './usage-error.ts'

const usage = `npm run seed:volume -- --profile ${profileNames.join('|')} [--tenants n] [--rows n] [--seed text] [--workers n]`

try {
  await seedVolume()
} catch (error) {
  console.error(wordsOf(error))
  process.exit(1)
}

async function seedVolume(): Promise<void> {
  const { profile, seed, workers } = readArguments()
  const config = readSeedConfig()
  await confirmProduction(config)
  await using daybook = await openDaybook({ ...config, logQueries: false })
  const startedAt = performance.now()
  let progress: VolumeProgress = { of: profile.rows, written: 0, found: 0 }
  const tell = () => console.log(progressLine(progress, performance.now() - startedAt))
  const timer = setInterval(tell, 2_000)
  try {
    progress = await fillVolume(daybook, { profile, seed, workers, onProgress: now => (progress = now) })
  } finally {
    clearInterval(timer)
  }
  tell()
  const memory = Math.round(process.resourceUsage().maxRSS / 1_024)
  console.log(`${profile.tenants} tenants in ${durationOf((performance.now() - startedAt) / 1_000)}, at most ${memory} MB of memory`)
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string', default: 'small' },
      tenants: { type: 'string' },
      rows: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string', default: '3' },
    },
  })
  const problems: string[] = []
  const whole = (name: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    const number = Number(text)
    if (!Number.isSafeInteger(number) || number < 1) problems.push(`--${name} is "${text}", expected a whole number from 1.`)
    return number
  }
  if (!isProfileName(values.profile))
    throw new UsageError([`--profile is "${values.profile}", expected ${profileNames.join(', ')}.`], usage)
  const [tenants, rows, workers] = [whole('tenants', values.tenants), whole('rows', values.rows), whole('workers', values.workers)!]
  if (values.seed !== undefined && !/^[a-z0-9]+$/.test(values.seed)) problems.push('--seed takes lower-case letters and digits.')
  if (problems.length > 0) throw new UsageError(problems, usage)
  const profile = profileNamed(values.profile, { ...(tenants && { tenants }), ...(rows && { rows }) })
  return { profile, seed: values.seed ?? values.profile, workers }
}
