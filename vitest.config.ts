import { defineConfig } from 'vitest/config';

const propertySeed = 'test/helpers/property-seed.ts';
const realThings = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 30_000,
  fileParallelism: false,
  expect: { poll: { timeout: 10_000 } },
} as const;

// unit: pure parts, no sockets, no sleeps. integration: real sockets, real threads, real processes; one file at a time,
// and not beside the unit tests, since some of them measure time. The others need programs that are not ours, named
// like the folder that needs them; CI runs them, `npm test` does not.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: [propertySeed],
          environment: 'node',
          // Property tests compute for a while; on a machine that is busy with other things, for a long while.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...realThings,
          name: 'integration',
          setupFiles: [propertySeed],
          include: ['test/integration/**/*.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      ...['apps', 'chart', 'httpd', 'image'].map((name, index) => ({
        test: { ...realThings, name, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder: 2 + index } },
      })),
      {
        test: {
          ...realThings,
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 60_000,
          // An API server takes its time to start.
          hookTimeout: 180_000,
          sequence: { groupOrder: 9 },
        },
      },
    ],
  },
});
