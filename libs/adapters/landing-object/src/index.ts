export { ObjectLanding, type ObjectLandingOptions } from './object-landing.js';
export { LandingObjectReader } from './landing-object-reader.js';
