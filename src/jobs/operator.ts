import { systemActor } from '../context/index.ts'

/** Who works across tenants for a job. */
export function operatorOf(job: string) {
  return { kind: 'operator', actor: systemActor(`job:${job}`), reason: `the job ${job}` } as const
}
