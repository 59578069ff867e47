export { StudyExporter, type ExportedStudy } from './export-studies.js';
export { runImport, type ImportOptions, type ImportSummary } from './import/run-import.js';
