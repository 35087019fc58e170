/** System: what the platform keeps about itself. Job runs say what was done without a request, for whom, and how it went. */
export { JobRun, JobRunSchema, type JobStatus, jobStatuses } from './job-run.entity.ts'
