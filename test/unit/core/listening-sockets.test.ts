import { describe, expect, test } from 'vitest';
import { listeningSockets, overlaps, type ListeningSocket } from '../../../src/core/listening-sockets.js';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n';
const line = (local: string, state: string, uid = 0, inode = 7): string => {
  const nobody = `${local.replace(/:.*/, '').replaceAll(/./g, '0')}:0000`;
  return `   0: ${local} ${nobody} ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${String(inode)} 1 0000000000000000 100 0 0 10 0\n`;
};
const only = (local: string): ListeningSocket | undefined =>
  listeningSockets([header + line(local, '0A', 65532, 9)])[0];

describe('the tables of the kernel', () => {
  test.each([
    ['00000000:0050', '0.0.0.0', 80],
    ['0100007F:1F90', '127.0.0.1', 8080],
    ['1E0012C6:0016', '198.18.0.30', 22],
    ['00000000000000000000000000000000:01BB', '::', 443],
    ['B80D0120000000000000000007000000:0050', '2001:db8::7', 80],
    ['0000000000000000FFFF00001E0012C6:0050', '198.18.0.30', 80],
  ])('tell who listens at %s', (local, host, port) => {
    expect(only(local)).toEqual({ host, port, uid: 65532, inode: '9' });
  });

  test('have other sockets in them', () => {
    expect(listeningSockets([header + line('00000000:0050', '01') + line('00000000:0051', '0A'), header, ''])).toEqual([
      { host: '0.0.0.0', port: 81, uid: 0, inode: '7' },
    ]);
  });
});

describe('two addresses of one port', () => {
  test.each([
    ['*', '00000000:0050', true],
    ['*', '1E0012C6:0050', true],
    ['*', '00000000000000000000000000000000:0050', true],
    ['*', 'B80D0120000000000000000007000000:0050', false],
    ['198.18.0.30', '1E0012C6:0050', true],
    ['198.18.0.31', '1E0012C6:0050', false],
    ['198.18.0.31', '00000000:0050', true],
    ['::', '1E0012C6:0050', true],
    ['2001:db8::7', 'B80D0120000000000000000007000000:0050', true],
    ['2001:db8::8', 'B80D0120000000000000000007000000:0050', false],
    ['2001:db8::7', '00000000:0050', false],
  ])('%s and %s meet: %s', (host, local, expected) => {
    const other = only(local);
    expect(other && overlaps({ host, port: 80 }, other)).toBe(expected);
    expect(other && overlaps({ host, port: 81 }, other)).toBe(false);
  });
});
