import { expect, test } from 'vitest';
import { MemberGuard } from '../../../src/lib/member-guard.ts';

function guard(allowed: readonly string[] = [], own: readonly string[] = []): MemberGuard {
  return new MemberGuard(allowed, { nowMs: () => 0, wallMs: () => 0 }, () => own);
}

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::7f00:1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::5',
  '',
  'localhost',
])('%s points inwards', (address) => {
  expect(guard().refuses(address)).toBe(true);
});

test.each([
  '10.0.0.1',
  '192.168.1.1',
  '128.0.0.1',
  '169.253.255.255',
  '223.255.255.255',
  '2001:db8::1',
  'fd00::1',
  'fec0::1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '2002:a00:1::1',
])('%s does not', (address) => {
  expect(guard().refuses(address)).toBe(false);
});

test('the addresses of this machine point inwards, however they are spelled', () => {
  const own = guard([], ['10.1.2.3', 'fd00::0:5']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd00::5', 'FD00:0::5']) {
    expect(own.refuses(address)).toBe(true);
  }
  expect(own.refuses('10.1.2.4')).toBe(false);
});

test('its addresses are read again after a while', () => {
  let nowMs = 0;
  let own = ['10.0.0.1'];
  const aging = new MemberGuard([], { nowMs: () => nowMs, wallMs: () => 0 }, () => own);
  expect(aging.refuses('10.0.0.2')).toBe(false);
  own = ['10.0.0.2'];
  nowMs = 9_999;
  expect(aging.refuses('10.0.0.2')).toBe(false);
  nowMs = 10_000;
  expect(aging.refuses('10.0.0.2')).toBe(true);
  expect(aging.refuses('10.0.0.1')).toBe(false);
});

test('what is allowed is allowed in every spelling, and nothing else is', () => {
  const allowing = guard(['127.0.0.0/8', '10.9.9.9', 'fe80::/64'], ['10.9.9.9']);
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.9.9.9', 'fe80::1%eth0']) {
    expect(allowing.refuses(address)).toBe(false);
  }
  for (const address of ['::1', '169.254.169.254', 'fe80:0:0:1::1']) expect(allowing.refuses(address)).toBe(true);
});
