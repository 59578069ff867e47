import { describe, expect, test } from '@jest/globals';
import { parseDa, parseTm } from './date-time.js';

describe('parseDa', () => {
  test.each([['20240229', '20240229'], ['1993.08.22', '19930822'], ['2020-01-31 ', '20200131'], ['20230229', null], ['20231301', null], ['2023', null], ['', null], ['20230101-20230201', null]])('%j is %j', (text, date) => {
    expect(parseDa(text)).toBe(date);
  });
});

describe('parseTm', () => {
  test.each([
    ['07', '070000.000000'], ['0727', '072700.000000'], ['072730', '072730.000000'], ['072730.1', '072730.100000'], ['10:47:02.826', '104702.826000'],
    ['235960', '235960.000000'], ['240000', null], ['7', null], ['0727301', null], ['ab', null],
  ])('%j is %j', (text, time) => {
    expect(parseTm(text)).toBe(time);
  });
});
