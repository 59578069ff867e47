// Unique identifiers, PS3.5 §9.1: at most 64 characters, digits and dots, no component with a leading zero.

/** Whether `text` (without its padding) is a UID by PS3.5 §9.1. */
export function isValidUid(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > 64) return false;
  // By hand: this runs four times for every stored object, and the regular expression takes three times as long.
  let componentStart = 0;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (i === componentStart) return false;
      componentStart = i + 1;
    } else if (c < ZERO || c > NINE) return false;
    else if (i === componentStart + 1 && text.charCodeAt(componentStart) === ZERO) return false;
  }
  return componentStart < length;
}
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
