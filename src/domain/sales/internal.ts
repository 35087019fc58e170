/** What the rest of Daybook needs of this area, and no application. */
export { countDueCampaigns } from './advance-campaigns.ts'
export { refuseOtherSequence } from './campaigns.ts'
