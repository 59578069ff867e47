// AE titles (PS3.5 §6.2, value representation AE): blanks at either end mean nothing, upper and lower case differ.

const AE_TITLE = /^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/;

/** Whether it is one as it is kept: without blanks at either end. */
export const isAeTitle = (text: string): boolean => AE_TITLE.test(text);

/** As a command set carries it, padded perhaps, to how it is kept. */
export const trimmedAeTitle = (text: string): string => text.replaceAll(/^ +| +$/g, '');
