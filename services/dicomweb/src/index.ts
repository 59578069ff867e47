export { DicomwebConfig } from './dicomweb.config.js';
export { DicomwebModule } from './dicomweb.module.js';
export { DicomwebServer } from './dicomweb-server.js';
