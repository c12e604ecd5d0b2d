import { describe, expect, it } from 'vitest';
import { SenderIndex } from '../../../../src/control/heartbeat/sender-index.ts';
import type { PlacedBalancer } from '../../../../src/snapshot/lane-protocol.ts';
import type { LbMethodName, MemberUnit } from '../../../../src/snapshot/snapshot.ts';
import { balancer, member } from '../fixtures.ts';

function heartbeatOf(name: string, rows: Record<number, Partial<MemberUnit>>, lbMethod: LbMethodName = 'heartbeat') {
  const members = Object.entries(rows).map(([row, changes]) => member(row, changes));
  const placed: PlacedBalancer = {
    unit: { ...balancer(name, members), lbMethod },
    row: 1,
    memberRows: Object.keys(rows).map(Number),
  };
  return placed;
}

function indexOf(...placed: PlacedBalancer[]) {
  const published = { generation: 1, placed: () => placed };
  return { published, placed, index: new SenderIndex(published) };
}

describe('a sender speaks for', () => {
  it('every member at its address, in whatever heartbeat balancer', () => {
    const { index } = indexOf(
      heartbeatOf('a', { 1: { host: '10.0.0.1' }, 2: { host: '10.0.0.2' } }),
      heartbeatOf('b', { 3: { host: '10.0.0.1' } }),
      heartbeatOf('c', { 4: { host: '10.0.0.1' } }, 'byrequests'),
    );
    expect(index.rowsOf('10.0.0.1', null)).toEqual([1, 3]);
    expect(index.rowsOf('10.0.0.2', null)).toEqual([2]);
    expect(index.rowsOf('10.0.0.3', null)).toEqual([]);
    expect(index.knows('10.0.0.1')).toBe(true);
    expect(index.knows('10.0.0.3')).toBe(false);
  });

  it('the member on its port where several share an address, or all of them', () => {
    const host = '10.0.0.1';
    const { index } = indexOf(heartbeatOf('a', { 1: { host, port: 8080 }, 2: { host, port: 8081 } }));
    expect(index.rowsOf(host, 8081)).toEqual([2]);
    expect(index.rowsOf(host, null)).toEqual([1, 2]);
    expect(index.rowsOf(host, 80)).toEqual([]);
    expect(index.knows(host)).toBe(true);
  });

  it('the only one there, whatever port it names', () => {
    const host = '10.0.0.1';
    const { index } = indexOf(
      heartbeatOf('a', { 1: { host, port: 8080 } }),
      heartbeatOf('b', { 2: { host, port: 8080 } }),
    );
    expect(index.rowsOf(host, 80)).toEqual([1, 2]);
  });

  it('members whose address is spelled in another way', () => {
    const { index } = indexOf(
      heartbeatOf('a', { 1: { host: '10.0.0.1' }, 2: { host: 'fd00:0:0::0001' }, 3: { host: '::ffff:10.0.0.3' } }),
    );
    expect(index.rowsOf('::ffff:10.0.0.1', null)).toEqual([1]);
    expect(index.rowsOf('::ffff:a00:1', null)).toEqual([1]);
    expect(index.rowsOf('fd00::1', null)).toEqual([2]);
    expect(index.rowsOf('FD00::1', null)).toEqual([2]);
    expect(index.rowsOf('10.0.0.3', null)).toEqual([3]);
  });

  it('nobody if it is no address, or the members are named', () => {
    const { index } = indexOf(heartbeatOf('a', { 1: { host: 'backend.example.com' }, 2: { host: '010.0.0.1' } }));
    for (const address of ['', 'backend.example.com', '010.0.0.1', '10.0.0.1', '8.0.0.1', '::1%lo', '__proto__']) {
      expect(index.knows(address), address).toBe(false);
    }
  });
});

describe('the index', () => {
  it('follows what is published', () => {
    const { index, placed, published } = indexOf(heartbeatOf('a', { 1: { host: '10.0.0.1' } }));
    expect(index.knows('10.0.0.1')).toBe(true);
    placed[0] = heartbeatOf('a', { 2: { host: '10.0.0.2' } });
    published.generation = 2;
    expect(index.rowsOf('10.0.0.1', null)).toEqual([]);
    expect(index.rowsOf('10.0.0.2', null)).toEqual([2]);
  });

  it('is not made anew for every report', () => {
    let readings = 0;
    const placed = () => {
      readings += 1;
      return [heartbeatOf('a', { 1: { host: '10.0.0.1' } })];
    };
    const index = new SenderIndex({ generation: 5, placed });
    for (let report = 0; report < 10; report += 1) index.rowsOf('10.0.0.1', null);
    expect(readings).toBe(1);
  });
});
