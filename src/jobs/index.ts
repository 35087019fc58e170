/** What runs without a request: jobs, one leader for each, a record of each run. */
export type { Job, JobContext, Step } from './job.ts'
export { jobs } from './jobs.ts'
export { type JobProgress, type JobReport, runJob, type RunOptions } from './run-job.ts'
export { type JobsOptions, startJobs } from './start-jobs.ts'
