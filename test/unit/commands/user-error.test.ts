import { describe, expect, it } from 'vitest';
import { describeListenFault, describeSystemFault } from '../../../src/commands/user-error.ts';

const fault = (fields: Record<string, unknown>): Error => Object.assign(new Error('raw message'), fields);

describe('a fault of the system', () => {
  it('of a port is told by port and address', () => {
    const error = fault({ code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port: 8080 });
    expect(describeSystemFault(error)).toBe('port 8080 on 127.0.0.1 is taken');
    expect(describeListenFault('EACCES', '::', 80)).toMatch(/^port 80 on :: may not be opened/);
    expect(describeListenFault('EADDRNOTAVAIL', '192.0.2.1', 80)).toBe('192.0.2.1 is not an address of this machine');
    expect(describeListenFault('EODD', '::', 80)).toBe('cannot listen on port 80 of :: (EODD)');
  });

  it('of a path is told by the path', () => {
    expect(describeSystemFault(fault({ code: 'ENOENT', path: '/x' }))).toBe('/x does not exist');
    expect(describeSystemFault(fault({ code: 'EACCES', path: '/x' }))).toMatch(/^\/x may not be read/);
    expect(describeSystemFault(fault({ code: 'EIO', path: '/x' }))).toBe('/x: raw message');
  });

  it('is not what is a fault of ours', () => {
    expect(describeSystemFault(new TypeError('x is not a function'))).toBeNull();
    expect(describeSystemFault(fault({ code: 'ERR_INVALID_ARG_TYPE' }))).toBeNull();
    expect(describeSystemFault('text')).toBeNull();
  });
});
