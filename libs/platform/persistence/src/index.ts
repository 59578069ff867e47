export { ControlDatabase, ImagingDatabase, type SqlRunner } from './database.js';
