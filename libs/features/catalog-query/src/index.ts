export { CatalogSearch, type SearchPage } from './catalog-search.js';
export { ChangeFeed, FEED_START, type ChangePage, type StudyChange } from './change-feed.js';
export { PATIENT_TAGS, PatientSearch, planPatientSearch, type PatientPage, type PatientPlan } from './patient-search.js';
export { type SearchLevel } from './search-level.js';
export { DEFAULT_SEARCH_LIMITS, planSearch, type SearchLimits, type SearchPlan, type SearchScope } from './search-plan.js';
