import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './test/failed-names.ts'],
    projects: [
      {
        // For the whole project and not per test file: without isolation a module is loaded once, for all files.
        resolve: { alias: { 'node:timers/promises': join(import.meta.dirname, 'test/unit/support/sleep.ts') } },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false },
      },
      {
        test: {
          name: 'integration',
          globalSetup: ['test/lab/build-page.ts'],
          include: ['test/integration/**/*.test.ts'],
          // A dozen commands from the source, one after the other, take most of a minute on a busy machine.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file starts its own etcd, HAProxy or Docker engine, and mostly waits; those with a lab wait for each other.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
