import { expect, test } from 'vitest';
import type { MemberConnection } from '../../../src/dataplane/member-connection.ts';
import { MemberPool } from '../../../src/dataplane/member-pool.ts';

function connection(): MemberConnection & { isDestroyed: boolean } {
  const fake = { isDestroyed: false, destroy: () => {} };
  fake.destroy = () => {
    fake.isDestroyed = true;
  };
  return fake as unknown as MemberConnection & { isDestroyed: boolean };
}

test('the connection that was used last is taken first', () => {
  const address = new MemberPool().acquire('10.0.0.1', 8080);
  const [one, two] = [connection(), connection()];
  expect([address.keep(one), address.keep(two)]).toEqual([true, true]);
  expect([address.take(), address.take(), address.take()]).toEqual([two, one, null]);
});

test('a connection that is gone is not taken', () => {
  const address = new MemberPool().acquire('10.0.0.1', 8080);
  const [one, two] = [connection(), connection()];
  address.keep(one);
  address.keep(two);
  address.forget(one);
  address.forget(connection());
  expect([address.take(), address.take()]).toEqual([two, null]);
});

test('no more are kept than are of use', () => {
  const address = new MemberPool().acquire('10.0.0.1', 8080);
  const kept = Array.from({ length: 300 }, () => address.keep(connection())).filter((isKept) => isKept).length;
  expect(kept).toBe(256);
});

test('an address lives as long as somebody has a member there', () => {
  const pool = new MemberPool();
  const address = pool.acquire('10.0.0.1', 8080);
  expect(pool.acquire('10.0.0.1', 8080)).toBe(address);
  expect(pool.acquire('10.0.0.1', 8081)).not.toBe(address);
  const kept = connection();
  address.keep(kept);
  pool.release(address);
  expect(kept.isDestroyed).toBe(false);
  pool.release(address);
  expect(kept.isDestroyed).toBe(true);
  expect(address.keep(connection())).toBe(false);
  expect(pool.acquire('10.0.0.1', 8080)).not.toBe(address);
});

test('a closed pool closes what it has and keeps nothing more', () => {
  const pool = new MemberPool();
  const address = pool.acquire('10.0.0.1', 8080);
  const kept = connection();
  address.keep(kept);
  pool.close();
  expect([kept.isDestroyed, address.keep(connection())]).toEqual([true, false]);
});

test.each([
  ['10.0.0.1', 80, '10.0.0.1'],
  ['10.0.0.1', 8080, '10.0.0.1:8080'],
  ['fd00::1', 8080, '[fd00::1]:8080'],
])('%s and %i make the authority %s', (host, port, authority) => {
  expect(new MemberPool().acquire(host, port).authority).toBe(authority);
});
