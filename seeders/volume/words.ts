export const firstNames = ['Ada', 'Grace', 'Marc', 'Iris', 'Elise', 'Omar', 'Lena', 'Pavel', 'Noor', 'Jonas', 'Mei', 'Tomas'] as const
export const lastNames = [
  'Lund',
  'Petit',
  'Cole',
  'Okafor',
  'Marin',
  'Nguyen',
  'Moreau',
  'Lindqvist',
  'Silva',
  'Kovacs',
  'Haas',
  'Tanaka',
] as const
export const industries = ['Software', 'Health', 'Logistics', 'Retail', 'Energy', 'Education'] as const
export const regions = ['EU', 'UK', 'US', 'CA'] as const
export const routes = ['/tasks', '/tasks/:id', '/prospects', '/prospects/:id', '/projects/:id/errors', '/me'] as const
export const subjects = [
  'An offer',
  'A call back',
  'The report of last week',
  'A refund',
  'Opening hours',
  'A broken link',
  'The new contract',
  'A question about an invoice',
  'A demonstration',
  'Access for a colleague',
] as const
