import { describe, expect, it } from 'vitest';
import { createHostCheck } from '../../../src/admin/host-check.ts';

const isKnown = createHostCheck(['lb.example.com']);

describe('the check of Host', () => {
  it.each([
    'localhost',
    'localhost:9090',
    'LOCALHOST.',
    '127.0.0.1',
    '10.2.3.4:9090',
    '[::1]',
    '[fd00::1]:9090',
    'lb.example.com:80',
  ])('knows %s', (host) => expect(isKnown(host)).toBe(true));

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'lb.example.com.evil.example',
    '127.0.0.1.evil.example',
    '1.2.3',
    '0x7f.1',
    '[evil]',
    '[::1',
    '::1',
    'localhost:port',
    'localhost:1:2',
    'user@localhost',
    'localhost/evil',
    ' localhost',
  ])('does not know %j', (host) => expect(isKnown(host)).toBe(false));
});
