import { expect, test } from 'vitest';
import { explanationText } from '../../../src/cli/register-explain.js';
import { plain } from '../../../src/cli/paint.js';

const evil = '\u001b[2J\u009b\u202e\n';

test('what a container calls itself is printed in ASCII, on lines of ours', () => {
  const text = explanationText(
    {
      container: evil,
      id: evil,
      image: evil,
      registrations: [
        {
          key: '/backends/a/b',
          value: '10.0.0.1:80?port=80',
          isRegistered: false,
          signedBy: null,
          state: evil,
          mend: evil,
        },
      ],
      skipped: [{ port: null, reason: evil, mend: evil }],
      misread: [{ source: 'label SERVICE_X', value: evil, allowed: 'nothing' }],
      etcd: null,
    },
    plain,
  );
  expect(text).toMatch(/^[\n\x20-\x7e…]*$/);
  expect(text.split('\n')).toHaveLength(11);
});
